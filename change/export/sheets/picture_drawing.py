"""What is drawn over a suspect's picture: its outline, a scale bar, an arrow to the north. Pure."""

from collections.abc import Iterator

import shapely
from shapely import LineString, Polygon

from change.export.dossier import Chip
from change.export.sheets.shapes import (
    INK,
    PAPER,
    RED,
    Drawing,
    Label,
    Patch,
    Shape,
    Stroke,
    nice_length,
)

__all__ = ["draw_over_picture", "scale_bar"]

# The longest a scale bar becomes, as a share of its drawing.
_LONGEST_BAR = 0.35


def draw_over_picture(chip: Chip, outline: Polygon, side: float) -> Drawing:
    """Return what lies over a picture of a suspect.

    Parameters
    ----------
    chip
        Where the picture lies.
    outline
        The suspect's outline, m.
    side
        Width and height of the picture on the sheet, mm.
    """
    mm_of_m = side / (chip.side_px * chip.pixel_m)
    shapes = (
        *scale_bar(side, side, mm_of_m),
        *_north(side),
        *_outline(chip, outline, mm_of_m),
    )
    return Drawing(width=side, height=side, shapes=shapes)


def _outline(chip: Chip, outline: Polygon, mm_of_m: float) -> Iterator[Shape]:
    extent = chip.side_px * chip.pixel_m
    # Half a pixel of the picture is less than anybody sees, and city blocks have many corners.
    edge = outline.simplify(chip.pixel_m / 2).boundary
    seen = shapely.clip_by_rect(edge, chip.left, chip.top - extent, chip.left + extent, chip.top)
    lines = [part for part in shapely.get_parts(seen) if isinstance(part, LineString)]
    drawn = [
        tuple(((x - chip.left) * mm_of_m, (chip.top - y) * mm_of_m) for x, y, *_ in line.coords)
        for line in lines
    ]
    # White beneath red: seen on dark roofs and on red ones.
    yield from (Stroke(points=points, colour=PAPER, width=0.9) for points in drawn)
    yield from (Stroke(points=points, colour=RED, width=0.4) for points in drawn)


def scale_bar(
    width: float, height: float, mm_of_m: float, *, on_right: bool = False
) -> Iterator[Shape]:
    """Yield a bar of a round length in a lower corner of a drawing.

    Parameters
    ----------
    width, height
        Of the drawing, mm.
    mm_of_m
        How many mm of the drawing a metre of ground takes.
    on_right
        Whether in the right corner, not in the left one.
    """
    length_m = nice_length(_LONGEST_BAR * width / mm_of_m)
    length, bottom = length_m * mm_of_m, height - 1.2
    plate = max(length, 8.0) + 2.0
    left = width - plate if on_right else 0.0
    right, top, start = left + plate, height - 5.0, left + 1.0
    yield Patch(points=((left, height), (right, height), (right, top), (left, top)), colour=PAPER)
    end = start + length
    ends = ((start, bottom - 1.0), (start, bottom), (end, bottom), (end, bottom - 1.0))
    yield Stroke(points=ends, colour=INK, width=0.3)
    text = f"{length_m / 1000:g} km" if length_m >= 1000 else f"{length_m:g} m"
    yield Label(x=left + plate / 2, y=bottom - 1.5, text=text, anchor="middle")


def _north(side: float) -> Iterator[Shape]:
    right = side - 3.2
    plate = ((side - 6.4, 0.0), (side, 0.0), (side, 8.6), (side - 6.4, 8.6))
    yield Patch(points=plate, colour=PAPER)
    arrow = ((right, 0.8), (right + 1.7, 5.4), (right, 4.4), (right - 1.7, 5.4))
    yield Patch(points=arrow)
    yield Label(x=right, y=7.9, text="N", anchor="middle")
