"""Shapes: drawings of lines and letters that a PDF and an HTML page both can show. Pure.

Everything lies in millimetres from the upper left corner of its drawing, y down.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

__all__ = [
    "BLUE",
    "GREY",
    "INK",
    "PAPER",
    "RED",
    "Drawing",
    "Label",
    "Patch",
    "Shape",
    "Stroke",
    "nice_length",
    "nice_ticks",
]

Point = tuple[float, float]
"""(x, y), mm."""
Colour = tuple[int, int, int]

INK, PAPER, GREY = (20, 20, 20), (255, 255, 255), (120, 120, 120)
"""Red, green, blue of letters, of what lies beneath them, and of what matters less."""
RED, BLUE = (213, 40, 0), (0, 90, 160)
"""Red, green, blue of the suspect and the later flight, and of the earlier flight."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stroke:
    """A line."""

    points: tuple[Point, ...]
    """Its corners, mm."""
    colour: Colour = INK
    """Red, green, blue."""
    width: float = 0.2
    """Its width, mm."""
    dashed: bool = False
    """Whether it is dashed: seen in black and white too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Patch:
    """An area without an edge."""

    points: tuple[Point, ...]
    """Its corners, mm."""
    colour: Colour = INK
    """Red, green, blue."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """A line of text."""

    x: float
    """Where it is anchored, mm."""
    y: float
    """Its baseline, mm."""
    text: str
    """Plain text."""
    size: float = 6.0
    """Points."""
    anchor: str = "start"
    """What lies at ``x``: its ``start``, ``middle`` or ``end``."""
    colour: Colour = INK
    """Red, green, blue."""
    room: float = math.inf
    """What does not fit into this width, mm, is made to."""


Shape = Stroke | Patch | Label


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """Shapes in a frame, those drawn first beneath."""

    width: float
    """mm."""
    height: float
    """mm."""
    shapes: tuple[Shape, ...]
    """What is drawn."""


def nice_length(most: float) -> float:
    """Return the largest of 1, 2 and 5 times a power of ten that is not longer.

    Examples
    --------
    >>> nice_length(19.0), nice_length(0.7)
    (10.0, 0.5)
    """
    ten = 10.0 ** math.floor(math.log10(most))
    return max(step * ten for step in (1, 2, 5) if step * ten <= most * (1 + 1e-9))


def nice_ticks(lowest: float, highest: float, count: int) -> Sequence[float]:
    """Return round numbers within a range, ``count`` or fewer, or one more.

    Examples
    --------
    >>> nice_ticks(9.8, 13.6, 4)
    [10.0, 11.0, 12.0, 13.0]
    """
    if not highest > lowest:
        return [lowest]
    least = (highest - lowest) / count
    longer = (nice_length(least * more) for more in (1.0, 2.0, 2.5))
    step = next(step for step in longer if step >= least * (1 - 1e-9))
    return list(_multiples(step, lowest, highest))


def _multiples(step: float, lowest: float, highest: float) -> Iterator[float]:
    first = math.ceil(lowest / step - 1e-9)
    last = math.floor(highest / step + 1e-9)
    for number in range(first, last + 1):
        # Not added up: ten times 0.1 is not 1.
        yield round(number * step, 9)
