"""Roofs of sheets: steel and fibre cement."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from survey.simulation.painting.coats import FINE, WIDE, Coat, Spot, base_of, shade, toned
from survey.simulation.painting.forms import ridge_distance
from survey.simulation.painting.pieces import (
    between,
    blend,
    colour_of,
    dice,
    draw,
    index,
    line,
    resolved,
    streaks,
    to_multiple,
)
from survey.simulation.painting.texture import smooth_step

__all__ = ["coat_sheets"]

Singles = npt.NDArray[np.float32]

_RUST = colour_of((122, 86, 64))
_DARK_RUST = colour_of((84, 64, 54))
_CHALK = colour_of((158, 162, 160))
_GRIME = colour_of((72, 70, 66))
_SPARE = (
    "steel_rust", "steel_grey", "steel_white", "steel_old", "steel_grey", "steel_rust",
    "cement_sheet", "plastic", "steel_blue",
)  # fmt: skip
_HALL_M2 = 150.0  # about where sheds end and halls with skylights begin


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wear:
    """How a covering of sheets ages; by eye from the sheds of Banepa."""

    rust: float = 0.25
    """Share that rust takes on a roof of mean age."""
    chalk: float = 0.2
    """Share of its paint's colour that weather takes."""
    odd: float = 0.05
    """Share of sheets that are not of the kind of the others."""
    shine: float = 0.45
    """Light mirrored where it mirrors the sun, as a multiple of its own."""


_WEAR = {
    "steel_blue": _Wear(rust=0.16, chalk=0.25),
    "steel_red": _Wear(rust=0.14, chalk=0.3, shine=0.35),
    "steel_green": _Wear(rust=0.18, chalk=0.3, shine=0.35),
    "steel_grey": _Wear(rust=0.24, chalk=0.1, odd=0.07, shine=0.9),
    "steel_white": _Wear(rust=0.12, chalk=0.1, odd=0.03, shine=0.8),
    "steel_rust": _Wear(rust=0.72, chalk=0.15, odd=0.1, shine=0.08),
    "steel_old": _Wear(rust=0.42, chalk=0.3, odd=0.14, shine=0.15),
    "cement_sheet": _Wear(rust=0.0, chalk=0.1, odd=0.03, shine=0.02),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sheets:
    """How the sheets of one roof lie and age."""

    column: npt.NDArray[np.int32]
    row: npt.NDArray[np.int32]
    width_m: float
    length_m: float
    offset_m: float
    """Where along u the first begins."""
    age: float
    """1 for a roof of mean age."""
    each: Singles
    """Chance of every sheet."""
    drip: Singles
    """Streaks down the slope, mean 0."""
    lap: Singles
    """Share of each pixel where sheets overlap."""


def _lay_out(spot: Spot) -> _Sheets:
    """Lay sheets from eaves to ridge, in one length or several."""
    seed, across = spot.part.seed, np.abs(spot.v)
    width = between(seed, 50, 0.72, 1.06)
    length = between(seed, 51, 2.2, 3.6) if draw(seed, 52) < 0.6 else 9.0  # one per slope
    offset = between(seed, 53, 0.0, width)
    column, row = index(spot.u, width, offset), index(across, length)
    row += row + (spot.v > np.float32(0.0))  # the two slopes are not each other's mirror image
    lap = line(to_multiple(spot.u, width, offset), 0.05, spot.pixel_m)
    np.maximum(lap, line(to_multiple(across, length), 0.07, spot.pixel_m), out=lap)
    return _Sheets(
        column=column,
        row=row,
        width_m=width,
        length_m=length,
        offset_m=offset,
        age=between(seed, 56, 0.2, 1.6),
        each=dice(column, row, seed),
        drip=streaks(spot.u, spot.v, (0.16, 1.6), seed + 1),
        lap=lap,
    )


def coat_sheets(spot: Spot, skin: str) -> Coat:
    """Cover a roof with ribbed sheets: faded, rusty along their laps, some replaced."""
    part, pixel, wear = spot.part, spot.pixel_m, _WEAR[skin]
    sheets = _lay_out(spot)
    albedo = toned(base_of(part, skin, 0.13), _ribs(spot, sheets))
    _replace_sheets(spot, albedo, sheets, skin)
    _weather(spot, albedo, sheets, skin)
    if part.roof in ("gable", "hip"):
        ridge = line(ridge_distance(part, spot.u, spot.v), 0.35, pixel)
        blend(albedo, _CHALK, ridge * np.float32(0.35))
    area_m2 = part.length_m * part.width_m
    if area_m2 > _HALL_M2:
        _add_skylights(spot, albedo, sheets)
    bumps = None if area_m2 > 60.0 else _weigh_down(spot, albedo)  # small ones are seldom nailed
    ragged = dice(sheets.column, 0, part.seed + 3) * np.float32(0.2)
    ragged += spot.noise(3, FINE) * np.float32(0.02)
    ragged -= np.float32(0.1)
    ragged *= np.abs(spot.v) > np.float32(part.width_m / 2 - 0.4)  # only eaves are of many sheets
    shine = wear.shine / (0.6 + 0.6 * sheets.age)
    return Coat(albedo=albedo, ragged=ragged, bumps=bumps, shine=shine, focus=30.0)


def _ribs(spot: Spot, sheets: _Sheets) -> Singles:
    """Give the brightness of sheets: their own, their ribs', and that of streaks."""
    rib_m = between(spot.part.seed, 54, 0.19, 0.34)
    tone = sheets.each * np.float32(0.2)
    tone += spot.noise(1, WIDE) * np.float32(0.09)
    tone += spot.noise(3, FINE) * np.float32(0.055)
    tone += sheets.drip * np.float32(0.16)
    tone += np.float32(0.9)
    deep = between(spot.part.seed, 55, 0.02, 0.09)
    # Broad pans between the seams shade each other too, which stays visible from higher up.
    for step, depth in ((rib_m, 0.16), (sheets.width_m, deep)):
        waves = to_multiple(spot.u, step, sheets.offset_m)
        waves *= np.float32(2.0 * np.pi / step)
        tone += np.cos(waves) * np.float32(depth * resolved(step, spot.pixel_m))
    return tone


def _weather(spot: Spot, albedo: Singles, sheets: _Sheets, skin: str) -> None:
    """Let paint chalk, steel rust down from its laps, and fibre cement grow black."""
    wide, fine, wear, age = spot.noise(1, WIDE), spot.noise(3, FINE), _WEAR[skin], sheets.age
    worn = smooth_step(wide + sheets.each, -0.6, 2.2)
    worn *= np.float32(min(0.85, wear.chalk * 1.6 * age))
    blend(albedo, _CHALK * np.float32(base_of(spot.part, skin).mean() * 2.4), worn)
    field = wide * np.float32(0.5)
    if wear.rust > 0.0:
        field += fine * np.float32(0.3)
        field += sheets.drip * np.float32(1.3)
        field += sheets.each * np.float32(0.9)
        field += sheets.lap * np.float32(0.6)
        _add_rust(albedo, field, wear.rust * age)
    else:
        field += fine * np.float32(0.5)
        field += sheets.drip * np.float32(2.0)
        blend(albedo, _GRIME, smooth_step(field, 0.6 - age, 2.0 - age) * np.float32(0.7))
    shade(albedo, np.float32(1.0) - sheets.lap * np.float32(0.22))


def _add_rust(albedo: Singles, field: Singles, amount: float) -> None:
    """Let rust run down from laps; `field` is about 0.45 on average and 0.75 wide."""
    share = min(0.92, amount)
    start = 1.75 - 1.9 * share
    rust = smooth_step(field, start, start + 0.55)
    blend(albedo, _RUST, rust * np.float32(0.8))
    blend(albedo, _DARK_RUST, smooth_step(field, start + 0.5, start + 1.3) * np.float32(0.75))


def _replace_sheets(spot: Spot, albedo: Singles, sheets: _Sheets, skin: str) -> None:
    """Exchange single sheets for what was at hand."""
    each = dice(sheets.column, sheets.row, spot.part.seed + 2)
    part, seed = spot.part, spot.part.seed
    odd = _WEAR[skin].odd * between(seed, 57, 0.0, 2.5)
    odd *= 0.3 if part.length_m * part.width_m > _HALL_M2 else 1.0  # halls are kept in repair
    start = 1.0
    for turn in range(2):
        other = base_of(spot.part, _SPARE[int(len(_SPARE) * draw(seed, 58 + turn))])
        picked = (each < np.float32(start)) & (each >= np.float32(start - odd / 2))
        blend(albedo, other, picked * np.float32(0.85))
        start -= odd / 2


def _add_skylights(spot: Spot, albedo: Singles, sheets: _Sheets) -> None:
    """Set translucent sheets into a hall, browned and dusty; every hall has its own rhythm."""
    seed, half = spot.part.seed, spot.part.width_m / 4
    if draw(seed, 60) < 0.35:
        return
    every = 4 + int(5 * draw(seed, 61))
    reach = half * between(seed, 62, 0.25, 0.75)
    strip = ((sheets.column % np.int32(every)) == 0) & (
        np.abs(np.abs(spot.v) - np.float32(half)) < np.float32(reach)
    )
    each = dice(sheets.column, index(spot.v, sheets.length_m), seed + 9)
    colour = base_of(spot.part, "plastic") * np.float32(between(seed, 63, 0.55, 0.95))
    blend(albedo, colour, strip * (np.float32(0.4) + np.float32(0.5) * each))


def _weigh_down(spot: Spot, albedo: Singles) -> Singles | None:
    """Lay stones, bricks and tyres on a shed's sheets, which nothing else holds."""
    if draw(spot.part.seed, 64) < 0.45:
        return None
    column, row = index(spot.u, 0.8), index(spot.v, 0.9)
    each = dice(column, row, spot.part.seed + 11)
    du, dv = to_multiple(spot.u, 0.8, 0.4), to_multiple(spot.v, 0.9, 0.45)
    du *= du
    dv *= dv
    du += dv
    share = np.where(each < np.float32(0.16), each * np.float32(0.8), np.float32(-1.0))
    share += np.float32(0.06)
    share -= np.sqrt(du)
    share *= np.float32(1.0 / spot.pixel_m)
    share += np.float32(0.5)
    np.clip(share, np.float32(0.0), np.float32(1.0), out=share)
    blend(albedo, colour_of((104, 92, 82)) * (np.float32(0.3) + each * np.float32(6.0)), share)
    share *= np.float32(0.14)
    return share
