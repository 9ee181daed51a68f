"""Locator: a small map of all suspects of a dossier, on which each sheet marks its own. Pure.

The dots are one picture for all sheets: thousands of dots on thousands of sheets are too many.
"""

import io
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from PIL import Image, ImageDraw

from change.export.dossier import Entry
from change.export.sheets.picture_drawing import scale_bar
from change.export.sheets.shapes import PAPER, RED, Drawing, Patch, Shape, Stroke

__all__ = ["Locator", "make_locator"]

# 300 dots per inch: what office printers show.
_PX_PER_MM = 12
# Less ground than this tells nobody where it lies, m.
_LEAST_M = 200.0
_DOT_PX, _DOT, _GROUND = 4, (70, 110, 150), (243, 245, 247)


@dataclass(frozen=True, slots=True, kw_only=True)
class Locator:
    """The map of all suspects, north up."""

    png: bytes
    """The dots, a square picture."""
    left: float
    """Western edge, m."""
    top: float
    """Northern edge, m."""
    side_m: float
    """Width and height of the ground, m."""

    def mark(self, x: float, y: float, side: float) -> Drawing:
        """Return what marks one suspect on the map.

        Parameters
        ----------
        x, y
            Where it lies, m.
        side
            Width and height of the map on the sheet, mm.
        """
        mm_of_m = side / self.side_m
        at = ((x - self.left) * mm_of_m, (self.top - y) * mm_of_m)
        # Not where the suspect is.
        scale = scale_bar(side, side, mm_of_m, on_right=at[0] < side / 2)
        shapes = (*scale, *_cross(at, side))
        return Drawing(width=side, height=side, shapes=shapes)


def make_locator(entries: Sequence[Entry], side: float) -> Locator:
    """Return the map of some suspects.

    Parameters
    ----------
    entries
        The suspects; at least one.
    side
        Width and height on the sheet, mm.
    """
    places = [(item.outline.centroid.x, item.outline.centroid.y) for item in entries]
    xs, ys = [x for x, _ in places], [y for _, y in places]
    extent = max(max(xs) - min(xs), max(ys) - min(ys), _LEAST_M) * 1.15
    left = (min(xs) + max(xs) - extent) / 2
    top = (min(ys) + max(ys) + extent) / 2
    pixels = round(side * _PX_PER_MM)
    picture = Image.new("RGB", (pixels, pixels), _GROUND)
    draw = ImageDraw.Draw(picture)
    for x, y in places:
        col, row = ((x - left) / extent * pixels, (top - y) / extent * pixels)
        draw.ellipse((col - _DOT_PX, row - _DOT_PX, col + _DOT_PX, row + _DOT_PX), _DOT)
    buffer = io.BytesIO()
    picture.quantize(16).save(buffer, format="PNG", optimize=True)
    return Locator(png=buffer.getvalue(), left=left, top=top, side_m=extent)


def _cross(at: tuple[float, float], side: float) -> Iterator[Shape]:
    """Yield a ring, and lines from it to the edges, so that it is found at a glance."""
    x, y = at
    reach = 1.7
    for points in (
        ((0.0, y), (x - reach, y)),
        ((x + reach, y), (side, y)),
        ((x, 0.0), (x, y - reach)),
        ((x, y + reach), (x, side)),
    ):
        yield Stroke(points=points, colour=RED, width=0.15)
    angles = [2 * math.pi * step / 24 for step in range(25)]
    ring = tuple((x + reach * math.cos(a), y + reach * math.sin(a)) for a in angles)
    yield Stroke(points=ring, colour=PAPER, width=1.0)
    yield Stroke(points=ring, colour=RED, width=0.5)
    yield Patch(points=tuple((x + (px - x) / 4, y + (py - y) / 4) for px, py in ring), colour=RED)
