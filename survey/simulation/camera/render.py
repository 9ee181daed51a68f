"""A scene at one moment turned into light and heights on a window of the ground."""

import math
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from survey.simulation.camera.atlas import Atlas, bounds_of
from survey.simulation.camera.mass import Mass, highest_near, raise_mass, spread
from survey.simulation.painting.canvas import Canvas, Lattice
from survey.simulation.painting.crowns import paint_tree
from survey.simulation.painting.ground import paint_ground
from survey.simulation.painting.moment import Moment
from survey.simulation.painting.patches import paint_patch
from survey.simulation.painting.props import paint_prop
from survey.simulation.painting.roads import paint_road, paint_verge
from survey.simulation.painting.roofs import paint_part
from survey.simulation.painting.texture import fractal, mix_seed
from survey.simulation.sun import Sun, shade_below, shadow_reach, sight_line

__all__ = ["Lit", "light_window", "paint_window"]

Singles = npt.NDArray[np.float32]

_SUN_TINT = (1.05, 1.0, 0.91)
_SKY_TINT = (0.88, 0.98, 1.2)
_HALO_PX = 6  # the passes of `sight_line` round to whole pixels, half a pixel each
# Shadows of what stands nearer than this are cast from the painted surface, those from further
# away from plain volumes on a coarser lattice: after 8 m the half shadow of a sun half a degree
# wide is as broad as that lattice's errors.
_NEAR_M = 8.0
_NEAR_PX = 96
_LONGEST_SHADOW_M = 150.0
_THIN_M = 0.6
_LEAST_KERNEL = 3
_PENUMBRA_M = 0.06  # standard deviation of the half shadow of a thing 6 m away
_STAIN = (12.0, 1.5, 0.8)  # wavelengths in metres and slope of the wandering of hues
_STAIN_SHARE = 0.05
# How far around a place, and how much, walls and crowns hide the sky.
_SKY = ((3.0, 0.30), (7.0, 0.34))
_SKY_RISE = 1.8  # height over distance at which a surrounding counts in full


@dataclass(frozen=True, slots=True, kw_only=True)
class Lit:
    """A window of the scene as light and heights, every pixel at its true place."""

    canvas: Canvas
    """What was painted."""
    ground: Singles
    """Height of the bare ground, metres, shape (rows, columns)."""
    shade: Singles
    """Share of direct sun lost in shadows, shape (rows, columns)."""
    sky: Singles
    """Share of the sky that a place sees, shape (rows, columns)."""
    image: Singles
    """Light, shape (3, rows, columns); 1 is full scale at exposure 1."""
    diffuse: float
    """Skylight on open level ground."""
    sunny: float
    """Sunlight on a surface that faces the sun."""


def paint_window(atlas: Atlas, moment: Moment, lattice: Lattice) -> Canvas:
    """Paint everything a flight sees in a window, without light.

    Parameters
    ----------
    atlas
        The area.
    moment
        Flight, season and sun.
    lattice
        The window.

    Returns
    -------
    Canvas
        The same values in whatever window a pixel is painted.
    """
    canvas = Canvas.blank(lattice)
    paint_ground(canvas, moment, atlas.scene)
    bounds = bounds_of(lattice)
    patches = [patch for patch in atlas.patches(bounds) if patch.span.holds(moment.flight)]
    roads = atlas.roads(bounds)
    for patch in patches:
        if not patch.over_roads:
            paint_patch(canvas, patch, moment)
    for road in roads:
        paint_verge(canvas, road, moment)
    for road in roads:
        paint_road(canvas, road, moment)
    for patch in patches:
        if patch.over_roads:
            paint_patch(canvas, patch, moment)
    _paint_standing(atlas, moment, canvas)
    _stain(canvas, atlas.scene.seed)
    return canvas


def _stain(canvas: Canvas, seed: int) -> None:
    """Let hues wander over everything: nothing outdoors has one pigment."""
    warm = fractal(canvas.lattice, mix_seed(seed, 95), *_STAIN)
    warm *= np.float32(_STAIN_SHARE)
    canvas.albedo[0] *= np.float32(1.0) + warm
    canvas.albedo[2] *= np.float32(1.0) - np.float32(1.3) * warm
    green = fractal(canvas.lattice, mix_seed(seed, 96), *_STAIN)
    canvas.albedo[1] *= np.float32(1.0) + np.float32(0.6 * _STAIN_SHARE) * green


def _paint_standing(atlas: Atlas, moment: Moment, canvas: Canvas) -> None:
    """Paint all that stands on the ground and comes near the canvas."""
    bounds, flight = bounds_of(canvas.lattice), moment.flight
    for prop, level_m in atlas.props(bounds):
        if prop.span.holds(flight):
            paint_prop(canvas, prop, level_m, moment)
    for structure, level_m in atlas.structures(bounds):
        for part in structure.parts_at(flight):
            paint_part(canvas, part, structure.number, level_m, moment)
    for tree, level_m in atlas.trees(bounds):
        if tree.span.holds(flight):
            paint_tree(canvas, tree, level_m, moment)


def _widen(lattice: Lattice, sun: Sun, reach_m: float) -> tuple[Lattice, int, int]:
    """Reach as far towards the sun as shadows come from; give the margins north and west."""
    reach = reach_m / lattice.pixel_m
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


def light_window(atlas: Atlas, moment: Moment, lattice: Lattice, diffuse: float) -> Lit:
    """Render the light that leaves the ground of a window.

    Parameters
    ----------
    atlas
        The area.
    moment
        Flight, season and sun.
    lattice
        The window.
    diffuse
        Share of skylight, 0 to 1.

    Returns
    -------
    Lit
        Light and what it was made from, on `lattice`.
    """
    highest_m = highest_near(atlas, moment.flight, bounds_of(lattice).grown(_LONGEST_SHADOW_M))
    reach_m = min(shadow_reach(moment.sun, highest_m), _LONGEST_SHADOW_M)
    near_m = min(reach_m, max(_NEAR_M, _NEAR_PX * lattice.pixel_m))
    wide, top, left = _widen(lattice, moment.sun, near_m)
    canvas = paint_window(atlas, moment, wide)
    line = sight_line(_obstacles(canvas), wide.pixel_m, moment.sun, near_m)
    cut = (slice(top, top + lattice.rows), slice(left, left + lattice.columns))
    inner, line = canvas.crop(lattice), line[cut]
    mass = raise_mass(atlas, moment, lattice, reach_m if reach_m > near_m else 0.0)
    if reach_m > near_m:
        np.maximum(line, _far_line(mass, moment.sun, (near_m, reach_m), lattice), out=line)
    shade = _soften(shade_below(line, inner.height), lattice.pixel_m)
    ground = spread(mass.ground, mass.lattice, lattice)
    sky = _open_sky(mass, inner.height, lattice)
    sunny = np.float32((1.0 - diffuse) / max(moment.sun.up, 0.3))
    direct = (np.float32(1.0) - shade) * inner.facing * sunny
    image = np.empty_like(inner.albedo)
    for band, (sun_tint, sky_tint) in enumerate(zip(_SUN_TINT, _SKY_TINT, strict=True)):
        np.multiply(sky, np.float32(diffuse * sky_tint), out=image[band])
        image[band] += direct * np.float32(sun_tint)
        image[band] *= inner.albedo[band]
    return Lit(
        canvas=inner,
        ground=ground,
        shade=shade,
        sky=sky,
        image=image,
        diffuse=diffuse,
        sunny=float(sunny),
    )


def _obstacles(canvas: Canvas) -> Singles:
    """Give what casts shadows: single leaves and stalks are too thin to do so."""
    size = 2 * round(_THIN_M / 2.0 / canvas.lattice.pixel_m) + 1
    if size < _LEAST_KERNEL:
        return canvas.height
    soft = cv2.blur(canvas.height, (size, size), borderType=cv2.BORDER_REPLICATE)
    return np.where(canvas.owner == 0, np.minimum(soft, canvas.height), canvas.height)


def _soften(shade: Singles, pixel_m: float) -> Singles:
    """Blur the rim of shadows by the width of the sun, as far as pixels show it."""
    sigma_px = _PENUMBRA_M / pixel_m
    if sigma_px < 0.3:  # narrower than a pixel
        return shade
    size = 2 * round(2.5 * sigma_px) + 1
    soft = cv2.GaussianBlur(shade, (size, size), sigma_px, borderType=cv2.BORDER_REPLICATE)
    return np.asarray(soft, dtype=np.float32)


def _far_line(mass: Mass, sun: Sun, reach_m: tuple[float, float], lattice: Lattice) -> Singles:
    """Give the sight line of what stands between two distances towards the sun."""
    near_m, far_m = reach_m
    line = sight_line(mass.height, mass.lattice.pixel_m, sun, far_m)
    azimuth = math.radians(sun.azimuth_deg)
    shift = (near_m * math.sin(azimuth), near_m * math.cos(azimuth))
    drop = near_m * math.tan(math.radians(sun.elevation_deg))
    return spread(line, mass.lattice, lattice, shift) - np.float32(drop)


def _open_sky(mass: Mass, height: Singles, lattice: Lattice) -> Singles:
    """Give the share of the sky that a place sees, 0 to 1."""
    sky = np.ones_like(height)
    for radius_m, weight in _SKY:
        cells = 2 * max(1, round(radius_m / mass.lattice.pixel_m)) + 1
        around = cv2.blur(mass.height, (cells, cells), borderType=cv2.BORDER_REPLICATE)
        rise = spread(np.asarray(around, dtype=np.float32), mass.lattice, lattice)
        rise -= height
        rise *= np.float32(1.0 / (_SKY_RISE * radius_m))
        sky -= np.clip(rise, 0.0, 1.0, out=rise) * np.float32(weight)
    return sky
