"""What happens between the flights: how often what, and to which structure."""

import datetime as dt
import math
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np

from survey.simulation.drafting.growth import attach, carries, raise_storey, seat_on_roof, tear_down
from survey.simulation.drafting.houses import draw_house
from survey.simulation.drafting.lives import Chronicle, Kind
from survey.simulation.drafting.newcomers import Search, build_new, grant_for, grant_unused
from survey.simulation.drafting.stock import finish
from survey.simulation.drafting.works import draw_site
from survey.simulation.flights import Setting
from survey.simulation.scene import Part, Span, State, Structure

__all__ = ["act_out"]

_Shares = tuple[tuple[str, float], ...]

# Events in a hectare within a year of four flights: some 400 suspects in a km2 and year is what a
# street office at the edge of a city logs; the rest by eye.
_PER_HA: dict[Setting, float] = {
    "fringe": 4.2,
    "urban_village": 5.5,
    "town": 3.6,
    "industrial": 3.2,
    "farmland": 1.0,
    "greenhouses": 1.2,
    "hills": 1.3,
}
# Additions to factories and to roofs are most of what is confirmed (Suzhou: 42 % and 29 %).
_USUAL: _Shares = (
    ("shed", 4.4), ("house", 3.6), ("annex", 3.0), ("roof", 3.0), ("storey", 1.6),
    ("removed", 1.6), ("partly", 1.0), ("rebuilt", 1.7), ("brief", 1.1), ("unbuilt", 1.0),
    ("hall", 0.3), ("finished", 0.7),
)  # fmt: skip
_FACTOR: dict[Setting, dict[str, float]] = {
    "fringe": {},
    "urban_village": {"roof": 1.8, "storey": 1.6, "house": 0.7},
    "town": {"roof": 1.5, "hall": 1.5},
    "industrial": {"annex": 1.8, "hall": 8.0, "house": 0.4, "storey": 0.5},
    "farmland": {"shed": 1.5, "roof": 0.6, "hall": 2.0},
    "greenhouses": {"shed": 1.6, "roof": 0.5, "hall": 2.0},
    "hills": {"shed": 1.2, "roof": 0.7},
}
_QUARTERS_PER_HA = 0.15  # cleared for every step of pace beyond the usual
_QUARTER_M = (15.0, 38.0)
_LAWFUL_GROWTH = 0.16  # of storeys and annexes with a fresh permit
_FLIGHTS_OF_A_YEAR = 3  # pairs of successive flights
_ATTEMPTS = 4


def act_out(search: Search, setting: Setting, pace: float) -> None:
    """Let the time between the flights pass.

    How often what happens is drawn about the setting's shares, so that no two areas have the
    same script; the number of events is proportional to area and flights.

    Parameters
    ----------
    search
        Zones in which people build, and the chronicle to which everything is added.
    setting
        What kind of ground it is.
    pace
        How much happens, in multiples of the setting's usual; more than 1 is a boom, in which
        halls rise and whole quarters are cleared.
    """
    chronicle = search.chronicle
    if chronicle.flights < 2:
        return
    rng = chronicle.rng
    hectares = chronicle.claims.area_m2 / 10_000.0
    usual = _PER_HA[setting] * hectares * (chronicle.flights - 1) / _FLIGHTS_OF_A_YEAR
    count = max(1, int(rng.poisson(pace * usual * float(rng.uniform(0.7, 1.3)))))
    names = [name for name, _ in _USUAL]
    factors = _FACTOR[setting] | {"hall": _FACTOR[setting].get("hall", 1.0) * max(1.0, pace)}
    shares = np.array([share * factors.get(name, 1.0) for name, share in _USUAL])
    shares = rng.gamma(4.0, shares / 4.0)
    for _ in range(count):
        for name in rng.choice(names, size=_ATTEMPTS, p=shares / shares.sum()):
            # where one thing finds no room at two trials, another may
            if _EVENTS[str(name)](search) or _EVENTS[str(name)](search):
                break
    for _ in range(int(rng.poisson(_QUARTERS_PER_HA * hectares * max(0.0, pace - 1.0)))):
        _clear_quarter(search)


def _grow(
    chronicle: Chronicle, structure: Structure, kind: Kind, parts: tuple[Part, ...], flight: int
) -> None:
    """Let a structure grow, against its permit or with a fresh one."""
    rng, dates = chronicle.rng, chronicle.dates
    lawful = structure.states[-1].reason == "as_permitted" and rng.random() < _LAWFUL_GROWTH
    reason = "grown_beyond_permit" if structure.permit_number else "no_permit"
    if lawful and kind != "roof_addition":
        reason = "as_permitted"
    state = State(flight=flight, parts=parts, kind=kind, reason=reason)
    chronicle.follow(structure.number, state)
    if reason == "as_permitted":  # granted since the last flight that saw it as it was
        span = (dates[flight] - dates[flight - 1]).days
        granted = dates[flight - 1] + dt.timedelta(days=int(rng.integers(0, max(1, span // 2))))
        chronicle.permit(structure.number, granted=granted)


def _add_annex(search: Search) -> bool:
    chronicle = search.chronicle
    rng, flight = chronicle.rng, chronicle.take_flight()
    structure = chronicle.find(flight, _is_done)
    if structure is None:
        return False
    parts = structure.states[-1].parts
    for _ in range(8):
        host = parts[int(rng.integers(len(parts)))]
        if host.base_m > 0.0:
            continue
        most_m = 14.0 if structure.use == "industrial" else 5.5
        depth_m = float(rng.uniform(1.6, most_m))
        new = attach(rng, host, chronicle.manner, depth_m)
        others = [part.outline() for part in parts if part.base_m == 0.0]
        hits = any(new.outline().intersection(other).area > 1e-6 for other in others)
        if not hits and new.outline().area > 5.0 and chronicle.fits((new,), structure.number):
            _grow(chronicle, structure, "annex", (*parts, new), flight)
            return True
    return False


def _is_done(structure: Structure) -> bool:
    """Say whether a structure is no site: what is under construction has its own course."""
    kinds = ("foundation", "frame", "arch")
    return all(part.roof not in kinds for part in structure.states[-1].parts)


def _bare_roofs(structure: Structure, least_m2: float) -> list[int]:
    """List the volumes on whose roofs nothing is built yet."""
    parts = structure.states[-1].parts
    taken = {round(part.base_m, 6) for part in parts if part.base_m > 0.0}
    return [
        index
        for index, part in enumerate(parts)
        if carries(part, least_m2) and round(part.height_m, 6) not in taken
    ]


def _add_room(search: Search) -> bool:
    chronicle = search.chronicle
    rng, flight = chronicle.rng, chronicle.take_flight()
    structure = chronicle.find(flight, lambda item: bool(_bare_roofs(item, 22.0)))
    if structure is None:
        return False
    parts = structure.states[-1].parts
    index = _bare_roofs(structure, 22.0)[0]
    new = seat_on_roof(rng, parts[index], chronicle.manner)
    grown = (*parts[:index], *new, *parts[index + 1 :])
    _grow(chronicle, structure, "roof_addition", grown, flight)
    return True


def _add_storey(search: Search) -> bool:
    chronicle = search.chronicle
    rng, flight = chronicle.rng, chronicle.take_flight()
    structure = chronicle.find(flight, lambda item: bool(_bare_roofs(item, 30.0)))
    if structure is None or structure.use == "industrial":
        return False
    parts = structure.states[-1].parts
    index = _bare_roofs(structure, 30.0)[0]
    higher = raise_storey(rng, parts[index], 2 if rng.random() < 0.2 else 1)
    grown = (*parts[:index], higher, *parts[index + 1 :])
    _grow(chronicle, structure, "storey", grown, flight)
    return True


def _reason_of_removal(structure: Structure) -> str:
    return "removed_permitted" if structure.permit_number else "removed_unpermitted"


def _clear(chronicle: Chronicle, structure: Structure, flight: int) -> None:
    """Demolish a structure; its rubble lies about until some later flight."""
    rng = chronicle.rng
    parts = structure.states[-1].parts
    reason = _reason_of_removal(structure)
    chronicle.follow(
        structure.number, State(flight=flight, parts=(), kind="removed", reason=reason)
    )
    if rng.random() < 0.2:  # carted off at once
        return
    end = flight + 1 + int(rng.integers(0, 2))
    for part in (part for part in parts if part.base_m == 0.0):
        stays = end >= chronicle.flights
        chronicle.cover("soil", part, 1.6, Span(first=flight))
        rubble = Span(first=flight, end=None if stays else end)
        chronicle.cover("rubble", part, 0.8, rubble)


def _remove(search: Search) -> bool:
    chronicle = search.chronicle
    flight = chronicle.take_flight()
    structure = chronicle.find(flight, _is_small)
    if structure is None:
        return False
    _clear(chronicle, structure, flight)
    return True


def _clear_quarter(search: Search) -> None:
    """Demolish everything around a place, as for renewal."""
    chronicle = search.chronicle
    rng, flight = chronicle.rng, chronicle.take_flight()
    middle = chronicle.find(flight, _is_small)
    if middle is None:
        return
    reach_m = float(rng.uniform(*_QUARTER_M))
    for structure in list(chronicle.structures):
        away_m = math.dist((structure.foot.x, structure.foot.y), (middle.foot.x, middle.foot.y))
        if away_m < reach_m and chronicle.may_change(structure, flight) and _is_small(structure):
            _clear(chronicle, structure, flight)


def _is_small(structure: Structure) -> bool:
    """Say whether people would clear it: no towers, and no halls as large as a block."""
    parts = structure.states[-1].parts
    area = sum(part.length_m * part.width_m for part in parts)
    return area < 1500.0 and max(part.storeys for part in parts) < 9


def _remove_partly(search: Search) -> bool:
    """Tear a part down; the rest goes at a later flight, or stays."""
    chronicle = search.chronicle
    rng, flight = chronicle.rng, chronicle.take_flight()
    structure = chronicle.find(flight, lambda item: _is_done(item) and _is_small(item))
    if structure is None:
        return False
    before = structure.states[-1].parts
    left = tear_down(rng, structure)
    if not left:
        return False
    reason = _reason_of_removal(structure)
    state = State(flight=flight, parts=left, kind="partly_removed", reason=reason)
    changed = chronicle.follow(structure.number, state)
    stands = {part.outline() for part in left}
    for part in before:
        if part.outline() not in stands and len(before) > 1:
            chronicle.cover("rubble", part, 0.6, Span(first=flight))
    if flight + 1 < chronicle.flights and rng.random() < 0.35:
        _clear(chronicle, changed, int(rng.integers(flight + 1, chronicle.flights)))
    return True


def _rebuild(search: Search) -> bool:
    """Clear a house and build on its ground, between the same two flights or later."""
    chronicle = search.chronicle
    rng, flight = chronicle.rng, chronicle.take_flight()
    structure = chronicle.find(flight, lambda item: _is_small(item) and _is_stock_house(item))
    if structure is None:
        return False
    back = flight + int(rng.integers(0, min(3, chronicle.flights - flight)))
    parts, reason = _draw_successor(chronicle, structure)
    if not chronicle.fits(parts, structure.number):
        return False
    _clear(chronicle, structure, flight)
    state = State(flight=back, parts=parts, kind="building", reason=reason)
    new = chronicle.enter(structure.use, (state,), replaces=structure.number)
    if reason == "as_permitted":  # who rebuilds lawfully asks again
        chronicle.permit(new.number, granted=grant_for(chronicle, back))
    else:
        held = replace(new, permit_number=structure.permit_number)
        chronicle.structures[new.number - 1] = held
    return True


def _is_stock_house(structure: Structure) -> bool:
    return structure.use in ("residential", "storage") and len(structure.states) == 1


def _draw_successor(chronicle: Chronicle, old: Structure) -> tuple[tuple[Part, ...], str]:
    """Draw what is built in place of a structure, and how it stands to the old one's permit."""
    rng, parts = chronicle.rng, old.states[0].parts
    main = parts[0]
    storeys = max(part.storeys for part in parts)
    reason = "as_permitted" if old.permit_number else "no_permit"
    if rng.random() < 0.5:  # the same outline, higher, lower or just as before
        change = 0 if old.permit_number or rng.random() < 0.3 else int(rng.integers(-1, 3))
        skin = chronicle.manner.pick(rng, chronicle.manner.flat)
        lift_m = 3.1 * max(1 - main.storeys, change)
        again = replace(main, height_m=main.height_m + lift_m, fixtures=(), repaints=(),
                        storeys=max(1, main.storeys + change), seed=main.seed + 1,
                        skin=skin if main.roof == "flat" else main.skin)  # fmt: skip
        ground = [part for part in parts[1:] if part.base_m == 0.0]
        return finish(chronicle, (again, *(replace(part, fixtures=()) for part in ground))), reason
    stretch = float(rng.uniform(0.75, 1.0))
    if rng.random() < 0.4:
        stretch = float(rng.uniform(1.4, 1.7))
        reason = "exceeds_permit" if old.permit_number else "no_permit"
    room = (main.place, main.length_m * stretch, main.width_m)
    lowest = max(1, min(storeys, chronicle.manner.storeys[1]))
    return finish(chronicle, draw_house(rng, room, chronicle.manner, storeys=lowest)), reason


def _finish_site(search: Search) -> bool:
    """Find a house of the stock under construction at the first flight, and finish it later."""
    chronicle = search.chronicle
    rng, flight = chronicle.rng, chronicle.take_flight()
    structure = chronicle.find(flight, lambda item: _is_stock_house(item) and _has_storeys(item))
    if structure is None or structure.states[0].flight > 0:
        return False
    built = structure.states[0]
    storeys = max(part.storeys for part in built.parts)
    raw = draw_site(rng, built.parts, int(rng.integers(0, storeys)))
    first = replace(built, parts=raw, kind="site")
    done = replace(structure, states=(first, replace(built, flight=flight, kind="building")))
    chronicle.structures[structure.number - 1] = done
    return True


def _has_storeys(structure: Structure) -> bool:
    return structure.use == "residential" and structure.states[0].parts[0].storeys > 1


def _build_for_a_while(search: Search) -> bool:
    light = search.chronicle.rng.random() < 0.7  # huts more often than houses
    return build_new(search, "shed" if light else "house", brief=True)


_EVENTS: dict[str, Callable[[Search], bool]] = {
    "shed": partial(build_new, size="shed"),
    "house": partial(build_new, size="house"),
    "hall": partial(build_new, size="hall"),
    "annex": _add_annex,
    "roof": _add_room,
    "storey": _add_storey,
    "removed": _remove,
    "partly": _remove_partly,
    "rebuilt": _rebuild,
    "brief": _build_for_a_while,
    "unbuilt": grant_unused,
    "finished": _finish_site,
}
