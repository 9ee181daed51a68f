"""Buildings seen from above: their roofs, the walls around flat ones, and slabs still in work."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from survey.simulation.painting.canvas import Box, Canvas, Surface, cover_edge
from survey.simulation.painting.coats import FINE, MIDDLE, Coat, Spot
from survey.simulation.painting.films import coat_film, coat_net
from survey.simulation.painting.fixtures import paint_fixture
from survey.simulation.painting.forms import Form, gleam, lit, roof_top, shape_roof, sun_in
from survey.simulation.painting.moment import Moment
from survey.simulation.painting.palette import WALLS, linear, to_linear
from survey.simulation.painting.pieces import (
    between,
    blend,
    colour_of,
    draw,
    line,
    resolved,
    to_multiple,
)
from survey.simulation.painting.sheets import coat_sheets
from survey.simulation.painting.skins import coat_boards, coat_concrete
from survey.simulation.painting.texture import mix_seed, smooth_step
from survey.simulation.painting.tiles import coat_tiles
from survey.simulation.scene import Part

__all__ = ["paint_part", "roof_top"]

Singles = npt.NDArray[np.float32]
Vector = tuple[float, float, float]

_COATS: dict[str, Callable[[Spot, str], Coat]] = {
    "concrete": coat_concrete,
    "terracotta": coat_concrete,
    "membrane": coat_concrete,
    "tile": coat_tiles,
    "steel": coat_sheets,
    "cement": coat_sheets,
    "plastic": coat_film,
    "glass": coat_film,
    "net": coat_net,
    "formwork": coat_boards,
}
"""Painter by the first word of a covering's name."""

_REACH_M = 0.25  # how far ragged eaves come out at most
_NET_M = 0.7  # how far a scaffold stands off the slab
_COLUMN_M = 0.4
_BAR_M = 0.9  # starter bars lap 40 times their diameter of 20 mm and more
_BAY_M = 4.0
_STEEL = colour_of((112, 78, 62))
_SOIL = colour_of((120, 96, 74))
_SCAFFOLD_NET = colour_of((74, 122, 92))
_STAIN = colour_of((96, 92, 84))


def paint_part(canvas: Canvas, part: Part, number: int, ground_m: float, moment: Moment) -> None:
    """Paint one volume of a structure with what stands on it.

    Parameters
    ----------
    canvas
        What to paint on.
    part
        The volume.
    number
        Number of its structure.
    ground_m
        Height of the ground at the centre of its structure, metres.
    moment
        Flight and sun.
    """
    reach = _NET_M + 0.3 if part.roof == "frame" else _REACH_M
    box = canvas.box(part.place, part.length_m / 2 + reach, part.width_m / 2 + reach)
    if box is not None:
        _paint_roof(box, part, number, ground_m, moment)
    for fixture in part.fixtures:
        if fixture.span.holds(moment.flight):
            paint_fixture(canvas, (part, fixture), number, ground_m, moment)


def _paint_roof(box: Box, part: Part, number: int, ground_m: float, moment: Moment) -> None:
    u, v = box.frame()
    inside = np.float32(part.length_m / 2) - np.abs(u)
    np.minimum(inside, np.float32(part.width_m / 2) - np.abs(v), out=inside)
    spot = Spot(part=part, lattice=box.lattice, u=u, v=v, inside=inside, flight_seed=moment.seed)
    skin = part.skin_at(moment.flight)
    coat = _COATS[skin.split("_")[0]](spot, skin)
    form = shape_roof(part, u, v)
    edge = inside + coat.ragged
    cover = cover_edge(edge, box.lattice.pixel_m)
    if coat.cover is not None:
        cover *= coat.cover
    towards = sun_in(part.place, moment.sun)
    _glint(coat, skin, form, towards, (part.seed, moment.seed))
    if part.roof == "foundation":
        _mark_foundation(spot, coat)
    top = form.rise
    top += np.float32(ground_m + part.height_m)
    if coat.bumps is not None:
        top += coat.bumps
    surface = Surface(
        albedo=coat.albedo, facing=lit(form, towards), mirror=coat.mirror, owner=number
    )
    box.lay(cover, top, surface)
    if part.parapet_m > 0.0 and part.roof == "flat":
        _paint_parapet(box, spot, number, ground_m, moment.sun.up)
    if part.roof in ("foundation", "frame") or (
        part.roof == "flat" and skin.startswith("concrete") and draw(part.seed, 90) < 0.25
    ):
        _paint_columns(box, spot, number, ground_m, moment.sun.up)
    if part.roof == "frame":
        _paint_net(box, spot, ground_m, moment.sun.up)


def _glint(coat: Coat, skin: str, form: Form, towards: Vector, seeds: tuple[int, int]) -> None:
    """Brighten a covering as far as it mirrors sun or bright sky to the camera."""
    near = gleam(form, towards, *seeds)
    shine = np.float32(coat.shine)
    mood = np.float32(1.0 + 0.35 * min(1.0, coat.shine) * (draw(mix_seed(*seeds), 3) - 0.5))
    spark = np.asarray(near, dtype=np.float32) ** np.float32(coat.focus)
    spark *= shine
    coat.albedo[:] *= mood + spark * np.float32(0.4)
    # What is mirrored has the colour of the sun and not of the paint.
    spark *= np.float32(0.5 * float(linear(skin).mean()) + 0.03)
    coat.albedo[:] += spark


def _paint_parapet(box: Box, spot: Spot, number: int, ground_m: float, up: float) -> None:
    """Wall a flat roof in; rain washes dirt down its inside and over its coping."""
    part, pixel = spot.part, spot.pixel_m
    middle, fine = spot.noise(2, MIDDLE), spot.noise(3, FINE)
    # Thinner than a pixel and a half it would fall to pieces, and its shadow with it.
    width = max(between(part.seed, 80, 0.18, 0.36), 1.5 * pixel)
    edge = spot.inside + (fine + middle) * np.float32(0.025)
    cover = line(np.abs(edge - np.float32(width / 2)), width, pixel)
    base = to_linear(WALLS[part.wall]) * between(part.seed, 81, 0.72, 1.15)
    tone = middle * np.float32(0.09) + fine * np.float32(0.07)
    tone += np.float32(0.95)
    albedo = base.astype(np.float32) * tone
    age = draw(part.seed, 82)
    blend(albedo, _STAIN, smooth_step(middle + fine, 0.8 - 1.4 * age, 2.4 - age))
    top = np.full_like(edge, ground_m + part.height_m + part.parapet_m)
    box.lay(cover, top, Surface(albedo=albedo, facing=up, owner=number))


def _grid(spot: Spot) -> tuple[Singles, Singles]:
    """Give the distances to the nearest axes of columns along u and along v, metres."""
    found = []
    for along, side_m in ((spot.u, spot.part.length_m), (spot.v, spot.part.width_m)):
        reach = max(0.5, side_m - _COLUMN_M - 0.1)
        step = reach / max(1, round(reach / _BAY_M))
        found.append(to_multiple(along, step, reach / 2))
    return found[0], found[1]


def _paint_columns(box: Box, spot: Spot, number: int, ground_m: float, up: float) -> None:
    """Let the columns of the storey to come stick out, with their starter bars."""
    part, pixel = spot.part, spot.pixel_m
    du, dv = _grid(spot)
    away = np.maximum(du, dv)
    fine = spot.noise(3, FINE)
    worked = part.roof in ("foundation", "frame")
    half = _COLUMN_M / 2 if worked else 0.13
    cover = cover_edge(np.float32(half) - away + fine * np.float32(0.03), pixel)
    cover *= spot.inside > np.float32(0.0)
    albedo = colour_of((170, 167, 160)) * (np.float32(0.9) + np.float32(0.12) * fine)
    # Bars stand around the core: dark rust with shadows between them.
    bars = line(np.abs(away - np.float32(0.1)), 0.06, pixel)
    blend(albedo, _STEEL, bars * np.float32(0.8))
    rise = between(part.seed, 91, 0.5, 1.0) * (_BAR_M if worked else 0.7)
    top = np.full_like(away, ground_m + part.height_m + rise)
    box.lay(cover, top, Surface(albedo=albedo, facing=up, owner=number))


def _mark_foundation(spot: Spot, coat: Coat) -> None:
    """Show trenches of beams still open, mud trodden over the slab, and mats of bars."""
    part, pixel = spot.part, spot.pixel_m
    middle = spot.noise(2, MIDDLE)
    beam = np.minimum(*_grid(spot))
    trench = line(beam, 0.5, pixel)
    trench *= smooth_step(spot.noise(5, MIDDLE), -0.4, 0.2)
    blend(coat.albedo, _SOIL * np.float32(0.7), trench * np.float32(0.8))
    blend(coat.albedo, _SOIL, smooth_step(middle, 0.2, 1.5) * np.float32(0.6))
    mats = line(np.minimum(to_multiple(spot.u, 0.2), to_multiple(spot.v, 0.2)), 0.025, pixel)
    mats *= np.float32(0.35 + 0.65 * resolved(0.2, pixel))
    split = spot.u * np.float32(1.0 / part.length_m) + middle * np.float32(0.02)
    mats *= (
        smooth_step(split, -0.02, 0.02)
        if draw(part.seed, 92) < 0.5
        else (smooth_step(split, 0.22, 0.18))
    )
    blend(coat.albedo, _STEEL, mats * np.float32(0.8))


def _paint_net(box: Box, spot: Spot, ground_m: float, up: float) -> None:
    """Hang nets on a scaffold around the slab: outside the outline, so nobody's roof."""
    part, pixel = spot.part, spot.pixel_m
    middle, fine = spot.noise(2, MIDDLE), spot.noise(3, FINE)
    out = -spot.inside
    # Round the corners off: beyond two sides at once the distance is to the corner.
    du = np.maximum(np.abs(spot.u) - np.float32(part.length_m / 2), np.float32(0.0))
    dv = np.maximum(np.abs(spot.v) - np.float32(part.width_m / 2), np.float32(0.0))
    np.copyto(out, np.sqrt(du * du + dv * dv), where=out > np.float32(0.0))
    cover = cover_edge(np.float32(_NET_M) - out + fine * np.float32(0.05), pixel)
    cover *= cover_edge(out - np.float32(0.2), pixel)
    cover *= np.clip(np.float32(0.85) + middle * np.float32(0.25), 0.25, 0.95)
    tone = fine * np.float32(0.16) + middle * np.float32(0.12)
    tone += np.float32(0.9)
    albedo = _SCAFFOLD_NET * np.maximum(tone, np.float32(0.2))
    pole = line(np.minimum(to_multiple(spot.u, 1.8), to_multiple(spot.v, 1.8)), 0.06, pixel)
    np.maximum(pole, line(np.abs(out - np.float32(0.45)), 0.4, pixel) * np.float32(0.5), out=pole)
    blend(albedo, colour_of((150, 132, 104)), pole * np.float32(0.7))
    top = np.full_like(out, ground_m + part.height_m + 1.1)
    box.lay(cover, top, Surface(albedo=albedo, facing=up))
