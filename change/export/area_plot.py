"""How the flights of an area drift over time, as a drawing in SVG: shifts above, closures below."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape

from change.area_result import AreaResult
from survey.words import _

__all__ = ["draw_drift"]

_WIDTH, _SHIFT_PX, _CLOSURE_PX = 1000, 250, 110
_LEFT, _RIGHT, _TOP, _GAP, _BOTTOM = 64, 24, 34, 56, 46
# Okabe and Ito (2008): told apart by all eyes, and in grey by their marks.
_EAST, _NORTH, _CLOSURE = "#0072b2", "#d55e00", "#5b636d"
_INK, _LINE = "#1a1d21", "#d9dde2"
# A day's label needs so many pixels.
_LABEL_PX = 84
_STEPS = (1, 2, 5)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Mark:
    """One flight in the drawing."""

    x: float
    label: str
    east: float
    north: float
    closure: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Scale:
    """Metres to pixels from the top."""

    low: float
    high: float
    top: float
    height: float

    def at(self, value: float) -> float:
        return self.top + (self.high - value) / (self.high - self.low) * self.height

    def ticks(self) -> list[float]:
        """Return three to six round values."""
        step = _round_step((self.high - self.low) / 5)
        first = math.ceil(self.low / step - 1e-9)
        return [i * step for i in range(first, math.floor(self.high / step + 1e-9) + 1)]


def draw_drift(result: AreaResult) -> str:
    """Return the drawing as an SVG element, or nothing where no flight has a place.

    Parameters
    ----------
    result
        What was found of the area.
    """
    marks = _marks(result)
    if len(marks) < 2:
        return ""
    values = [value for mark in marks for value in (mark.east, mark.north)]
    room = 0.08 * (max(values) - min(values)) + 0.01
    shifts = _Scale(low=min(values) - room, high=max(values) + room, top=_TOP, height=_SHIFT_PX)
    worst = max((mark.closure or 0.0 for mark in marks), default=0.0)
    closures = _Scale(
        low=0.0,
        high=max(1.15 * worst, 0.01),
        top=_TOP + _SHIFT_PX + _GAP,
        height=_CLOSURE_PX,
    )
    height = closures.top + closures.height + _BOTTOM
    title = _("Shift and closure of every flight over time")
    parts = [
        f'<svg viewBox="0 0 {_WIDTH} {height:.0f}" role="img" aria-label="{escape(title)}"'
        ' font-size="14" font-family="inherit">',
        *_axis(shifts, _("median shift against the reference, m")),
        *_axis(closures, _("closure: two ways to the same flight differ by, m")),
        *_legend(),
        *_series([(m.x, shifts.at(m.east)) for m in marks], _EAST, square=False),
        *_series([(m.x, shifts.at(m.north)) for m in marks], _NORTH, square=True),
        *_bars(marks, closures),
        *_days(marks, closures.top + closures.height),
        "</svg>",
    ]
    return "\n".join(parts)


def _marks(result: AreaResult) -> list[_Mark]:
    """Return the flights that have a place, at their days; evenly spread where one has none."""
    shown = [
        number
        for number in range(len(result.flights))
        if number == result.reference or result.alignment(number) is not None
    ]
    days = [result.flights[number].day for number in shown]
    known = [day.toordinal() for day in days if day is not None]
    dated = len(known) == len(days) and len(set(known)) > 1
    places = [float(day) for day in known] if dated else [float(i) for i in range(len(shown))]
    low = min(places)
    span = max(places) - low or 1.0
    inside = _WIDTH - _LEFT - _RIGHT - _LABEL_PX
    marks = []
    for number, place in zip(shown, places, strict=True):
        alignment = result.alignment(number)
        east, north = (0.0, 0.0) if alignment is None else alignment.shift_m
        placed = result.by_flight.get(number)
        marks.append(
            _Mark(
                x=_LEFT + _LABEL_PX / 2 + (place - low) / span * inside,
                label=result.flights[number].label,
                east=east,
                north=north,
                closure=None if placed is None else placed.closure_m,
            )
        )
    return marks


def _round_step(wanted: float) -> float:
    """Return the next of 1, 2, 5 times a power of ten.

    Examples
    --------
    >>> [_round_step(value) for value in (0.013, 0.2, 0.7)]
    [0.02, 0.2, 1.0]
    """
    exponents = range(-4, 5)
    rounds = [float(f"{digit}e{exponent}") for exponent in exponents for digit in _STEPS]
    return next((step for step in rounds if step >= wanted), rounds[-1])


def _axis(scale: _Scale, title: str) -> Iterator[str]:
    yield f'<text x="{_LEFT}" y="{scale.top - 12:.0f}" font-weight="600">{escape(title)}</text>'
    digits = max(0, -math.floor(math.log10(_round_step((scale.high - scale.low) / 5)) + 1e-9))
    for value in scale.ticks():
        y = scale.at(value)
        ink = _INK if abs(value) < 1e-9 else _LINE
        yield f'<path d="M{_LEFT} {y:.1f}H{_WIDTH - _RIGHT}" stroke="{ink}"/>'
        text = f"{value:.{digits}f}".replace("-", "\u2212") if abs(value) > 1e-9 else "0"
        yield f'<text x="{_LEFT - 8}" y="{y + 5:.1f}" text-anchor="end">{text}</text>'


def _legend() -> Iterator[str]:
    for left, ink, square, name in (
        (_WIDTH - 200, _EAST, False, _("east")),
        (_WIDTH - 110, _NORTH, True, _("north")),
    ):
        yield _mark(left, _TOP - 17, ink, square=square)
        yield f'<text x="{left + 12}" y="{_TOP - 12}">{escape(name)}</text>'


def _series(points: Sequence[tuple[float, float]], ink: str, *, square: bool) -> Iterator[str]:
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    dashes = ' stroke-dasharray="6 4"' if square else ""
    yield f'<polyline points="{line}" fill="none" stroke="{ink}" stroke-width="2"{dashes}/>'
    for x, y in points:
        yield _mark(x, y, ink, square=square)


def _mark(x: float, y: float, ink: str, *, square: bool) -> str:
    if square:
        return f'<rect x="{x - 5:.1f}" y="{y - 5:.1f}" width="10" height="10" fill="{ink}"/>'
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="5.5" fill="{ink}"/>'


def _bars(marks: Sequence[_Mark], scale: _Scale) -> Iterator[str]:
    bottom = scale.top + scale.height
    for mark in marks:
        if mark.closure is None:
            yield f'<text x="{mark.x:.1f}" y="{bottom - 5:.1f}" text-anchor="middle">–</text>'
            continue
        y = scale.at(mark.closure)
        yield (
            f'<rect x="{mark.x - 9:.1f}" y="{y:.1f}" width="18" height="{bottom - y:.1f}"'
            f' fill="{_CLOSURE}"/>'
        )
        text = f"{mark.closure:.2f}"
        yield f'<text x="{mark.x:.1f}" y="{y - 5:.1f}" text-anchor="middle">{text}</text>'


def _days(marks: Sequence[_Mark], top: float) -> Iterator[str]:
    """Write under the marks what they are, as far as there is room."""
    last = -math.inf
    for mark in marks:
        yield f'<path d="M{mark.x:.1f} {top:.0f}v6" stroke="{_INK}"/>'
        if mark.x - last >= _LABEL_PX:
            last = mark.x
            text = escape(mark.label if len(mark.label) <= 12 else mark.label[:11] + "…")
            yield f'<text x="{mark.x:.1f}" y="{top + 22:.0f}" text-anchor="middle">{text}</text>'
