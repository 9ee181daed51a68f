"""What a painter has to know of the flight: which one, what season, where the sun stands."""

from dataclasses import dataclass

from survey.simulation.flights import FlightPlan
from survey.simulation.palette import greenness
from survey.simulation.sun import Sun

__all__ = ["Moment", "moment_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """The time at which a scene is seen."""

    flight: int
    """Index of the flight."""
    day: int
    """Day of the year, from 1."""
    green: float
    """How green vegetation is, 0 to 1."""
    sun: Sun
    """Direction to the sun."""
    seed: int
    """Seed of what is never twice the same."""


def moment_of(plan: FlightPlan) -> Moment:
    """Take from a flight what painters need."""
    return Moment(
        flight=plan.index,
        day=plan.flown_at.timetuple().tm_yday,
        green=greenness(plan.flown_at.date()),
        sun=plan.sun,
        seed=plan.seed,
    )
