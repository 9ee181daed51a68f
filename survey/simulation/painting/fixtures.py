"""What stands on roofs: tanks, stairwells, panels, washing, plants and odds and ends."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from survey.simulation.painting.canvas import Canvas, Lattice, Surface, cover_edge
from survey.simulation.painting.coats import FINE, MIDDLE
from survey.simulation.painting.forms import roof_top, sun_in
from survey.simulation.painting.moment import Moment
from survey.simulation.painting.palette import linear
from survey.simulation.painting.pieces import (
    between,
    blend,
    colour_of,
    dice,
    draw,
    index,
    line,
    pick,
    resolved,
    to_multiple,
)
from survey.simulation.painting.texture import fractal, mix_seed, smooth_step
from survey.simulation.scene import Fixture, Part

__all__ = ["paint_fixture"]

Singles = npt.NDArray[np.float32]
Vector = tuple[float, float, float]
Slopes = npt.NDArray[np.floating[Any]] | float

_CELL = colour_of((30, 38, 62))
_FRAME = colour_of((150, 154, 158))
_LID = colour_of((34, 34, 36))
_DIRT = colour_of((96, 90, 80))
_GREENS = ((66, 96, 44), (48, 76, 40), (98, 114, 58), (112, 92, 66))
_CLOTHES = ((196, 192, 186), (150, 54, 60), (58, 82, 134), (190, 150, 70), (70, 72, 78),
            (176, 112, 132), (82, 128, 120))  # fmt: skip
_ODDS = ((52, 50, 48), (168, 160, 148), (122, 82, 60), (96, 98, 100), (146, 126, 96),
         (62, 86, 118), (110, 104, 96), (184, 178, 170))  # fmt: skip
_STAIR_ROOFS = (
    "concrete", "concrete_dark", "concrete", "concrete_new", "steel_grey", "steel_old",
    "terracotta", "concrete", "steel_blue",
)  # fmt: skip
_PANEL_M = (1.0, 1.65)
_TILT = 0.2  # slope of panels on a flat roof: little, against wind


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sight:
    """A fixture on the pixels of its box."""

    fixture: Fixture
    lattice: Lattice
    u: Singles
    v: Singles
    towards: Vector
    flight_seed: int

    @property
    def pixel_m(self) -> float:
        """Pixel, metres."""
        return self.lattice.pixel_m

    @property
    def inside(self) -> Singles:
        """Metres inside the rectangle, negative outside."""
        inside = np.float32(self.fixture.length_m / 2) - np.abs(self.u)
        side = np.float32(self.fixture.width_m / 2) - np.abs(self.v)
        return np.minimum(inside, side, out=inside)

    def noise(self, step: int, band: tuple[float, float, float]) -> Singles:
        """Give one field of noise of this fixture."""
        return fractal(self.lattice, mix_seed(self.fixture.seed, step), *band)

    def tinted(self, name: str, tone: Singles | float = 1.0) -> Singles:
        """Give a colour, lighter or darker from one fixture to the next, times a tone."""
        own = between(self.fixture.seed, 1, 0.75, 1.1)
        shades = np.full_like(self.u, own) if isinstance(tone, float) else tone * np.float32(own)
        return np.asarray(linear(name).astype(np.float32) * shades, dtype=np.float32)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Look:
    """What a fixture shows: cover, height above its foot, colours, light."""

    cover: Singles
    rise: Singles | float
    albedo: Singles
    facing: Singles | float
    mirror: float = 0.0


def _face(towards: Vector, along: Slopes, across: Slopes) -> Singles:
    """Give the cosine to the sun of slopes along u and v."""
    steep = np.asarray(along * along + across * across + np.float32(1.0), dtype=np.float32)
    cosine = np.float32(towards[2]) - along * np.float32(towards[0])
    cosine = cosine - across * np.float32(towards[1])
    return np.asarray(np.maximum(cosine / np.sqrt(steep), np.float32(0.0)), dtype=np.float32)


def _tank(sight: _Sight) -> _Look:
    """Show an upright tank with a domed lid, or a long one lying down."""
    item, pixel = sight.fixture, sight.pixel_m
    half = item.width_m / 2
    tint = linear(item.tint).astype(np.float32) * np.float32(between(item.seed, 1, 0.75, 1.15))
    if item.length_m > 1.3 * item.width_m:
        across = sight.v * np.float32(1.0 / half)
        drop = np.clip(np.float32(1.0) - across * across, 0.02, 1.0)
        facing = _face(sight.towards, 0.0, -across / np.sqrt(drop))
        rise = np.sqrt(drop) * np.float32(half) + np.float32(item.height_m - half)
        return _Look(
            cover=cover_edge(sight.inside, pixel),
            rise=rise,
            albedo=tint * np.ones_like(rise),
            facing=facing,
        )
    away = np.sqrt(sight.u * sight.u + sight.v * sight.v)
    share = away * np.float32(1.0 / half)
    dome = share * share
    slope = np.float32(-0.9) * share * dome / np.maximum(away, np.float32(0.05))
    facing = _face(sight.towards, slope * sight.u, slope * sight.v)
    albedo = tint * (
        np.float32(1.0) - np.float32(0.25) * line(np.abs(share - np.float32(0.72)), 0.1, 0.1)
    )
    lid = smooth_step(share, 0.36, 0.26)
    blend(albedo, _LID if draw(item.seed, 2) < 0.5 else tint * np.float32(1.3), lid)
    # The cylinder mirrors the sky along a band towards the sun.
    toward = sight.u * np.float32(sight.towards[0]) + sight.v * np.float32(sight.towards[1])
    spark = smooth_step(toward * np.float32(1.0 / half), 0.25, 0.6) * (np.float32(1.0) - lid)
    blend(albedo, tint * np.float32(0.6) + np.float32(0.35), spark * np.float32(0.6))
    rise = np.float32(item.height_m) - dome * np.float32(0.2 * half)
    return _Look(
        cover=cover_edge(np.float32(half) - away, pixel), rise=rise, albedo=albedo, facing=facing
    )


def _stairwell(sight: _Sight) -> _Look:
    """Show the roof over a stair: a slab with a rim, stained, or a sheet."""
    item, pixel = sight.fixture, sight.pixel_m
    middle, fine = sight.noise(2, MIDDLE), sight.noise(3, FINE)
    inside = sight.inside
    inside += fine * np.float32(0.025)
    tone = np.float32(1.0) + middle * np.float32(0.13) + fine * np.float32(0.08)
    name = _STAIR_ROOFS[int(len(_STAIR_ROOFS) * draw(item.seed, 2))]
    albedo = sight.tinted(name, np.maximum(tone, np.float32(0.2)))
    foot = np.clip(np.float32(1.0) - inside * np.float32(1.4), 0.0, 1.0)
    blend(albedo, _DIRT, foot * np.clip(np.float32(0.5) + middle * np.float32(0.4), 0.0, 0.9))
    rim = cover_edge(np.float32(0.16) - inside, pixel)
    blend(albedo, linear("concrete").astype(np.float32) * np.float32(1.2), rim * np.float32(0.75))
    rise = np.float32(item.height_m) + rim * np.float32(between(item.seed, 3, 0.0, 0.35))
    return _Look(cover=cover_edge(inside, pixel), rise=rise, albedo=albedo, facing=sight.towards[2])


def _solar(sight: _Sight) -> _Look:
    """Show panels with their frames; a heater carries its tank along the upper edge."""
    item, pixel = sight.fixture, sight.pixel_m
    heater = item.length_m <= 2.4 and item.width_m <= 2.4
    cells_u, cells_v = (0.1, 9.0) if heater else _PANEL_M
    edge_u = np.abs(sight.u) - np.float32(item.length_m / 2)
    grid = line(to_multiple(sight.u, cells_u, item.length_m / 2), 0.045, pixel)
    np.maximum(grid, line(to_multiple(sight.v, cells_v, item.width_m / 2), 0.045, pixel), out=grid)
    grid *= np.float32(0.25 if heater else 0.9)
    np.maximum(grid, line(np.abs(edge_u), 0.08, pixel), out=grid)
    each = dice(
        index(sight.u, cells_u, item.length_m / 2),
        index(sight.v, cells_v, item.width_m / 2),
        item.seed,
    )
    bus = resolved(0.16, pixel) * 0.15 * np.cos(sight.u * np.float32(2.0 * np.pi / 0.16))
    tone = (np.float32(0.85) + np.float32(0.3) * each + bus).astype(np.float32)
    albedo = _CELL * np.float32(between(item.seed, 1, 0.7, 1.6)) * tone
    slope = 0.45 if heater else _TILT
    sky = draw(mix_seed(sight.flight_seed, item.seed), 2)
    half = np.array([0.0, sight.towards[1], sight.towards[2] + 1.0])
    near = float(np.clip((half[2] - slope * half[1]) / np.sqrt(1 + slope**2) / 2.0, 0.0, 1.0))
    albedo += colour_of((120, 140, 170)) * np.float32(0.05 * sky + 0.5 * sky * near**60)
    blend(albedo, _FRAME, grid)
    rise = np.float32(item.height_m) * (np.float32(0.5) + sight.v / np.float32(item.width_m))
    if heater:
        blend(
            albedo,
            linear("silver").astype(np.float32) * np.float32(1.15),
            cover_edge(sight.v - np.float32(item.width_m / 2 - 0.42), pixel),
        )
    return _Look(
        cover=cover_edge(sight.inside, pixel),
        rise=np.maximum(rise, np.float32(0.12)),
        albedo=albedo,
        facing=_face(sight.towards, 0.0, slope),
        mirror=0.5,
    )


def _unit(sight: _Sight) -> _Look:
    """Show an air conditioner or a plant: a box with the dark discs of its fans."""
    item, pixel = sight.fixture, sight.pixel_m
    fine, inside = sight.noise(3, FINE), sight.inside
    side = min(item.length_m, item.width_m)
    step = item.length_m / max(1, round(item.length_m / side))
    du = to_multiple(sight.u, step, 0.0 if round(item.length_m / side) % 2 else step / 2)
    away = np.sqrt(du * du + sight.v * sight.v)
    albedo = sight.tinted(item.tint, np.float32(0.9) + fine * np.float32(0.07))
    fan = cover_edge(np.float32(0.38 * side) - away, pixel)
    blend(albedo, _LID * np.float32(2.0), fan * np.float32(0.75))
    blend(albedo, _FRAME, cover_edge(np.float32(0.09 * side) - away, pixel) * np.float32(0.6))
    blend(albedo, _DIRT, cover_edge(np.float32(0.08) - inside, pixel) * np.float32(0.5))
    return _Look(
        cover=cover_edge(inside, pixel), rise=item.height_m, albedo=albedo, facing=sight.towards[2]
    )


def _vent(sight: _Sight) -> _Look:
    """Show a turning ventilator, or a chimney of bricks."""
    item, pixel = sight.fixture, sight.pixel_m
    away = np.sqrt(sight.u * sight.u + sight.v * sight.v)
    half = item.length_m / 2
    if draw(item.seed, 2) < 0.3:
        albedo = sight.tinted("brick", 1.0)
        blend(albedo, _LID, cover_edge(np.float32(0.45 * half) - away, pixel))
        return _Look(
            cover=cover_edge(sight.inside, pixel),
            rise=item.height_m,
            albedo=albedo,
            facing=sight.towards[2],
        )
    slope = np.float32(-0.8 / half) * np.minimum(away / np.float32(half), np.float32(1.0))
    facing = _face(sight.towards, slope * sight.u, slope * sight.v)
    albedo = sight.tinted("silver", np.float32(1.3) - away * np.float32(0.5 / half))
    ring = line(np.abs(away - np.float32(0.6 * half)), 0.08, pixel)
    blend(albedo, _LID, ring * np.float32(0.6))
    rise = np.float32(item.height_m) - away * np.float32(0.4)
    return _Look(
        cover=cover_edge(np.float32(half) - away, pixel), rise=rise, albedo=albedo, facing=facing
    )


def _washing(sight: _Sight) -> _Look:
    """Hang clothes on lines: others at every flight."""
    item, pixel = sight.fixture, sight.pixel_m
    seed = mix_seed(sight.flight_seed, item.seed)
    row = index(sight.v, 0.55, item.width_m / 2)
    piece = index(sight.u, between(seed, 1, 0.3, 0.6))
    each, there = dice(piece, row, seed), dice(piece, row, seed + 1)
    sway = np.float32(0.08) + np.float32(0.2) * each
    away = to_multiple(sight.v, 0.55, item.width_m / 2 + 0.27)
    cover = cover_edge(sway - away, pixel)
    cover *= there < np.float32(0.72)
    cover *= sight.inside > np.float32(-0.02)
    fine = sight.noise(3, FINE)
    albedo = pick(_CLOTHES, each) * np.maximum(np.float32(0.85) + np.float32(0.2) * fine, 0.2)
    return _Look(
        cover=cover,
        rise=item.height_m,
        albedo=albedo.astype(np.float32),
        facing=0.85 * sight.towards[2],
    )


def _planter(sight: _Sight) -> _Look:
    """Show pots and beds: leaves of several greens over dark gaps."""
    item, pixel = sight.fixture, sight.pixel_m
    fine, inside = sight.noise(3, FINE), sight.inside
    pot = dice(index(sight.u, 0.34), index(sight.v, 0.34), item.seed)
    albedo = pick(_GREENS, pot)
    albedo *= np.clip(np.float32(0.75) + fine * np.float32(0.4) + pot * np.float32(0.3), 0.15, 2.0)
    lush = inside + fine * np.float32(0.13) - np.float32(0.1)
    cover = cover_edge(lush, pixel)
    cover *= pot < np.float32(0.85)
    rise = np.float32(item.height_m) * np.clip(np.float32(0.6) + fine * np.float32(0.25), 0.2, 1.1)
    return _Look(cover=cover, rise=rise, albedo=albedo, facing=0.8 * sight.towards[2])


def _junk(sight: _Sight) -> _Look:
    """Heap odds and ends: small pieces of any colour, deep shade between them."""
    item, pixel = sight.fixture, sight.pixel_m
    fine, inside = sight.noise(3, FINE), sight.inside
    size = between(item.seed, 2, 0.16, 0.42)
    lean = sight.u + sight.v * np.float32(between(item.seed, 3, -0.6, 0.6))
    each = dice(index(lean, 2.2 * size), index(sight.v, size), item.seed)
    albedo = pick(_ODDS, each)
    albedo *= np.clip(np.float32(0.9) + fine * np.float32(0.35), 0.1, 1.8)
    cover = cover_edge(inside + fine * np.float32(0.16) - np.float32(0.08), pixel)
    cover *= each < np.float32(0.9)
    rise = np.float32(item.height_m) * (np.float32(0.25) + np.float32(0.7) * each)
    return _Look(cover=cover, rise=rise, albedo=albedo, facing=0.9 * sight.towards[2])


def _tarpaulin(sight: _Sight) -> _Look:
    """Spread a sheet: folds, a ragged edge, faded where the sun lies on it."""
    item, pixel = sight.fixture, sight.pixel_m
    middle, fine = sight.noise(2, MIDDLE), sight.noise(3, FINE)
    inside = sight.inside
    inside += middle * np.float32(0.08)
    fold = line(np.abs(middle - fine * np.float32(0.3)), 0.22, 0.2)
    tone = np.float32(0.95) + middle * np.float32(0.13) + fine * np.float32(0.05)
    tone += fold * np.float32(0.28)
    albedo = sight.tinted(item.tint, np.maximum(tone, np.float32(0.25)))
    rise = np.float32(item.height_m) * np.clip(np.float32(0.8) + middle * np.float32(0.1), 0.3, 1.0)
    return _Look(cover=cover_edge(inside, pixel), rise=rise, albedo=albedo, facing=sight.towards[2])


_LOOKS: dict[str, Callable[[_Sight], _Look]] = {
    "tank": _tank,
    "stairwell": _stairwell,
    "solar": _solar,
    "unit": _unit,
    "vent": _vent,
    "washing": _washing,
    "planter": _planter,
    "junk": _junk,
    "tarpaulin": _tarpaulin,
}


def paint_fixture(
    canvas: Canvas, where: tuple[Part, Fixture], number: int, ground_m: float, moment: Moment
) -> None:
    """Paint one thing on a roof, whether or not the flight sees it.

    Parameters
    ----------
    canvas
        What to paint on.
    where
        The volume under the roof, and the thing.
    number
        Number of its structure.
    ground_m
        Height of the ground at the centre of its structure, metres.
    moment
        Flight and sun.
    """
    part, item = where
    place = part.place.move(item.u, item.v)
    box = canvas.box(place, item.length_m / 2 + 0.2, item.width_m / 2 + 0.2)
    if box is None:
        return
    u, v = box.frame()
    sight = _Sight(
        fixture=item,
        lattice=box.lattice,
        u=u,
        v=v,
        towards=sun_in(part.place, moment.sun),
        flight_seed=moment.seed,
    )
    look = _LOOKS[item.kind](sight)
    top = roof_top(part, u + np.float32(item.u), v + np.float32(item.v))
    top += np.float32(ground_m)
    top += look.rise
    surface = Surface(albedo=look.albedo, facing=look.facing, mirror=look.mirror, owner=number)
    box.lay(look.cover, top, surface)
