"""Pieces of one ground cover, from paddies to repairs of a road."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from survey.simulation.painting.canvas import Box, Canvas, cover_edge
from survey.simulation.painting.fields import mulch, orchard, paddy, vegetable
from survey.simulation.painting.grain import tufts
from survey.simulation.painting.look import Look, Spot, dress, inside_of, reach_of
from survey.simulation.painting.moment import Moment
from survey.simulation.painting.natural import natural
from survey.simulation.painting.paving import concrete, gravel, pit, repair, rubble, yard
from survey.simulation.painting.strips import strips
from survey.simulation.painting.texture import mix_seed, smooth_step
from survey.simulation.painting.water import pond
from survey.simulation.scene import Patch

__all__ = ["paint_patch"]

Singles = npt.NDArray[np.float32]

_COVERS: Mapping[str, Callable[[Spot], Look]] = MappingProxyType(
    {
        "asphalt": yard,
        "concrete": concrete,
        "grass": natural,
        "gravel": gravel,
        "mulch": mulch,
        "orchard": orchard,
        "paddy": paddy,
        "pit": pit,
        "pond": pond,
        "repair": repair,
        "rubble": rubble,
        "scrub": natural,
        "soil": natural,
        "vegetable": vegetable,
    }
)
_CRISP = frozenset({"asphalt", "concrete", "pit", "pond", "repair"})
# How far the edge of any other cover runs into its neighbour's, metres.
_FRAY_M = {"mulch": 0.1, "paddy": 0.1, "vegetable": 0.15, "gravel": 0.35, "rubble": 0.2}


def paint_patch(canvas: Canvas, patch: Patch, moment: Moment) -> None:
    """Lay one patch on the ground, if the flight sees it.

    Parameters
    ----------
    canvas
        What to paint on.
    patch
        The piece of ground.
    moment
        Season, weather and sun.
    """
    if not patch.span.holds(moment.flight):
        return
    half_u_m, half_v_m = reach_of(patch)
    box = canvas.box(patch.place, half_u_m, half_v_m)
    if box is None:
        return
    for part in strips(box, half_u_m, half_v_m):
        spot = Spot(box=part, patch=patch, moment=moment, inside=inside_of(part, patch))
        dress(part, _cover(part, spot), _COVERS[patch.kind](spot), moment.sun)


def _cover(box: Box, spot: Spot) -> Singles:
    """Give the share of each pixel that a patch covers."""
    if spot.patch.kind in _CRISP:
        return cover_edge(spot.inside, box.lattice.pixel_m)
    fray_m = _FRAY_M.get(spot.patch.kind, 0.5)
    ragged = tufts(box.lattice, mix_seed(spot.patch.seed, 102))
    edge = spot.inside + np.float32(0.5 * fray_m) * np.clip(ragged, -2.0, 2.0)
    return smooth_step(edge, -0.3 * fray_m, 0.7 * fray_m)
