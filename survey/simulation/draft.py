"""A whole area drawn from a seed: land, stock, the year's events, trees and traffic."""

import datetime as dt

import numpy as np

from survey.simulation.blocks import Block, Plot, draw_blocks, draw_covers, draw_plots, draw_roads
from survey.simulation.furniture import Ground, draw_props, draw_trees
from survey.simulation.houses import draw_hall, draw_house, draw_shed, draw_wing
from survey.simulation.lives import YEAR, Event, Ledger, Site
from survey.simulation.scene import Patch, Scene, Structure

__all__ = ["draw_scene"]

_SETBACK_M = 0.9
_ANNEX_ROOM_M = 4.2
_SHED_SHARE = 0.45
_WING_SHARE = 0.4
_YEAR_AREA_M2 = 40_000.0


def draw_scene(rng: np.random.Generator, *, side_m: float, dates: tuple[dt.date, ...]) -> Scene:
    """Draw an area and all that happens in it between its flights.

    Parameters
    ----------
    rng
        Where chance comes from.
    side_m
        Side of the square area, metres.
    dates
        Days of the flights, in order.

    Returns
    -------
    Scene
        With 2 villages, a factory and fields per 4 ha, and `lives.YEAR` acted out as often as
        the area holds 4 ha (once where it is smaller, as far as there is room).

    Examples
    --------
    >>> days = (dt.date(2025, 3, 15), dt.date(2025, 9, 15))
    >>> scene = draw_scene(np.random.default_rng(5), side_m=60.0, dates=days)
    >>> len(scene.structures) > 1
    True
    """
    blocks = draw_blocks(rng, side_m)
    plots = {index: draw_plots(rng, block) for index, block in enumerate(blocks)}
    ledger = Ledger(rng, dates)
    plot_sites, corner_sites = _settle(rng, ledger, blocks, plots)
    if len(dates) > 1:
        for _ in range(max(1, round(side_m * side_m / _YEAR_AREA_M2))):
            _act(rng, ledger, plot_sites, corner_sites)
    roads = draw_roads(rng, side_m, blocks)
    covers = [
        patch
        for index, block in enumerate(blocks)
        for patch in draw_covers(rng, block, plots[index])
    ]
    ground = Ground.around(tuple(ledger.structures), roads, side_m)
    return Scene(
        seed=int(rng.integers(2**31)),
        side_m=side_m,
        structures=tuple(ledger.structures),
        permits=tuple(ledger.permits),
        trees=draw_trees(rng, ground, blocks, flights=len(dates)),
        patches=(*covers, *_draw_scars(rng, ledger.structures)),
        roads=roads,
        props=draw_props(rng, ground, blocks, plots, flights=len(dates)),
    )


def _settle(
    rng: np.random.Generator,
    ledger: Ledger,
    blocks: tuple[Block, ...],
    plots: dict[int, tuple[Plot, ...]],
) -> tuple[list[Site], list[Site]]:
    """Build the stock; give the free plots and the free corners of yards."""
    free: list[Site] = []
    corners: list[Site] = []
    for index, block in enumerate(blocks):
        if block.use == "factory":
            _build_factory(rng, ledger, block)
        if block.use != "village":
            continue
        for plot in plots[index]:
            room_m = plot.length_m - 2 * _SETBACK_M
            if plot.built:
                corners += _build_home(rng, ledger, plot)
            else:
                free.append(Site(place=plot.place, length_m=room_m, width_m=room_m))
    return free, corners


def _build_home(rng: np.random.Generator, ledger: Ledger, plot: Plot) -> list[Site]:
    """Build a house in one corner of a plot and perhaps a shed in the opposite one."""
    room_m = plot.length_m - 2 * _SETBACK_M
    length_m = float(rng.uniform(8.5, max(8.6, room_m - _ANNEX_ROOM_M)))
    width_m = float(rng.uniform(7.5, max(7.6, min(10.5, room_m - 5.2))))
    side_u, side_v = (float(side) for side in rng.choice([-1.0, 1.0], 2))
    slack_u, slack_v = (room_m - length_m) / 2, (room_m - width_m) / 2
    place = plot.place.move(side_u * slack_u, side_v * slack_v)
    parts = [draw_house(rng, place, length_m, width_m)]
    if rng.random() < _WING_SHARE:
        wing_m, depth_m = 0.45 * length_m, float(rng.uniform(2.2, 3.4))
        beside = place.move(side_u * (length_m - wing_m) / 2, -side_v * (width_m + depth_m) / 2)
        parts.append(draw_wing(rng, beside, wing_m, depth_m))
    number = ledger.enter_stock("residential", tuple(parts))
    if room_m - length_m >= _ANNEX_ROOM_M - 0.1:
        ledger.annex_sites[number] = place.move(-side_u * (length_m / 2 + 2.0), 0.0)
    depth_m = min(4.6, room_m - width_m - 0.6)
    shed_m = float(rng.uniform(4.0, 7.0))
    corner = plot.place.move(-side_u * (room_m - shed_m) / 2, -side_v * (room_m - depth_m) / 2)
    if rng.random() < _SHED_SHARE:
        depth_m *= float(rng.uniform(0.8, 1.0))
        ledger.enter_stock("storage", (draw_shed(rng, corner, shed_m, depth_m),))
        return []
    return [Site(place=corner, length_m=7.0, width_m=depth_m)]


def _build_factory(rng: np.random.Generator, ledger: Ledger, block: Block) -> None:
    """Build two halls, one with an annex, an office and a row of stores."""
    scale = block.side_m / 82.0
    hall = block.place.move(-18.0 * scale, -14.0 * scale)
    length_m, width_m = 40.0 * scale, 24.0 * scale
    annex = hall.move(length_m / 2 + 3.0 * scale, 0.0)
    main = draw_hall(rng, hall, length_m, width_m)
    ledger.enter_stock("industrial", (main, draw_shed(rng, annex, 6.0 * scale, 0.8 * width_m)))
    second = block.place.move(20.0 * scale, 20.0 * scale, 90.0)
    ledger.enter_stock("industrial", (draw_hall(rng, second, 30.0 * scale, 18.0 * scale),))
    office = block.place.move(-22.0 * scale, 24.0 * scale)
    ledger.enter_stock("industrial", (draw_house(rng, office, 22.0 * scale, 10.0 * scale),))
    for step in range(2):
        store = block.place.move((18.0 + 13.0 * step) * scale, -30.0 * scale)
        ledger.enter_stock("storage", (draw_shed(rng, store, 11.0 * scale, 5.5 * scale),))


def _act(
    rng: np.random.Generator, ledger: Ledger, plot_sites: list[Site], corner_sites: list[Site]
) -> None:
    """Act out one year on whatever sites are left."""
    for event in YEAR:
        if event.area_m2 == 0.0:
            ledger.alter(event)
            continue
        sites = _candidates(event, plot_sites, corner_sites)
        if not sites:
            continue
        site = sites[int(rng.integers(len(sites)))]
        (corner_sites if site in corner_sites else plot_sites).remove(site)
        ledger.build(event, site)


def _candidates(event: Event, plot_sites: list[Site], corner_sites: list[Site]) -> list[Site]:
    """Give the sites an event may take: corners of yards if it fits there, else free plots."""
    fit = [site for site in corner_sites if site.length_m * site.width_m >= event.area_m2]
    return fit or plot_sites


def _draw_scars(rng: np.random.Generator, structures: list[Structure]) -> list[Patch]:
    """Leave rubble where a structure was removed, and trodden soil around new ones."""
    scars = []
    for structure in structures:
        for state in structure.states:
            parts = state.parts or structure.states[0].parts
            if state.flight == 0 or (state.parts and state is not structure.states[0]):
                continue
            scars.append(
                Patch(
                    kind="soil" if state.parts else "rubble",
                    place=parts[0].place,
                    length_m=parts[0].length_m + 1.5,
                    width_m=parts[0].width_m + 1.5,
                    seed=int(rng.integers(2**31)),
                    first_flight=state.flight,
                )
            )
    return scars
