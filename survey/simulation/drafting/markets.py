"""Markets: rows of stalls and the crowds between them, on some days and not on others."""

from dataclasses import replace

import numpy as np

from survey.simulation.drafting.chances import draw_seed, pick, spread
from survey.simulation.drafting.land import Zone
from survey.simulation.drafting.places import hectares, inside, rows
from survey.simulation.drafting.site import Ledger, Site, settle
from survey.simulation.scene import ALWAYS, Place, Prop, Span

__all__ = ["hold_markets"]

_MARKET_DAYS = 0.55  # share of the flights that meet a market
_LASTING = 0.15  # share of the stalls that are never taken down
_AISLE_M = 5.4
_AWNINGS = ("blue", "blue", "blue", "red", "green", "white", "orange", "yellow", "beige")


def hold_markets(rng: np.random.Generator, site: Site, ledger: Ledger) -> list[Prop]:
    """Put up stalls in rows, and let people crowd between them.

    Parameters
    ----------
    rng
        Source of chance.
    site
        What to keep clear of.
    ledger
        What stands already; grows by the stalls.

    Returns
    -------
    list of Prop
        Stalls and crowds.
    """
    wishes: list[list[Prop]] = []
    for zone in (zone for zone in site.land.zones if zone.use == "market"):
        square = replace(
            zone, length_m=spread(rng, (0.5, 0.95)) * zone.length_m, width_m=0.85 * zone.width_m
        )
        days = [flight for flight in range(site.flights) if rng.random() < _MARKET_DAYS]
        wishes += _put_up(rng, square, days or [0])
        for day in days or [0]:
            crowds = int(rng.poisson(18.0 * hectares(zone)))
            wishes += [[_crowd(rng, inside(rng, square), day)] for _ in range(crowds)]
    return settle(site, ledger, wishes, 0.4)


def _put_up(rng: np.random.Generator, square: Zone, days: list[int]) -> list[list[Prop]]:
    """Give each place in the rows one stall that stays, or a stall on some of the days."""
    found: list[list[Prop]] = []
    step = spread(rng, (3.0, 6.0))
    for row, place in rows(square, step, _AISLE_M):
        if row % 5 == 4:  # an alley for carts
            continue
        if rng.random() < _LASTING:
            found.append([_stall(rng, place, step, ALWAYS)])
            continue
        comes = [day for day in days if rng.random() < 0.8]
        found += [[_stall(rng, place, step, Span(first=day, end=day + 1))] for day in comes]
    return found


def _stall(rng: np.random.Generator, place: Place, step_m: float, span: Span) -> Prop:
    return Prop(
        kind="stall",
        place=place.move(0.0, float(rng.normal(0.0, 0.15)), float(rng.normal(0.0, 2.0))),
        length_m=step_m - spread(rng, (0.6, 1.0)),
        width_m=spread(rng, (2.2, 3.4)),
        height_m=spread(rng, (2.2, 2.9)),
        tint=pick(rng, _AWNINGS),
        seed=draw_seed(rng),
        span=span,
    )


def _crowd(rng: np.random.Generator, place: Place, day: int) -> Prop:
    return Prop(
        kind="crowd",
        place=place,
        length_m=spread(rng, (2.0, 9.0)),
        width_m=spread(rng, (1.2, 2.2)),
        height_m=1.7,
        tint="black",
        seed=draw_seed(rng),
        span=Span(first=day, end=day + 1),
    )
