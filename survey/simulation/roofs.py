"""Buildings seen from above: form of the roof, its covering, and what stands on it."""

import math

import numpy as np
import numpy.typing as npt

from survey.simulation.canvas import Box, Canvas, cover_edge
from survey.simulation.palette import linear
from survey.simulation.scene import Fixture, Part, Place
from survey.simulation.sun import Sun
from survey.simulation.texture import blend_noise, hash_lattice, mix_seed, smooth_noise, smooth_step

__all__ = ["paint_part"]

Floats = npt.NDArray[np.float64]

_PARAPET_M = 0.7
_PARAPET_WIDTH_M = 0.22
_TILE_M = 0.32
_RIB_M = 0.75  # trapezoid ribs of coloured-steel sheet, every third one visible at 8 cm
_SHEET_M = 6.0
_MOST_WEATHERED = 0.45  # share of its colour that the oldest roof has lost
_SLAB_M = 0.5  # side of heat-insulation slabs on flat roofs


def _sun_in(place: Place, sun: Sun) -> tuple[float, float]:
    """Give the components of the vector to the sun along u and v of a place."""
    bearing = math.radians(place.bearing_deg)
    sin, cos = math.sin(bearing), math.cos(bearing)
    return sun.east * sin + sun.north * cos, sun.east * cos - sun.north * sin


def _form(part: Part, u: Floats, v: Floats) -> tuple[Floats, Floats, Floats]:
    """Give the height above eaves or slab and its slopes along u and v."""
    half_u, half_v = part.length_m / 2, part.width_m / 2
    still = np.zeros_like(u)
    if part.roof == "flat":
        return still, still, still
    if part.roof == "mono":
        slope = part.rise_m / part.width_m
        return slope * (v + half_v), still, still + slope
    slope = part.rise_m / min(half_v, half_u) if part.roof == "hip" else part.rise_m / half_v
    side = half_v - np.abs(v)
    fall = -np.sign(v) * slope
    if part.roof == "gable":
        return slope * side, still, fall
    end = half_u - np.abs(u)
    hipped = end < side
    rise = slope * np.minimum(end, side)
    return rise, np.where(hipped, -np.sign(u) * slope, 0.0), np.where(hipped, 0.0, fall)


def _flat_skin(part: Part, box: Box, u: Floats, v: Floats) -> Floats:
    x, y = box.lattice.x, box.lattice.y
    stain = blend_noise(x, y, (3.5, 1.1, 0.35), mix_seed(part.seed, 1))
    dirt = smooth_step(blend_noise(x, y, (2.6, 0.8), mix_seed(part.seed, 2)), 0.52, 0.75)
    shade = (0.72 + 0.42 * stain) * (1.0 - 0.35 * dirt)
    if part.skin == "terracotta":
        gap = np.minimum(np.abs((u / _SLAB_M) % 1.0 - 0.5), np.abs((v / _SLAB_M) % 1.0 - 0.5))
        shade = shade * (0.86 + 0.14 * smooth_step(gap * _SLAB_M, 0.0, 0.06))
    return linear(part.skin) * shade


def _tile_skin(part: Part, box: Box, u: Floats, v: Floats) -> Floats:
    x, y = box.lattice.x, box.lattice.y
    course = (np.abs(v) / _TILE_M) % 1.0
    column = np.abs((u / _TILE_M) % 1.0 - 0.5)
    each = _per_cell(u, v, part.seed)
    stain = blend_noise(x, y, (2.5, 0.7), mix_seed(part.seed, 3))
    shade = (
        (0.72 + 0.3 * stain) * (0.9 + 0.18 * each) * (0.86 + 0.2 * course) * (0.92 + 0.16 * column)
    )
    ridge = cover_edge(0.14 - np.abs(v), box.lattice.pixel_m)
    return linear(part.skin) * (shade + 0.18 * ridge)


def _per_cell(u: Floats, v: Floats, seed: int) -> Floats:
    """Give every tile a value of its own."""
    columns = np.floor(u / _TILE_M).astype(np.int64)
    rows = np.floor(v / _TILE_M).astype(np.int64)
    west, north = int(columns.min()), int(rows.min())
    table = hash_lattice(
        np.arange(west, int(columns.max()) + 1), np.arange(north, int(rows.max()) + 1), seed
    )
    return np.asarray(table[rows - north, columns - west], dtype=np.float64)


def _sheet_skin(part: Part, box: Box, u: Floats, v: Floats) -> Floats:
    x, y = box.lattice.x, box.lattice.y
    rib = 0.5 + 0.5 * np.cos(2.0 * math.pi * u / _RIB_M)
    lap = cover_edge(0.05 - np.abs((v + part.width_m / 2) % _SHEET_M - 0.05), box.lattice.pixel_m)
    fade = blend_noise(x, y, (7.0, 2.0), mix_seed(part.seed, 4))
    column = np.floor(u / (2.0 * _RIB_M)).astype(np.int64)
    first = int(column.min())
    sheets = hash_lattice(np.arange(first, int(column.max()) + 1), np.array([0]), part.seed)[0]
    shade = (0.74 + 0.3 * fade) * (0.88 + 0.16 * rib) * (0.94 + 0.12 * sheets[column - first])
    colour = linear(part.skin) * (shade * (1.0 - 0.25 * lap))
    worn = 0.62 if part.seed % 3 else 0.5
    rust = smooth_step(
        blend_noise(x, y, (3.0, 0.8, 0.25), mix_seed(part.seed, 5)), worn, worn + 0.2
    )
    colour += (linear("rust") * (0.7 + 0.4 * fade) - colour) * (0.6 * rust)
    return _add_skylights(part, colour, u, v)


def _add_skylights(part: Part, colour: Floats, u: Floats, v: Floats) -> Floats:
    """Set translucent strips into halls; small sheds have none."""
    if part.length_m * part.width_m < 120.0:  # about where daylight gets scarce
        return colour
    strip = (np.abs(u % 6.0 - 3.0) < 0.4) & (
        np.abs(np.abs(v) - part.width_m / 4) < part.width_m / 8
    )
    return np.where(strip, linear("steel_white") * 0.8, colour)


def _skin(part: Part, box: Box, u: Floats, v: Floats) -> Floats:
    skin = _sheet_skin
    if part.roof == "flat":
        skin = _flat_skin
    elif part.skin.startswith("tile"):
        skin = _tile_skin
    colour = skin(part, box, u, v)
    weathered = _MOST_WEATHERED * (part.seed % 101) / 100.0
    return np.asarray(colour + (colour.mean(axis=0) - colour) * weathered, dtype=np.float64)


def paint_part(canvas: Canvas, part: Part, ground_m: float, sun: Sun) -> None:
    """Paint one volume of a structure.

    Parameters
    ----------
    canvas
        What to paint on.
    part
        The volume.
    ground_m
        Height of the ground at the centre of its structure, metres.
    sun
        Direction to the sun.
    """
    box = canvas.box(part.place, part.length_m / 2 + 0.3, part.width_m / 2 + 0.3)
    if box is None:
        return
    u, v = box.frame()
    pixel = box.lattice.pixel_m
    inside = np.minimum(part.length_m / 2 - np.abs(u), part.width_m / 2 - np.abs(v))
    rise, along, across = _form(part, u, v)
    sun_u, sun_v = _sun_in(part.place, sun)
    facing = (sun.up - along * sun_u - across * sun_v) / np.sqrt(1.0 + along**2 + across**2)
    top = ground_m + part.height_m + rise
    box.lay(cover_edge(inside, pixel), top, _skin(part, box, u, v), np.maximum(facing, 0.0))
    if part.roof == "flat" and part.base_m == 0.0:
        _paint_parapet(box, part, inside, ground_m, sun)
    for fixture in part.fixtures:
        _paint_fixture(canvas, part, fixture, ground_m, sun)


def _paint_parapet(box: Box, part: Part, inside: Floats, ground_m: float, sun: Sun) -> None:
    pixel = box.lattice.pixel_m
    rim = cover_edge(inside, pixel) * cover_edge(_PARAPET_WIDTH_M - inside, pixel)
    top = np.full_like(inside, ground_m + part.height_m + _PARAPET_M)
    worn = smooth_noise(box.lattice.x, box.lattice.y, 0.8, mix_seed(part.seed, 6))
    box.lay(rim, top, linear("concrete") * (0.85 + 0.4 * worn), sun.up)


def _paint_fixture(canvas: Canvas, part: Part, fixture: Fixture, ground_m: float, sun: Sun) -> None:
    place = part.place.move(fixture.u, fixture.v)
    box = canvas.box(place, fixture.size_m, fixture.size_m)
    if box is None:
        return
    u, v = box.frame()
    half, pixel = fixture.size_m / 2, box.lattice.pixel_m
    top = np.full_like(u, ground_m + part.height_m + fixture.height_m)
    if fixture.kind == "tank":
        inside = half - np.hypot(u, v)
        dome = 0.6 + 0.5 * np.clip(1.0 - np.abs(v) / half, 0.0, 1.0)
        box.lay(cover_edge(inside, pixel), top, linear("silver") * dome, sun.up)
        return
    inside = half - np.maximum(np.abs(u), np.abs(v))
    if fixture.kind == "solar":
        bars = 0.7 + 0.6 * (np.abs(u % 0.5 - 0.25) < 0.05)  # frames of 0.1 m
        box.lay(cover_edge(inside, pixel), top, linear("black") * bars, sun.up)
        return
    name = "concrete" if fixture.kind == "stairwell" else "white"
    worn = smooth_noise(box.lattice.x, box.lattice.y, 0.7, mix_seed(part.seed, 7))
    box.lay(cover_edge(inside, pixel), top, linear(name) * (0.75 + 0.3 * worn), sun.up)
