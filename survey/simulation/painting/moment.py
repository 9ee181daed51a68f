"""What a painter has to know of the flight: which one, what season, where the sun stands."""

import datetime as dt
from dataclasses import dataclass

from survey.simulation.flights import FlightPlan
from survey.simulation.painting.palette import greenness
from survey.simulation.sun import Sun

__all__ = ["Moment", "moment_of"]

_START = dt.date(2025, 1, 1)


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
    wetness: float
    """How wet bare ground is, 0 to 1."""
    water_m: float
    """Level of ponds and canals above their mean, metres."""
    years: float
    """Years since the first day of 2025, by which trees have grown."""
    seed: int
    """Seed of what is never twice the same."""


def moment_of(plan: FlightPlan) -> Moment:
    """Take from a flight what painters need."""
    return Moment(
        flight=plan.index,
        day=plan.flown_at.timetuple().tm_yday,
        green=greenness(plan.flown_at.date()),
        sun=plan.sun,
        wetness=plan.wetness,
        water_m=plan.water_m,
        years=(plan.flown_at.date() - _START).days / 365.25,
        seed=plan.seed,
    )
