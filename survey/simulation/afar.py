"""Towns of towers, seen from one side: as satellites see them, and pictures from high aeroplanes.

In a mosaic of many pictures roofs lean in every direction. Seen from far off all lean one way, and
the roofs of two pictures differ in one way, the farther the higher they are (``change.leaning``).
"""

from dataclasses import replace

import numpy as np
from shapely import union_all
from shapely.affinity import translate
from shapely.geometry.base import BaseGeometry

from survey.simulation.camera.mosaic import lean_at
from survey.simulation.flights import AreaPlan
from survey.simulation.scene import Part, Scene, Structure

__all__ = ["seen_from_afar", "swept", "whole_changes", "with_towers"]

# One picture covers the whole area, its foot kilometres off; the ratio of that to its altitude says
# how much roofs lean: by up to 0.5 of their height.
_FOOT_M, _FOOT_OVER_ALTITUDE = 5000.0, (0.2, 0.7)
# A building of so many storeys on so large ground is made this much higher, up to a height, m.
_BLOCK_STOREYS, _BLOCK_M2, _HIGHER, _HIGHEST_M = 4, 200.0, (1.0, 2.0, 3.0, 4.0), 90.0
_STEPS = 5  # in which an outline is drawn on from its foot to its roof


def seen_from_afar(plan: AreaPlan, rng: np.random.Generator) -> AreaPlan:
    """Let every flight of a plan be one picture, taken from one side, rectified on bare ground."""
    altitude_m = _FOOT_M / float(rng.uniform(*_FOOT_OVER_ALTITUDE))
    flights = tuple(
        replace(
            flight,
            mosaic=replace(flight.mosaic, cell_m=_FOOT_M, altitude_m=altitude_m, lean=1.0),
        )
        for flight in plan.flights
    )
    return replace(plan, flights=flights)


def with_towers(scene: Scene) -> Scene:
    """Make towers of the higher buildings: each up to four times as high as it was drawn."""
    return replace(scene, structures=tuple(_higher(item, scene.seed) for item in scene.structures))


def _higher(structure: Structure, seed: int) -> Structure:
    parts = [part for state in structure.states for part in state.parts]
    if (
        max(part.storeys for part in parts) < _BLOCK_STOREYS
        or max(part.outline().area for part in parts) < _BLOCK_M2
    ):
        return structure
    rng = np.random.Generator(np.random.PCG64([seed, structure.number]))
    highest_m = max(part.height_m for part in parts)
    times = max(1.0, min(float(rng.choice(_HIGHER)), _HIGHEST_M / highest_m))
    states = tuple(
        replace(state, parts=tuple(_raised(part, times) for part in state.parts))
        for state in structure.states
    )
    return replace(structure, states=states)


def _raised(part: Part, times: float) -> Part:
    return replace(
        part,
        base_m=part.base_m * times,
        height_m=part.height_m * times,
        storeys=max(1, round(part.storeys * times)),
    )


def whole_changes(
    plan: AreaPlan, scene: Scene, before: int, after: int
) -> tuple[list[BaseGeometry], list[BaseGeometry]]:
    """Return what structures cover that only the later flight sees, or only the earlier.

    Parameters
    ----------
    plan
        The flights.
    scene
        The area.
    before
        Index of the earlier flight.
    after
        Index of the later one.

    Returns
    -------
    tuple of list
        Of what came and of what went: foot, walls and roof as each flight draws them, local metres.
    """
    found: tuple[list[BaseGeometry], list[BaseGeometry]] = [], []
    for structure in scene.structures:
        stood, stands = (not structure.outline_at(flight).is_empty for flight in (before, after))
        if stood != stands:
            found[0 if stands else 1].append(swept(plan, structure, after if stands else before))
    return found


def swept(
    plan: AreaPlan, structure: Structure, flight: int, outline: BaseGeometry | None = None
) -> BaseGeometry:
    """Return what a structure, or a part of it, covers in a flight: foot, walls and roof."""
    foot = structure.outline_at(flight) if outline is None else outline
    spot = foot.representative_point()
    east, north = lean_at(plan.flights[flight], spot.x, spot.y)
    shares = np.linspace(0.0, structure.height_at(flight), _STEPS)
    return union_all([translate(foot, east * up, north * up) for up in shares])
