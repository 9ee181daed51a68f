"""One flight over one scene, ready to be rendered window by window."""

from dataclasses import dataclass, replace

import numpy as np

from survey.simulation.camera.atlas import Atlas, atlas_of
from survey.simulation.flights import AreaPlan, FlightPlan
from survey.simulation.painting.moment import Moment, moment_of
from survey.simulation.painting.texture import hash_line, mix_seed
from survey.simulation.scene import Scene

__all__ = ["View", "view_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """One flight over one scene; made by `view_of` and kept for all its windows."""

    plan: AreaPlan
    """The area."""
    flight: FlightPlan
    """One of the plan's flights."""
    moment: Moment
    """What painters need to know of the flight."""
    atlas: Atlas
    """What is there."""
    matched: Atlas
    """What the surface model shows: without the crowns that matching saw through."""


def view_of(plan: AreaPlan, scene: Scene, flight: FlightPlan) -> View:
    """Get a flight over a scene ready to be rendered.

    Parameters
    ----------
    plan
        The area.
    scene
        What is there, as from `scene_of`.
    flight
        One of the plan's flights.

    Returns
    -------
    View
        To be given to `render_image`, `render_surface` and `render_truth`.
    """
    atlas = atlas_of(scene)
    matched = atlas
    if flight.surface.trees_missing > 0.0 and scene.trees:
        seeds = np.array([tree.seed for tree in scene.trees])
        found = hash_line(seeds, mix_seed(flight.seed, 45)) >= flight.surface.trees_missing
        kept = tuple(tree for tree, stays in zip(scene.trees, found, strict=True) if stays)
        matched = atlas_of(replace(scene, trees=kept))
    moment = moment_of(flight)
    return View(plan=plan, flight=flight, moment=moment, atlas=atlas, matched=matched)
