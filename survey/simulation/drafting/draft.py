"""A whole area drawn from a seed: land, stock, what happens, trees and traffic."""

import datetime as dt
from dataclasses import replace
from typing import Literal

import numpy as np

from survey.simulation.drafting.claims import Claims
from survey.simulation.drafting.events import act_out
from survey.simulation.drafting.furniture import furnish
from survey.simulation.drafting.land import Land, Use
from survey.simulation.drafting.layout import draw_land, draw_terrain
from survey.simulation.drafting.lives import Chronicle
from survey.simulation.drafting.manners import draw_manner
from survey.simulation.drafting.newcomers import Search
from survey.simulation.drafting.stock import fill_corners, settle
from survey.simulation.flights import Setting
from survey.simulation.scene import Scene

__all__ = ["draw_scene"]

_UNBUILT: tuple[Use, ...] = ("woods", "park")  # where nobody puts up anything new
Wild = Literal["grass", "soil", "scrub"]
_WILD: tuple[Wild, ...] = ("grass", "soil", "scrub")


def draw_scene(
    rng: np.random.Generator,
    *,
    side_m: float,
    dates: tuple[dt.date, ...],
    setting: Setting = "fringe",
    pace: float = 1.0,
) -> Scene:
    """Draw an area and all that happens in it between its flights.

    Parameters
    ----------
    rng
        Where chance comes from.
    side_m
        Side of the square area, metres.
    dates
        Days of the flights, in order.
    setting
        What kind of ground it is.
    pace
        How much is built, altered and removed, in multiples of the setting's usual. At 0 roofs
        are still repainted, and things on roofs and on the ground still come and go.

    Returns
    -------
    Scene
        The stock may reach over the edge of the area; what changes lies inside.

    Examples
    --------
    >>> days = (dt.date(2025, 3, 15), dt.date(2025, 9, 15))
    >>> scene = draw_scene(np.random.default_rng(5), side_m=60.0, dates=days)
    >>> len(scene.structures) > 1
    True
    """
    terrain = draw_terrain(rng, setting)
    land = draw_land(rng, setting, side_m)
    chronicle = Chronicle(rng, dates, _claim(land), draw_manner(rng, setting))
    for zone in land.zones:
        settle(chronicle, zone)
    for zone in land.zones:
        fill_corners(chronicle, zone)
    if pace > 0.0:
        zones = tuple(zone for zone in land.zones if zone.use not in _UNBUILT)
        act_out(Search(chronicle=chronicle, zones=zones), setting, pace)
    structures = tuple(chronicle.structures)
    covered = replace(land, patches=(*land.patches, *chronicle.patches))
    furnishing = furnish(rng, covered, structures, flights=len(dates))
    return Scene(
        seed=int(rng.integers(2**31)),
        side_m=side_m,
        terrain=terrain,
        wild=_draw_wild(rng, setting),
        structures=structures,
        permits=tuple(chronicle.permits),
        trees=furnishing.trees,
        patches=(*covered.patches, *furnishing.patches),
        roads=land.roads,
        props=furnishing.props,
    )


def _claim(land: Land) -> Claims:
    """Take the ground on which nobody builds: roads and water."""
    claims = Claims(land.side_m)
    for road in land.roads:
        claims.take_road(road)
    for patch in land.patches:
        if patch.kind in ("pond", "pit"):
            claims.take(patch.place.rectangle(patch.length_m, patch.width_m))
    return claims


def _draw_wild(rng: np.random.Generator, setting: Setting) -> Wild:
    """Draw what grows where nothing else does: trodden soil in towns, scrub on hills."""
    shares = {"town": (0.4, 0.5, 0.1), "hills": (0.4, 0.1, 0.5)}.get(setting, (0.5, 0.25, 0.25))
    if setting in ("urban_village", "industrial"):
        shares = (0.3, 0.6, 0.1)
    return _WILD[int(rng.choice(len(_WILD), p=shares))]
