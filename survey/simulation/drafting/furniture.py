"""Everything in an area that is no structure: what grows, stands, drives and lies about."""

from dataclasses import dataclass

import numpy as np

from survey.simulation.drafting.enclosures import enclose, string_wires
from survey.simulation.drafting.greenery import plant
from survey.simulation.drafting.groundwork import mend_roads, work_ground
from survey.simulation.drafting.land import Land
from survey.simulation.drafting.markets import hold_markets
from survey.simulation.drafting.site import Ledger, Site
from survey.simulation.drafting.stores import stack_yards, store
from survey.simulation.drafting.traffic import drive, lay_car_parks, moor, park, park_cars
from survey.simulation.scene import Patch, Prop, Structure, Tree

__all__ = ["Furnishing", "furnish"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Furnishing:
    """All that is no structure, through all flights."""

    trees: tuple[Tree, ...]
    """Trees and shrubs."""
    props: tuple[Prop, ...]
    """Vehicles, walls, wires and stored goods."""
    patches: tuple[Patch, ...]
    """Ground covers that lie over those of the land."""


def furnish(
    rng: np.random.Generator, land: Land, structures: tuple[Structure, ...], *, flights: int
) -> Furnishing:
    """Furnish an area with all that is no structure and must never be taken for one.

    What stays for years is placed first and what comes and goes last. At no flight stands
    anything solid in a structure or in another solid thing; only crowns of trees hang over roofs,
    and wires over ground. Ground that is built on later is furnished like any other until then,
    or its emptiness would tell of the structure to come; cleared ground fills again.

    Parameters
    ----------
    rng
        Source of chance; the same state gives the same furnishing.
    land
        Zones, roads and covers.
    structures
        All structures of all flights.
    flights
        Number of flights, at least 1.

    Returns
    -------
    Furnishing
        Trees, props and patches.

    Raises
    ------
    ValueError
        If there is no flight.

    Examples
    --------
    >>> idle = Land(side_m=100.0, zones=(), roads=(), patches=())
    >>> furnishing = furnish(np.random.default_rng(1), idle, (), flights=2)
    >>> len(furnishing.trees) > 20, {prop.kind for prop in furnishing.props} & {"car", "wall"}
    (True, set())
    """
    if flights < 1:
        msg = f"{flights} flights: an area is furnished for at least one"
        raise ValueError(msg)
    site, ledger = Site.around(land, structures, flights), Ledger()
    props = string_wires(rng, site, ledger)
    props += enclose(rng, site, ledger)
    lots = lay_car_parks(rng, site)
    trees = plant(rng, site, ledger)
    ground = work_ground(rng, site, ledger)
    props += moor(rng, site, ledger)
    props += drive(rng, site, ledger)
    props += park_cars(rng, site, ledger, lots)
    props += hold_markets(rng, site, ledger)
    props += stack_yards(rng, site, ledger)
    props += store(rng, site, ledger)
    props += park(rng, site, ledger)
    return Furnishing(
        trees=tuple(trees),
        props=tuple(props),
        patches=(*lots, *ground, *mend_roads(rng, site)),
    )
