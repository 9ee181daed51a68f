"""One printable picture of a pair: before and after, with every suspect numbered and explained."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from rasterio.features import rasterize
from shapely import Point, Polygon, STRtree

from change.detection import Detection
from change.explanation import REASON_WORDS
from change.export.drawing import (
    INK,
    PAPER,
    draw_scale,
    flight_title,
    hatch,
    show_picture,
    square_metres,
)
from change.export.drawn_words import load_font, say, write_line
from change.suspicion import Suspect
from survey.grid import WorkingGrid
from survey.pair import Pair
from survey.reading import FlightReader
from survey.windows import Window
from survey.words import N_

__all__ = ["REASON_COLOURS", "draw_overview"]

_Pixels = NDArray[np.uint8]
_Look = tuple[_Pixels, _Pixels]
_Colour = tuple[int, int, int]

# Okabe and Ito (2008): colours that the colour-blind tell apart.
REASON_COLOURS: dict[str, _Colour] = {
    "no_permit": (213, 94, 0),
    "beside_permit": (86, 180, 233),
    "exceeds_permit": (0, 114, 178),
    "grown_beyond_permit": (0, 158, 115),
    "permit_expired": (230, 159, 0),
    "before_grant": (240, 228, 66),
    "not_compared": (204, 121, 167),
}
"""Red, green, blue of a suspect's outline by its reason."""

_ALARM, _NO_SUSPECT = (176, 32, 0), (110, 110, 110)
# A sheet of A3 at 150 dots per inch is 2480 x 1754 pixels; a panel has one of these sizes at most.
_BESIDE, _STACKED, _NARROWEST, _MARGIN, _GAP = (1160, 1500), (2340, 760), 1500, 24, 16
_TITLE_PX, _TEXT_PX, _NOTE_PX, _LINE_PX, _HALO_PX = 40, 24, 18, 3, 2
# A smaller outline is drawn as a ring this wide: a hut of 3 m in 3 km would be one pixel.
_RING_PX = 18
# Numbers get smaller as they get more: up to so many, size in pixels.
_NUMBER_PX = ((40, 32), (150, 22), (math.inf, 15))
# The first suspects are shown from near, at one of these widths, m, so that they can be compared;
# a structure takes this share of the width at most.
_CHIPS, _CHIP_PX, _CHIP_FILL = 24, 180, 0.6
_CHIP_SIDES_M = (15, 20, 30, 40, 60, 80, 120, 160, 240, 400, 800, 1600)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Mark:
    """A change and how it is drawn."""

    item: Suspect
    """The change with its reason."""
    number: int
    """Its place among the suspects, from 1; 0 where it is none."""

    @property
    def colour(self) -> _Colour:
        """Red, green, blue of its line."""
        return REASON_COLOURS.get(self.item.reason, INK) if self.number else _NO_SUSPECT

    def visible(self, grid: WorkingGrid) -> Polygon:
        """Return the outline, m, or a ring around it where that is too small to be seen."""
        outline = self.item.change.outline
        left, bottom, right, top = outline.bounds
        if max(right - left, top - bottom) >= _RING_PX * grid.pixel_m:
            return outline
        return outline.centroid.buffer(_RING_PX / 2 * grid.pixel_m)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Page:
    """What is drawn, and how large."""

    pair: Pair
    """The flights."""
    detection: Detection
    """Ground judged and not judged."""
    marks: tuple[_Mark, ...]
    """The suspects in order, after all others, so that these cover none of them."""
    grid: WorkingGrid
    """Of one panel."""
    stacked: bool
    """Whether the panels stand one above the other."""

    @property
    def width(self) -> int:
        """Of the page, pixels."""
        across = self.grid.width if self.stacked else 2 * self.grid.width + _GAP
        return max(_NARROWEST, across + 2 * _MARGIN)

    @property
    def suspects(self) -> list[_Mark]:
        """The marks that have a number."""
        return [mark for mark in self.marks if mark.number]

    def strip(self, height: int) -> tuple[Image.Image, ImageDraw.ImageDraw]:
        """Return an empty strip of the page, and what draws on it."""
        strip = Image.new("RGB", (self.width, height), PAPER)
        return strip, ImageDraw.Draw(strip)


def draw_overview(
    path: Path, pair: Pair, compared: Sequence[Suspect], detection: Detection
) -> None:
    """Draw both flights with every suspect, numbered and explained, into one PNG.

    Parameters
    ----------
    path
        The file to write; what lies there is replaced.
    pair
        The flights; the after flight is shown where its alignment puts it.
    compared
        Every change with what the permits say to it, the most severe first. Those that are
        ``suspicious`` are numbered from 1 in this order, the others drawn thin and grey.
    detection
        How much ground was judged, and the ground that was not, which is hatched.

    Raises
    ------
    FlightError
        A flight cannot be read to its end.
    """
    others = [_Mark(item=item, number=0) for item in compared if not item.suspicious]
    suspects = [item for item in compared if item.suspicious]
    numbered = [_Mark(item=item, number=n) for n, item in enumerate(suspects, start=1)]
    grid, stacked = _panel_grid(pair.grid)
    marks = (*others, *numbered)
    page = _Page(pair=pair, detection=detection, marks=marks, grid=grid, stacked=stacked)
    strips = [_header(page), _panels(page), _legend(page), *_chip_rows(page)]
    sheet, _ = page.strip(sum(strip.height for strip in strips))
    top = 0
    for strip in strips:
        sheet.paste(strip, (0, top))
        top += strip.height
    sheet.save(path, format="PNG")


def _panel_grid(grid: WorkingGrid) -> tuple[WorkingGrid, bool]:
    """Return the grid of one panel, and whether two that large stand one above the other."""
    bounds = grid.bounds
    wide, high = bounds.right - bounds.left, bounds.top - bounds.bottom
    beside, stacked = (max(wide / box[0], high / box[1]) for box in (_BESIDE, _STACKED))
    panel = WorkingGrid.around(bounds, crs=grid.crs, pixel_m=min(beside, stacked))
    return panel, stacked < beside


def _area(marks: Sequence[_Mark]) -> str:
    return square_metres(sum(mark.item.change.area_m2 for mark in marks))


def _header(page: _Page) -> Image.Image:
    """Draw what was found, how well the flights fit, and how much ground was judged."""
    strip, draw = page.strip(124)
    found, font = _found(page.suspects), load_font(_TEXT_PX)
    write_line(draw, (_MARGIN, 18), found, INK, load_font(_TITLE_PX))
    verdict, ink = _verdict(page.pair)
    write_line(draw, (_MARGIN, 78), verdict, ink, font)
    left_out = sum(item.outline.area for item in page.detection.excluded)
    ground = say(N_("ground judged: {judged}; not judged (hatched): {left_out}")).format(
        judged=square_metres(page.detection.judged_m2), left_out=square_metres(left_out)
    )
    at = (_MARGIN + font.getlength(verdict) + 3 * _GAP, 78)
    write_line(draw, at, ground, INK, font)
    return strip


def _found(suspects: Sequence[_Mark]) -> str:
    if not suspects:
        return say(N_("no suspects"))
    one, more = N_("1 suspect, together {area}"), N_("{count} suspects, together {area}")
    return say(one if len(suspects) == 1 else more).format(
        count=len(suspects), area=_area(suspects)
    )


def _verdict(pair: Pair) -> tuple[str, _Colour]:
    alignment = pair.alignment
    if alignment.verdict == "verified" and alignment.rms_m is not None:
        said = say(N_("alignment verified, {error:.2f} m"))
        return said.format(error=alignment.rms_m), INK
    assumed = float(np.median(alignment.field.uncertainty))
    unverified = N_("alignment NOT VERIFIED: {error:.3g} m assumed")
    refused = N_("alignment REFUSED, accepted by the user: {error:.3g} m assumed")
    said = say(refused if alignment.verdict == "refused" else unverified)
    return said.format(error=assumed), _ALARM


def _panels(page: _Page) -> Image.Image:
    """Draw both flights, each under its title, with all that was found in them."""
    grid, pair, title = page.grid, page.pair, 40
    right, down = (0, grid.height + title + _GAP) if page.stacked else (grid.width + _GAP, 0)
    left = (page.width - right - grid.width) // 2
    strip, draw = page.strip(down + title + grid.height + _GAP)
    everything = Window(row=0, col=0, height=grid.height, width=grid.width)
    flights, font = ((N_("BEFORE"), pair.before), (N_("AFTER"), pair.after)), load_font(_TEXT_PX)
    titles = [flight_title(say(name), flight, grid.width, font) for name, flight in flights]
    excluded = _covered([item.outline for item in page.detection.excluded], grid)
    for i, pixels in enumerate(_look(pair, grid, [everything])[0]):
        x, y = left + i * right, i * down
        write_line(draw, (x, y), titles[i], INK, font)
        hatch(pixels, excluded)
        _trace(pixels, page.marks, grid)
        panel = Image.fromarray(pixels)
        _write_numbers(ImageDraw.Draw(panel), page)
        strip.paste(panel, (x, y + title))
    return strip


def _look(pair: Pair, grid: WorkingGrid, windows: Sequence[Window]) -> list[_Look]:
    """Return windows of both flights, (row, col, band)."""
    shift = pair.alignment.field.shift
    with FlightReader(pair.before, grid) as before, FlightReader(pair.after, grid) as after:
        return [
            (show_picture(before.picture(w)), show_picture(after.picture(w, shift)))
            for w in windows
        ]


def _covered(outlines: Sequence[Polygon], grid: WorkingGrid) -> NDArray[np.bool_]:
    """Return (row, col) where any of the outlines lies."""
    covered = np.zeros((grid.height, grid.width), np.uint8)
    if outlines:
        rasterize(outlines, out=covered, transform=grid.transform)
    return covered > 0


def _trace(pixels: _Pixels, marks: Sequence[_Mark], grid: WorkingGrid) -> None:
    """Draw outlines into (row, col, band); all halos come first, so that they cover no line."""
    lines = []
    for mark in marks:
        outline = mark.visible(grid)
        for ring in (outline.exterior, *outline.interiors):
            x, y = (np.array(axis) / grid.pixel_m for axis in ring.xy)
            # OpenCV counts from the centre of the first pixel, here in sixteenths.
            points = np.stack([x - grid.left_px - 0.5, grid.top_px - y - 0.5], axis=1)
            lines.append((np.rint(points * 16).astype(np.int32), mark))
    for halo in (True, False):
        for line, mark in lines:
            width = _LINE_PX if mark.number else _LINE_PX - 1
            width += (2 * _HALO_PX if mark.number else _HALO_PX) if halo else 0
            colour = PAPER if halo else mark.colour
            cv2.polylines(pixels, [line], True, colour, width, cv2.LINE_AA, 4)


def _write_numbers(draw: ImageDraw.ImageDraw, page: _Page) -> None:
    """Write every suspect's number where it covers least and is nobody else's."""
    grid, outlines = page.grid, [mark.visible(page.grid) for mark in page.marks]
    taken, tree = _covered(outlines, grid).astype(np.int32), STRtree(outlines)
    font = load_font(next(size for most, size in _NUMBER_PX if len(page.suspects) <= most))
    for mark in page.suspects:
        text = str(mark.number)
        box = font.getbbox(text, stroke_width=_HALO_PX + 1)
        wide, high = math.ceil(box[2] - box[0]), math.ceil(box[3] - box[1])
        places = [
            (int(taken[y : y + high, x : x + wide].sum()), rivals, away, x, y)
            for rivals, away, x, y in _beside(mark.visible(grid), tree, grid, wide, high)
        ]
        *_, x, y = min(places)
        taken[y : y + high, x : x + wide] += 3
        at = (x - box[0], y - box[1])
        draw.text(at, text, INK, font, stroke_width=_HALO_PX + 1, stroke_fill=PAPER)


def _beside(
    outline: Polygon, tree: STRtree, grid: WorkingGrid, wide: int, high: int
) -> Iterator[tuple[int, float, int, int]]:
    """Yield 8 near places and 8 far ones: outlines about as near, distance in m, left, top."""
    x0, y0, x1, y1 = outline.bounds
    left, right = (x / grid.pixel_m - grid.left_px for x in (x0, x1))
    top, bottom = (grid.top_px - y / grid.pixel_m for y in (y1, y0))
    middle = ((left + right - wide) / 2, (top + bottom - high) / 2)
    for gap in (4, 4 + high):
        columns = (right + gap, middle[0], left - gap - wide)
        for x, y in product(columns, (top - gap - high, middle[1], bottom + gap)):
            # A label that would leave the panel slides along its edge.
            col = min(max(0, round(x)), max(0, grid.width - wide))
            row = min(max(0, round(y)), max(0, grid.height - high))
            place = Point(grid.transform @ (col + wide / 2, row + high / 2))
            away = outline.distance(place)
            if (x, y) != middle:
                yield len(tree.query(place, "dwithin", distance=1.5 * away)), away, col, row


def _legend(page: _Page) -> Image.Image:
    """Draw what the colours mean, a scale bar and the direction of north."""
    entries = []
    for reason, colour in REASON_COLOURS.items():
        if marks := [mark for mark in page.suspects if mark.item.reason == reason]:
            entries.append((colour, _counted(REASON_WORDS[reason], marks)))
    if others := [mark for mark in page.marks if not mark.number]:
        entries.append((_NO_SUSPECT, _counted(N_("permitted or gone"), others)))
    font = load_font(_TEXT_PX)
    column = max([font.getlength(text) for _, text in entries], default=0.0) + 48 + 3 * _GAP
    fit = max(1, int((page.width - 2 * _MARGIN - 420) // column))
    strip, draw = page.strip(max(72, 36 * -(-len(entries) // fit) + 2 * _GAP))
    for i, (colour, text) in enumerate(entries):
        x, y = _MARGIN + i % fit * column, 8 + 36 * (i // fit)
        draw.line((x, y + 14, x + 36, y + 14), colour, _LINE_PX + 2)
        write_line(draw, (x + 48, y), text, INK, font)
    draw_scale(draw, page.width - _MARGIN, page.grid.pixel_m)
    return strip


def _counted(what: str, marks: Sequence[_Mark]) -> str:
    return say(N_("{what}: {count} ({area})")).format(
        what=say(what), count=len(marks), area=_area(marks)
    )


def _chip_rows(page: _Page) -> Iterator[Image.Image]:
    """Yield strips that show the first suspects from near."""
    chips = _chips(page)
    if chips:
        strip, draw = page.strip(44)
        text = say(N_("{shown} of {count} from near, before | after")).format(
            shown=len(chips), count=len(page.suspects)
        )
        write_line(draw, (_MARGIN, 4), text, INK, load_font(_TEXT_PX))
        yield strip
    step = 2 * _CHIP_PX + 4 + _GAP
    fit = (page.width - 2 * _MARGIN + _GAP) // step
    for first in range(0, len(chips), fit):
        strip, _ = page.strip(chips[0].height + _GAP)
        for i, chip in enumerate(chips[first : first + fit]):
            strip.paste(chip, (_MARGIN + i * step, 0))
        yield strip


def _chips(page: _Page) -> list[Image.Image]:
    """Return the pictures of the first suspects; those of one scale share their readers."""
    grids = {mark.number: _chip_grid(mark, page.grid) for mark in page.suspects[:_CHIPS]}
    looks: dict[int, _Look] = {}
    for pixel_m in sorted({grid.pixel_m for grid in grids.values()}):
        same = {number: grid for number, grid in grids.items() if grid.pixel_m == pixel_m}
        windows = [
            Window(row=-grid.top_px, col=grid.left_px, height=_CHIP_PX, width=_CHIP_PX)
            for grid in same.values()
        ]
        origin = replace(page.grid, pixel_m=pixel_m, left_px=0, top_px=0)
        looks.update(zip(same, _look(page.pair, origin, windows), strict=True))
    return [_chip(mark, grids[n], looks[n]) for n, mark in enumerate(page.suspects[:_CHIPS], 1)]


def _chip_grid(mark: _Mark, area: WorkingGrid) -> WorkingGrid:
    left, bottom, right, top = mark.item.change.outline.bounds
    least = max(right - left, top - bottom) / _CHIP_FILL
    side = next((side for side in _CHIP_SIDES_M if side >= least), _CHIP_SIDES_M[-1])
    pixel_m = side / _CHIP_PX
    col = round((left + right - side) / 2 / pixel_m)
    row = round((bottom + top + side) / 2 / pixel_m)
    return replace(area, pixel_m=pixel_m, left_px=col, top_px=row, width=_CHIP_PX, height=_CHIP_PX)


def _chip(mark: _Mark, grid: WorkingGrid, looks: _Look) -> Image.Image:
    chip = Image.new("RGB", (2 * _CHIP_PX + 4, _CHIP_PX + 54), PAPER)
    for i, pixels in enumerate(looks):
        _trace(pixels, [mark], grid)
        chip.paste(Image.fromarray(pixels), (i * (_CHIP_PX + 4), 0))
    draw, note, y = ImageDraw.Draw(chip), load_font(_NOTE_PX), _CHIP_PX + 4
    wide = say(N_("{width:.0f} m wide")).format(width=grid.pixel_m * _CHIP_PX)
    write_line(draw, (0, y), str(mark.number), INK, load_font(_TEXT_PX))
    write_line(draw, (chip.width, y + 4), _area([mark]), INK, note, to_left=True)
    write_line(draw, (0, y + 28), say(REASON_WORDS[mark.item.reason]), INK, note)
    write_line(draw, (chip.width, y + 28), wide, INK, note, to_left=True)
    return chip
