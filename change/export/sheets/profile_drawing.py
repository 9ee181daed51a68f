"""The heights along a line through a suspect, before and after, as a drawing. Pure."""

import math
from collections.abc import Iterator, Sequence

from change.export.dossier import Profile
from change.export.sheets.shapes import (
    BLUE,
    GREY,
    INK,
    RED,
    Drawing,
    Label,
    Shape,
    Stroke,
    nice_ticks,
)

__all__ = ["draw_profile"]

_LEFT, _RIGHT, _TOP, _BOTTOM = 9.0, 2.0, 4.5, 6.5
# A profile over level ground is drawn this high at least, m: noise must not look like a wall.
_LEAST_SPAN_M = 4.0


def draw_profile(
    profile: Profile, size: tuple[float, float], words: tuple[str, str, str, str]
) -> Drawing | None:
    """Return the drawing of a profile; None where no height is known.

    Parameters
    ----------
    profile
        Heights at both flights.
    size
        Width and height, mm.
    words
        What to call the earlier flight, the later flight, the distance and the height.
    """
    rows = list(zip(profile.distance_m, profile.before_m, profile.after_m, strict=False))
    known = [z for _at, *heights in rows for z in heights if z is not None and math.isfinite(z)]
    if not known or len(rows) < 2 or not rows[-1][0] > rows[0][0]:
        return None
    width, height = size
    plot = _Plot(size, (rows[0][0], rows[-1][0]), _span(known))
    before, after, along, up = words
    shapes = (
        *plot.axes(),
        *plot.curve([(at, z) for at, z, _ in rows], dashed=True),
        *plot.curve([(at, z) for at, _, z in rows], dashed=False),
        *_legend(width, before, after),
        Label(x=0.0, y=2.6, text=up, colour=GREY, room=width * 0.22),
        Label(x=width, y=height - 0.6, text=along, anchor="end", colour=GREY, room=width * 0.8),
    )
    return Drawing(width=width, height=height, shapes=shapes)


def _span(known: Sequence[float]) -> tuple[float, float]:
    lowest, highest = min(known), max(known)
    missing = max(0.0, _LEAST_SPAN_M - (highest - lowest))
    edge = 0.05 * (highest - lowest + missing)
    return lowest - edge, highest + missing + edge


def _legend(width: float, before: str, after: str) -> Iterator[Shape]:
    room = (width * 0.75 - 16.0) / 2
    for start, name, colour, dashed in (
        (width * 0.25, before, BLUE, True),
        (width * 0.25 + room + 8.0, after, RED, False),
    ):
        line = ((start, 1.8), (start + 5.0, 1.8))
        yield Stroke(points=line, colour=colour, width=0.5, dashed=dashed)
        yield Label(x=start + 6.0, y=2.6, text=name, room=room)


class _Plot:
    """Axes: what is where on the drawing."""

    def __init__(
        self, size: tuple[float, float], along: tuple[float, float], up: tuple[float, float]
    ) -> None:
        self._along, self._up = along, up
        self._right, self._bottom = size[0] - _RIGHT, size[1] - _BOTTOM

    def _x(self, at: float) -> float:
        start, end = self._along
        return _LEFT + (at - start) / (end - start) * (self._right - _LEFT)

    def _y(self, z: float) -> float:
        low, high = self._up
        return self._bottom - (z - low) / (high - low) * (self._bottom - _TOP)

    def axes(self) -> Iterator[Shape]:
        """Yield the frame, its ticks and their numbers."""
        for z in nice_ticks(*self._up, 4):
            y = self._y(z)
            line = ((_LEFT, y), (self._right, y))
            yield Stroke(points=line, colour=(205, 205, 205), width=0.1)
            yield Label(x=_LEFT - 1.0, y=y + 0.7, text=f"{z:g}", anchor="end", colour=GREY)
        for at in nice_ticks(*self._along, 6):
            x = self._x(at)
            yield Stroke(points=((x, self._bottom), (x, self._bottom + 0.8)), width=0.15)
            yield Label(x=x, y=self._bottom + 3.0, text=f"{at:g}", anchor="middle", colour=GREY)
        corner = ((_LEFT, _TOP), (_LEFT, self._bottom), (self._right, self._bottom))
        yield Stroke(points=corner, colour=INK, width=0.2)

    def curve(
        self, heights: Sequence[tuple[float, float | None]], *, dashed: bool
    ) -> Iterator[Shape]:
        """Yield a line of heights, broken where none is known."""
        colour = BLUE if dashed else RED
        run: list[tuple[float, float]] = []
        for at, z in [*heights, (math.nan, None)]:
            if z is not None and math.isfinite(z):
                run.append((self._x(at), self._y(z)))
                continue
            if len(run) == 1:
                # One height alone is no line, but it is known.
                run.append((run[0][0] + 0.3, run[0][1]))
            if run:
                yield Stroke(points=tuple(run), colour=colour, width=0.45, dashed=dashed)
            run = []
