"""Terrain, ground covers and roads."""

import math

import numpy as np
import numpy.typing as npt

from survey.simulation.canvas import Box, Canvas, Lattice, cover_edge
from survey.simulation.moment import Moment
from survey.simulation.palette import linear
from survey.simulation.scene import Patch, Place, Road
from survey.simulation.texture import blend_noise, hash_lattice, mix_seed, smooth_noise, smooth_step

__all__ = ["ground_level", "paint_ground", "paint_patch", "paint_road", "paint_verge", "terrain_at"]

Floats = npt.NDArray[np.float64]

_LEVEL_M = 18.0
_RELIEF_M = 2.4
_RELIEF_CELL_M = 130.0
_JOINT_M = 4.5  # side of the slabs in which yards are poured
_DASH_M = 6.0  # lane marking: 2 m of line every 6 m, as on village roads
_LINE_M = 2.0

# Until which day of the year a field looks like what, and how far its rows have closed by then.
# Two crops of rice a year, as in the Pearl River delta; vegetables all year round.
_PADDY_YEAR = (
    (90, "mud", 0.1),
    (135, "young", 0.5),
    (185, "lush", 0.9),
    (205, "ripe", 1.0),
    (225, "mud", 0.1),
    (285, "lush", 0.9),
    (315, "ripe", 1.0),
    (366, "stubble", 0.7),
)
_VEGETABLE_YEAR = (
    (60, "young", 0.6),
    (120, "lush", 0.8),
    (160, "mud", 0.2),
    (230, "young", 0.7),
    (300, "lush", 0.9),
    (366, "mud", 0.3),
)


def terrain_at(x: Floats, y: Floats, seed: int) -> Floats:
    """Give the height of the bare ground on an axis-aligned grid, metres.

    Parameters
    ----------
    x
        Metres east, shape (columns,).
    y
        Metres north, shape (rows,).
    seed
        Seed of the scene.

    Returns
    -------
    numpy.ndarray
        float64, shape (rows, columns).
    """
    hills = smooth_noise(x, y, _RELIEF_CELL_M, mix_seed(seed, 11))
    return _LEVEL_M + _RELIEF_M * hills + 0.3 * smooth_noise(x, y, 37.0, mix_seed(seed, 12))


def ground_level(place: Place, seed: int) -> float:
    """Give the height of the bare ground at one place, metres."""
    return float(terrain_at(np.array([place.x]), np.array([place.y]), seed)[0, 0])


def _speckle(lattice: Lattice, seed: int) -> Floats:
    columns = np.arange(lattice.column, lattice.column + lattice.columns)
    rows = np.arange(lattice.row, lattice.row + lattice.rows)
    return hash_lattice(columns, rows, seed)


def _litter(lattice: Lattice, seed: int) -> Floats:
    """Give the factor by which stones, rags and holes lighten or darken bare ground."""
    light = smooth_noise(lattice.x, lattice.y, 0.3, mix_seed(seed, 14))
    dark = smooth_noise(lattice.x, lattice.y, 0.42, mix_seed(seed, 15))
    crowd = smooth_noise(lattice.x, lattice.y, 7.0, mix_seed(seed, 16))
    bright = 0.6 * smooth_step(light, 0.84, 0.95) - 0.4 * smooth_step(dark, 0.82, 0.95)
    return np.asarray(1.0 + bright * (0.3 + crowd), dtype=np.float64)


def paint_ground(canvas: Canvas, moment: Moment, seed: int) -> None:
    """Cover the whole canvas with terrain under grass, weeds and bare soil."""
    lattice = canvas.lattice
    x, y = lattice.x, lattice.y
    canvas.height[:] = terrain_at(x, y, seed)
    canvas.facing[:] = moment.sun.up
    wild = blend_noise(x, y, (17.0, 5.0, 1.7, 0.6), mix_seed(seed, 1))
    tufts = blend_noise(x, y, (0.9, 0.33), mix_seed(seed, 2))
    grain = _speckle(lattice, mix_seed(seed, 3))
    season = smooth_noise(x, y, 9.0, moment.seed)
    green = np.clip(moment.green + 0.5 * (season - 0.5), 0.0, 1.0)
    grown = smooth_step(wild + 0.12 * (moment.green - 0.5) + 0.15 * (tufts - 0.5), 0.40, 0.52)
    weedy = smooth_step(wild, 0.60, 0.70) * (0.4 + 0.6 * tufts)
    bright = 0.62 + 0.5 * tufts + 0.26 * grain
    bare = (0.5 + 0.5 * tufts + 0.2 * grain + 0.25 * season) * _litter(lattice, seed)
    for band in range(3):
        dry, lush = linear("grass_dry")[band, 0, 0], linear("grass_green")[band, 0, 0]
        soil, weed = linear("soil")[band, 0, 0], linear("weed")[band, 0, 0]
        grass = (dry + (lush - dry) * green) * bright
        grass += (weed * bright - grass) * weedy
        canvas.albedo[band] = grass * grown + soil * bare * (1.0 - grown)


def _crop_stage(kind: str, day: int, seed: int) -> tuple[str, float]:
    """Name the colour of a field on a day of the year, and how far its rows have closed."""
    shifted = (day + seed % 25 - 12) % 365
    calendar = _PADDY_YEAR if kind == "paddy" else _VEGETABLE_YEAR
    return next((name, closed) for end, name, closed in calendar if shifted < end)


def _field(box: Box, patch: Patch, moment: Moment) -> Floats:
    x, y = box.lattice.x, box.lattice.y
    _, v = box.frame()
    name, closed = _crop_stage(patch.kind, moment.day, patch.seed)
    spacing = 0.5 if patch.kind == "paddy" else 1.3
    rows = 0.5 + 0.5 * np.cos(2.0 * math.pi * v / spacing)
    tufts = blend_noise(x, y, (0.7, 0.25), mix_seed(patch.seed, moment.flight))
    uneven = blend_noise(x, y, (14.0, 4.0), mix_seed(patch.seed, 5))
    plant = smooth_step(rows + tufts + 0.4 * uneven, 1.5 - closed, 1.9 - closed)
    earth = linear("mud") * (0.8 + 0.3 * tufts)
    crop = linear(name) * (0.55 + 0.6 * tufts + 0.3 * (uneven - 0.5))
    return np.asarray(earth + (crop - earth) * plant, dtype=np.float64)


def _paving(box: Box, name: str, seed: int) -> Floats:
    x, y = box.lattice.x, box.lattice.y
    u, v = box.frame()
    stain = blend_noise(x, y, (6.0, 1.5, 0.4), mix_seed(seed, 6))
    offset = np.minimum(np.abs((u / _JOINT_M) % 1.0 - 0.5), np.abs((v / _JOINT_M) % 1.0 - 0.5))
    joint = smooth_step(offset * _JOINT_M, 0.0, 0.07)
    grain = _speckle(box.lattice, mix_seed(seed, 7))
    shade = (0.6 + 0.6 * stain + 0.1 * grain) * (0.8 + 0.2 * joint)
    return linear(name) * (shade * (0.5 + 0.5 * _litter(box.lattice, seed)))


def _cover(box: Box, patch: Patch, moment: Moment) -> Floats:
    x, y = box.lattice.x, box.lattice.y
    if patch.kind in ("paddy", "vegetable"):
        return _field(box, patch, moment)
    if patch.kind == "concrete":
        return _paving(box, "concrete", patch.seed)
    rough = blend_noise(x, y, (4.0, 1.1, 0.35), mix_seed(patch.seed, 8))
    grain = _speckle(box.lattice, mix_seed(patch.seed, 9))
    if patch.kind == "pond":
        return linear("water") * (0.85 + 0.3 * blend_noise(x, y, (25.0, 9.0), moment.seed))
    if patch.kind == "grass":
        green = linear("grass_dry") + (linear("grass_green") - linear("grass_dry")) * moment.green
        return green * (0.55 + 0.55 * rough + 0.3 * grain)
    if patch.kind == "rubble":
        lumps = smooth_noise(x, y, 0.3, mix_seed(patch.seed, 10))
        return linear("rubble") * (0.45 + 0.5 * lumps + 0.4 * rough)
    bare = linear("soil") + (linear("dust") - linear("soil")) * rough
    bare = bare * ((0.5 + 0.6 * rough + 0.2 * grain) * _litter(box.lattice, patch.seed))
    weeds = smooth_step(rough + 0.2 * moment.green, 0.62, 0.8)
    return bare + (linear("weed") * (0.5 + rough) - bare) * (0.8 * weeds)


def paint_patch(canvas: Canvas, patch: Patch, moment: Moment) -> None:
    """Colour one rectangle of ground; all covers but concrete have ragged edges."""
    box = canvas.box(patch.place, patch.length_m / 2 + 2.0, patch.width_m / 2 + 2.0)
    if box is None or patch.first_flight > moment.flight:
        return
    u, v = box.frame()
    inside = np.minimum(patch.length_m / 2 - np.abs(u), patch.width_m / 2 - np.abs(v))
    softness = canvas.lattice.pixel_m
    if patch.kind != "concrete":
        ragged = blend_noise(box.lattice.x, box.lattice.y, (3.0, 0.9, 0.3), mix_seed(patch.seed, 4))
        worn = 0.4 if patch.kind in ("paddy", "vegetable", "pond") else 2.4
        inside = inside + worn * (ragged - 0.5)
        softness = 0.25
    box.tint(cover_edge(inside, softness), _cover(box, patch, moment))


def _road_frame(canvas: Canvas, road: Road) -> tuple[Box, float] | None:
    """Cut the window around a road; also give its length."""
    east, north = road.end.x - road.start.x, road.end.y - road.start.y
    length = math.hypot(east, north)
    bearing = math.degrees(math.atan2(east, north))
    middle = Place(x=road.start.x + east / 2, y=road.start.y + north / 2, bearing_deg=bearing)
    box = canvas.box(middle, length / 2 + road.width_m, road.width_m + 1.0)
    return (box, length) if box else None


def paint_verge(canvas: Canvas, road: Road, seed: int) -> None:
    """Put dust along both sides of a road; comes before the paving of any road."""
    found = _road_frame(canvas, road)
    if found is None:
        return
    box, length = found
    u, v = box.frame()
    ragged = blend_noise(box.lattice.x, box.lattice.y, (2.5, 0.7, 0.25), mix_seed(seed, 21))
    inside = road.width_m / 2 - np.hypot(v, np.maximum(np.abs(u) - length / 2, 0.0))
    cover = np.clip((inside + 1.5 * ragged) / 0.3, 0.0, 1.0)
    box.tint(cover * 0.8, linear("dust") * (0.7 + 0.5 * ragged))


def paint_road(canvas: Canvas, road: Road, seed: int) -> None:
    """Pave a straight run of road and, on asphalt, mark its middle and edges."""
    found = _road_frame(canvas, road)
    if found is None:
        return
    box, length = found
    x, y, pixel = box.lattice.x, box.lattice.y, box.lattice.pixel_m
    u, v = box.frame()
    beyond = np.maximum(np.abs(u) - length / 2, 0.0)
    inside = road.width_m / 2 - np.hypot(v, beyond)
    ragged = blend_noise(x, y, (2.5, 0.7, 0.25), mix_seed(seed, 21))
    wear = blend_noise(x, y, (8.0, 2.0, 0.5), mix_seed(seed, 22))
    track = 0.06 * np.cos(2.0 * math.pi * v / (road.width_m / 4.0))
    grain = _speckle(box.lattice, mix_seed(seed, 23))
    paving = linear(road.surface) * (0.72 + 0.4 * wear + track + 0.12 * grain)
    box.tint(cover_edge(inside + 0.25 * (ragged - 0.5), pixel), paving)
    if road.surface == "asphalt":
        dash = np.minimum(0.06 - np.abs(v), _LINE_M / 2 - np.abs(u % _DASH_M - _DASH_M / 2))
        edge = 0.05 - np.abs(np.abs(v) - road.width_m / 2 + 0.35)
        line = np.maximum(cover_edge(dash, pixel), cover_edge(edge, pixel)) * (beyond == 0.0)
        box.tint(line * smooth_step(wear, 0.3, 0.5), linear("marking"))
