"""Draws shared by everything that furnishes an area: seeds, choices, and when a thing is there."""

from collections.abc import Mapping, Sequence
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from survey.simulation.scene import ALWAYS, Span

__all__ = ["cut_span", "draw_seed", "draw_spans", "pick", "pick_weighted", "spread"]

T = TypeVar("T")


def draw_seed(rng: np.random.Generator) -> int:
    """Draw the seed of a texture."""
    return int(rng.integers(2**31))


def pick(rng: np.random.Generator, options: Sequence[T]) -> T:
    """Draw one of the options, each as likely."""
    return options[int(rng.random() * len(options))]


def pick_weighted(rng: np.random.Generator, weights: Mapping[T, float]) -> T:
    """Draw one of the keys, as likely as its weight says."""
    left = float(rng.random()) * sum(weights.values())
    for option, weight in weights.items():
        left -= weight
        if left < 0.0:
            return option
    return next(reversed(list(weights)))


def spread(rng: np.random.Generator, bounds: tuple[float, float]) -> float:
    """Draw a number between two bounds."""
    low, high = bounds
    return low + (high - low) * float(rng.random())


def draw_spans(
    rng: np.random.Generator, count: float, stay: float, flights: int
) -> tuple[Span, ...]:
    """Draw the spans of things of which every flight sees as many.

    What is there at the first flight and what arrives later leaves at the same rate, so that
    neither the first nor the last flight is told by how full it is.

    Parameters
    ----------
    rng
        Source of chance.
    count
        Mean number of things that a flight sees.
    stay
        Mean number of flights that see a thing, at least 1; infinite for what never leaves.
    flights
        Number of flights.

    Returns
    -------
    tuple of Span
        One for every thing, by first flight.

    Examples
    --------
    >>> spans = draw_spans(np.random.default_rng(1), 40.0, 2.0, 6)
    >>> all(20 < sum(span.holds(flight) for span in spans) < 60 for flight in range(6))
    True
    """
    spans: list[Span] = []
    for first in range(flights):
        for _ in range(int(rng.poisson(count if first == 0 else count / stay))):
            end = first + int(rng.geometric(1.0 / stay)) if np.isfinite(stay) else flights
            stays = end >= flights
            spans.append(
                ALWAYS if stays and not first else Span(first=first, end=None if stays else end)
            )
    return tuple(spans)


def cut_span(span: Span, taken: npt.NDArray[np.bool_]) -> Span | None:
    """Cut a span to its first run of flights at which a place is not taken.

    Parameters
    ----------
    span
        The flights that would see a thing.
    taken
        True for the flights at which something else stands in its place, shape (flights,).

    Returns
    -------
    Span or None
        The span itself where nothing was to be cut; None where no flight is left.

    Examples
    --------
    >>> cut_span(ALWAYS, np.array([False, False, True]))
    Span(first=0, end=2)
    >>> cut_span(ALWAYS, np.array([True, False, False]))
    Span(first=1, end=None)
    >>> cut_span(Span(end=1), np.array([True, False, False])) is None
    True
    """
    flights = len(taken)
    last = flights if span.end is None else min(span.end, flights)
    free = np.flatnonzero(~taken[span.first : last]) + span.first
    if free.size == last - span.first:
        return span
    if not free.size:
        return None
    first = int(free[0])
    later = np.flatnonzero(taken[first:last])
    end = first + int(later[0]) if later.size else span.end
    return Span(first=first, end=end)
