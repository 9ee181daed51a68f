"""A scene at one moment turned into light and heights on a window of the ground."""

import math

import numpy as np
import numpy.typing as npt

from survey.simulation.canvas import Canvas, Lattice
from survey.simulation.crowns import paint_tree
from survey.simulation.flights import Light
from survey.simulation.ground import (
    ground_level,
    paint_ground,
    paint_patch,
    paint_road,
    paint_verge,
)
from survey.simulation.moment import Moment
from survey.simulation.props import paint_prop
from survey.simulation.roofs import paint_part
from survey.simulation.scene import Place, Scene
from survey.simulation.sun import Sun, cast_shadows, shadow_reach

__all__ = ["light_window", "paint_window", "relief_of"]

Singles = npt.NDArray[np.float32]

_SUN_TINT = (1.06, 1.0, 0.90)
_SKY_TINT = (0.90, 0.98, 1.16)
_HALO_PX = 6  # the passes of `cast_shadows` round to whole pixels, half a pixel each
_OVER_ROOF_M = 6.0  # a stairwell on a roof, and the whole relief of the ground


def relief_of(scene: Scene, flight: int) -> float:
    """Give the largest height of anything above the ground around it at a flight, metres."""
    roofs = [item.height_at(flight) for item in scene.structures]
    return max((*roofs, *(tree.height_m for tree in scene.trees), 4.0)) + _OVER_ROOF_M


def paint_window(scene: Scene, moment: Moment, lattice: Lattice) -> Canvas:
    """Paint everything a flight sees in a window, without light.

    Parameters
    ----------
    scene
        The area.
    moment
        Flight, season and sun.
    lattice
        The window.

    Returns
    -------
    Canvas
        Heights, reflectance and facing; the same values in whatever window a pixel is painted.
    """
    shape = (lattice.rows, lattice.columns)
    canvas = Canvas(
        lattice=lattice,
        height=np.zeros(shape, dtype=np.float32),
        albedo=np.zeros((3, *shape), dtype=np.float32),
        facing=np.zeros(shape, dtype=np.float32),
    )
    paint_ground(canvas, moment, scene.seed)
    for patch in scene.patches:
        paint_patch(canvas, patch, moment)
    for road in scene.roads:
        paint_verge(canvas, road, scene.seed)
    for road in scene.roads:
        paint_road(canvas, road, scene.seed)
    _paint_standing(scene, moment, canvas)
    return canvas


def _paint_standing(scene: Scene, moment: Moment, canvas: Canvas) -> None:
    """Paint all that stands on the ground and comes near the canvas."""

    def shows(place: Place, reach_m: float) -> bool:
        return canvas.lattice.cut(place, reach_m, reach_m) is not None

    for prop in scene.props:
        if moment.flight in prop.flights and shows(prop.place, prop.length_m):
            paint_prop(canvas, prop, ground_level(prop.place, scene.seed), moment)
    for structure in scene.structures:
        parts = structure.parts_at(moment.flight)
        near = [part for part in parts if shows(part.place, part.length_m + part.width_m)]
        ground_m = ground_level(structure.foot, scene.seed) if near else 0.0
        for part in near:
            paint_part(canvas, part, ground_m, moment.sun)
    for tree in scene.trees:
        place = Place(x=tree.x, y=tree.y)
        stands = tree.felled is None or moment.flight < tree.felled
        if stands and shows(place, 2.0 * tree.radius_m):
            paint_tree(canvas, tree, ground_level(place, scene.seed), moment)


def _widen(lattice: Lattice, sun: Sun, relief_m: float) -> tuple[Lattice, int, int]:
    """Reach as far towards the sun as shadows come from; give the margins north and west."""
    reach = shadow_reach(sun, relief_m) / lattice.pixel_m
    azimuth = math.radians(sun.azimuth_deg)
    east, north = round(reach * math.sin(azimuth)), round(reach * math.cos(azimuth))
    top, left = max(north, 0) + _HALO_PX, max(-east, 0) + _HALO_PX
    wide = Lattice(
        pixel_m=lattice.pixel_m,
        column=lattice.column - left,
        row=lattice.row - top,
        columns=lattice.columns + left + max(east, 0) + _HALO_PX,
        rows=lattice.rows + top + max(-north, 0) + _HALO_PX,
    )
    return wide, top, left


def light_window(scene: Scene, moment: Moment, light: Light, lattice: Lattice) -> Singles:
    """Render the light that leaves the ground of a window.

    Parameters
    ----------
    scene
        The area.
    moment
        Flight, season and sun.
    light
        Camera and weather; only `diffuse` matters here.
    lattice
        The window.

    Returns
    -------
    numpy.ndarray
        float32, shape (3, rows, columns); 1 is full scale at exposure 1.
    """
    relief_m = relief_of(scene, moment.flight)
    wide, top, left = _widen(lattice, moment.sun, relief_m)
    canvas = paint_window(scene, moment, wide)
    shade = cast_shadows(canvas.height, wide.pixel_m, moment.sun, relief_m)
    cut = (slice(top, top + lattice.rows), slice(left, left + lattice.columns))
    sunny = np.float32((1.0 - light.diffuse) / max(moment.sun.up, 0.3))
    direct = sunny * canvas.facing[cut] * (1.0 - shade[cut])
    image = canvas.albedo[(slice(None), *cut)].copy()
    for band, (sun_tint, sky_tint) in enumerate(zip(_SUN_TINT, _SKY_TINT, strict=True)):
        skylight = np.float32(light.diffuse * sky_tint)
        image[band] *= skylight + direct * np.float32(sun_tint)
    return image
