"""A map of how well two flights fit: residuals of the ties over the earlier flight.

The uncertainty lies as a veil over the ground, denser where less is known.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from change.export.drawing import INK, PAPER, UNSEEN, draw_scale, flight_title
from change.export.drawn_words import load_font, say, write_line
from change.export.residuals import tie_residuals
from survey.alignment import Alignment
from survey.field import Field
from survey.grid import WorkingGrid
from survey.pair import Pair
from survey.reading import FlightReader
from survey.windows import Window
from survey.words import N_

__all__ = ["Place", "draw_field_map"]

_Pixels = NDArray[np.uint8]
_Colour = tuple[int, int, int]

# Half a sheet of A3 at 150 dots per inch.
_BOX, _NARROWEST, _MARGIN, _GAP = (1560, 1500), 1200, 24, 16
_TITLE_PX, _TEXT_PX, _STEP_PX = 36, 24, 150
# Below half a metre a field can be verified; colours by Okabe and Ito (2008), (up to m, colour).
_RESIDUALS: tuple[tuple[float, _Colour], ...] = (
    (0.1, (0, 114, 178)),
    (0.25, (0, 158, 115)),
    (0.5, (230, 159, 0)),
    (math.inf, (213, 94, 0)),
)
_UNUSED: _Colour = (70, 70, 70)
_VEIL: _Colour = (170, 60, 140)
# Uncertainty (up to m) and how dense its veil is.
_VEILS = ((0.1, 0.0), (0.25, 0.14), (0.5, 0.24), (1.0, 0.34), (math.inf, 0.46))
# What the legends say to their steps; a translation keeps the bars.
_RESIDUAL_STEPS = N_("to 0.1 m | 0.25 m | 0.5 m | more")
_VEIL_STEPS = N_("to 0.1 m | 0.25 m | 0.5 m | 1 m | more")
_VERDICTS = {
    "verified": N_("VERIFIED"),
    "unverified": N_("UNVERIFIED"),
    "refused": N_("REFUSED"),
}
# One arrow in a cell of so many pixels; an arrow of this length stands for the round scale.
_CELL_PX, _ARROW_PX, _DOT_PX = 24, 36, 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A spot that is looked at from near."""

    number: int
    """From 1, as on the map."""
    x: float
    """In the CRS of the working grid, m."""
    y: float
    """In the CRS of the working grid, m."""
    residual_m: float | None
    """How far the tie there lies off the field, m; None where there is no tie."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Arrows:
    """Ties as they are drawn."""

    col: NDArray[np.float64]
    """Column in the map, pixels, (n,)."""
    row: NDArray[np.float64]
    """Row in the map, pixels, (n,)."""
    east: NDArray[np.float64]
    """Residual, m."""
    north: NDArray[np.float64]
    """Residual, m."""
    used: NDArray[np.bool_]
    """Whether the field was fitted to it."""
    scale_m: float
    """Residual that an arrow of ``_ARROW_PX`` stands for, m."""

    @property
    def size(self) -> NDArray[np.float64]:
        """Length of the residuals, m."""
        return np.hypot(self.east, self.north)


def draw_field_map(path: Path, pair: Pair, places: Sequence[Place]) -> None:
    """Draw the residuals of a pair's ties and its uncertainty into one PNG.

    Parameters
    ----------
    path
        The file to write; what lies there is replaced.
    pair
        The flights and their alignment.
    places
        Spots to number.

    Raises
    ------
    FlightError
        A flight cannot be read to its end.
    """
    grid = _map_grid(pair.grid)
    ground = _ground(pair, grid)
    _lay_veil(ground, pair.alignment.field, grid)
    arrows = _arrows(pair, grid)
    _draw_ties(ground, arrows)
    panel = Image.fromarray(ground)
    _number_places(ImageDraw.Draw(panel), places, grid)
    strips = [_header(pair, grid), _centred(panel), _legend(pair, arrows, grid)]
    width = max(strip.width for strip in strips)
    sheet = Image.new("RGB", (width, sum(strip.height for strip in strips)), PAPER)
    top = 0
    for strip in strips:
        sheet.paste(strip, ((width - strip.width) // 2, top))
        top += strip.height
    sheet.save(path, format="PNG")


def _map_grid(grid: WorkingGrid) -> WorkingGrid:
    bounds = grid.bounds
    wide, high = bounds.right - bounds.left, bounds.top - bounds.bottom
    pixel = max(wide / _BOX[0], high / _BOX[1])
    return WorkingGrid.around(bounds, crs=grid.crs, pixel_m=pixel)


def _ground(pair: Pair, grid: WorkingGrid) -> _Pixels:
    """Return the earlier flight in pale grey, (row, col, band), where both show the ground."""
    whole = Window(row=0, col=0, height=grid.height, width=grid.width)
    with FlightReader(pair.before, grid) as before, FlightReader(pair.after, grid) as after:
        picture = before.picture(whole)
        both = picture.valid & after.picture(whole, pair.alignment.field.shift).valid
    grey = np.tensordot((0.299, 0.587, 0.114), picture.colour.astype(np.float32), axes=1)
    # Pale, so that colours on it stay what they are in the legend.
    pale = np.where(both, 90 + 0.6 * grey, UNSEEN).clip(0, 255)
    return np.repeat(pale.astype(np.uint8)[..., None], 3, axis=2)


def _lay_veil(ground: _Pixels, field: Field, grid: WorkingGrid) -> None:
    """Lay the uncertainty over the map, and thin lines where the field is extrapolated."""
    step = 4
    rows, cols = np.arange(0, grid.height, step), np.arange(0, grid.width, step)
    x = (grid.left_px + cols + step / 2) * grid.pixel_m
    y = (grid.top_px - rows - step / 2) * grid.pixel_m
    xs, ys = np.meshgrid(x, y)
    limits = [limit + 1e-6 for limit, _ in _VEILS[:-1]]
    kinds = np.searchsorted(limits, field.uncertainty_at(xs, ys), side="left")
    known = replace(field, uncertainty=field.known.astype(np.float64)).uncertainty_at(xs, ys) > 0.5
    share = np.array([density for _, density in _VEILS])[kinds]
    row, col = np.ogrid[: grid.height, : grid.width]
    near = row // step, col // step
    share = share[near][..., None]
    hatched = ~known[near] & ((row + col) % 16 < 2)
    veiled = ground * (1 - share) + np.array(_VEIL) * share
    veiled[hatched] = 0.6 * veiled[hatched] + 0.4 * np.array(_VEIL)
    ground[...] = np.where((ground == UNSEEN).all(axis=2)[..., None], ground, veiled)


def _arrows(pair: Pair, grid: WorkingGrid) -> _Arrows:
    """Return the worst used tie of every cell, and every other tie."""
    alignment = pair.alignment
    ties, used = alignment.ties, alignment.used
    east, north = tie_residuals(alignment)
    col = ties.x / grid.pixel_m - grid.left_px
    row = grid.top_px - ties.y / grid.pixel_m
    size = np.hypot(east, north)
    cells = np.stack([row // _CELL_PX, col // _CELL_PX, ~used])
    order = np.argsort(-size, kind="stable")
    first = np.unique(cells[:, order], axis=1, return_index=True)[1] if len(order) else order
    kept = np.sort(order[first])
    typical = float(np.percentile(size[used], 95)) if used.any() else 0.1
    return _Arrows(
        col=col[kept],
        row=row[kept],
        east=east[kept],
        north=north[kept],
        used=used[kept],
        scale_m=_round_up(typical),
    )


def _round_up(value: float) -> float:
    """Return the next of 1, 2, 5 times a power of ten, from a centimetre on.

    Examples
    --------
    >>> [_round_up(value) for value in (0.0, 0.13, 0.2, 0.7, 30.0)]
    [0.01, 0.2, 0.2, 1.0, 50.0]
    """
    exponents = range(-2, 4)
    rounds = [float(f"{digit}e{exponent}") for exponent in exponents for digit in (1, 2, 5)]
    return next((item for item in rounds if item >= value), rounds[-1])


def _colour_of(size: float) -> _Colour:
    return next(colour for limit, colour in _RESIDUALS if size <= limit)


def _draw_ties(pixels: _Pixels, arrows: _Arrows) -> None:
    """Draw unused ties as small crosses, used ones as dots with arrows; worst on top."""
    for col, row in zip(arrows.col[~arrows.used], arrows.row[~arrows.used], strict=True):
        middle = (round(col), round(row))
        for ink, width in ((PAPER, 5), (_UNUSED, 2)):
            cv2.drawMarker(pixels, middle, ink, cv2.MARKER_TILTED_CROSS, 4 * _DOT_PX, width)
    factor = _ARROW_PX / arrows.scale_m
    for i in np.argsort(arrows.size, kind="stable"):
        if arrows.used[i]:
            start = (round(arrows.col[i]), round(arrows.row[i]))
            # An arrow that would cross half the map is cut: its colour says the rest.
            away = min(factor, 4 * _ARROW_PX / max(arrows.size[i], 1e-9))
            end = (
                round(arrows.col[i] + away * arrows.east[i]),
                round(arrows.row[i] - away * arrows.north[i]),
            )
            _draw_arrow(pixels, start, end, _colour_of(arrows.size[i]))


def _draw_arrow(
    pixels: _Pixels, start: tuple[int, int], end: tuple[int, int], colour: _Colour
) -> None:
    for ink, width in ((PAPER, 4), (colour, 2)):
        cv2.circle(pixels, start, _DOT_PX + width - 3, ink, -1, cv2.LINE_AA)
        if start != end:
            tip = min(0.5, 7 / math.dist(start, end))
            cv2.arrowedLine(pixels, start, end, ink, width, cv2.LINE_AA, tipLength=tip)


def _number_places(draw: ImageDraw.ImageDraw, places: Sequence[Place], grid: WorkingGrid) -> None:
    font = load_font(_TEXT_PX + 4)
    for place in places:
        col = place.x / grid.pixel_m - grid.left_px
        row = grid.top_px - place.y / grid.pixel_m
        draw.ellipse((col - 15, row - 15, col + 15, row + 15), None, PAPER, 6)
        draw.ellipse((col - 14, row - 14, col + 14, row + 14), None, INK, 3)
        # Towards the middle of the map, where there is room for a number.
        right = col < grid.width / 2
        at = (col + 20 if right else col - 20, row)
        anchor = "lm" if right else "rm"
        draw.text(at, str(place.number), INK, font, anchor, stroke_width=4, stroke_fill=PAPER)


def _header(pair: Pair, grid: WorkingGrid) -> Image.Image:
    alignment, width = pair.alignment, max(_NARROWEST, grid.width)
    strip = Image.new("RGB", (width + 2 * _MARGIN, 148), PAPER)
    draw, font = ImageDraw.Draw(strip), load_font(_TEXT_PX)
    write_line(draw, (_MARGIN, 14), _title(alignment), INK, load_font(_TITLE_PX))
    for top, name, flight in ((70, N_("BEFORE"), pair.before), (102, N_("AFTER"), pair.after)):
        text = flight_title(say(name), flight, width, font)
        write_line(draw, (_MARGIN, top), text, INK, font)
    return strip


def _title(alignment: Alignment) -> str:
    verdict = say(_VERDICTS[alignment.verdict])
    if alignment.rms_m is None or alignment.p95_m is None:
        error = float(np.median(alignment.field.uncertainty))
        said = say(N_("Alignment {verdict}: {error:.3g} m assumed"))
        return said.format(verdict=verdict, error=error)
    said = say(N_("Alignment {verdict}: {rms:.2f} m RMS, 95 % within {p95:.2f} m (held back)"))
    return said.format(verdict=verdict, rms=alignment.rms_m, p95=alignment.p95_m)


def _centred(panel: Image.Image) -> Image.Image:
    strip = Image.new("RGB", (panel.width + 2 * _MARGIN, panel.height + _GAP), PAPER)
    strip.paste(panel, (_MARGIN, 0))
    return strip


def _legend(pair: Pair, arrows: _Arrows, grid: WorkingGrid) -> Image.Image:
    """Draw what dots, arrows and veil mean, a scale bar and the direction of north."""
    strip = Image.new("RGB", (max(_NARROWEST, grid.width) + 2 * _MARGIN, 200), PAPER)
    draw, font = ImageDraw.Draw(strip), load_font(_TEXT_PX)
    draw_scale(draw, strip.width - _MARGIN, grid.pixel_m)
    meaning = say(N_("residual of a tie (worst of its neighbours)"))
    write_line(draw, (_MARGIN, 0), meaning, INK, font)
    limits = say(_RESIDUAL_STEPS).split(" | ")
    step = _step(limits, font)
    for i, (label, (_, colour)) in enumerate(zip(limits, _RESIDUALS, strict=True)):
        left = _MARGIN + 8 + step * i
        draw.ellipse((left, 40, left + 16, 56), colour)
        write_line(draw, (left + 26, 34), label, INK, font)
    left = _MARGIN + 20 + step * len(limits)
    draw.line((left, 48, left + _ARROW_PX, 48), INK, 3)
    draw.polygon([(left + 40, 48), (left + 28, 42), (left + 28, 54)], INK)
    cross = left + 190
    write_line(draw, (left + 52, 34), f"{arrows.scale_m:g} m", INK, font)
    draw.line((cross, 42, cross + 12, 54), _UNUSED, 2)
    draw.line((cross, 54, cross + 12, 42), _UNUSED, 2)
    write_line(draw, (cross + 24, 34), say(N_("not used")), INK, font)
    _veil_legend(draw, bool(pair.alignment.field.known.all()))
    return strip


def _step(labels: Sequence[str], font: ImageFont.FreeTypeFont) -> int:
    """Return how far apart labels stand, each behind its mark, pixels."""
    return max(_STEP_PX, 56 + math.ceil(max(map(font.getlength, labels))))


def _veil_legend(draw: ImageDraw.ImageDraw, everywhere: bool) -> None:
    font, grey = load_font(_TEXT_PX), 190
    meaning = say(N_("uncertainty of the alignment (one sigma)"))
    write_line(draw, (_MARGIN, 92), meaning, INK, font)
    labels = say(_VEIL_STEPS).split(" | ")
    step = _step(labels, font)
    for i, (label, (_, share)) in enumerate(zip(labels, _VEILS, strict=True)):
        left = _MARGIN + step * i
        colour = tuple(round(grey * (1 - share) + part * share) for part in _VEIL)
        draw.rectangle((left, 128, left + 30, 152), (colour[0], colour[1], colour[2]))
        write_line(draw, (left + 40, 126), label, INK, font)
    if not everywhere:
        left = _MARGIN + 10 + step * len(labels)
        for offset in (0, 10, 20):
            draw.line((left + offset, 152, left + offset + 10, 128), _VEIL, 2)
        write_line(draw, (left + 44, 126), say(N_("hatched: no tie near")), INK, font)
