"""New structures: where there is room for them, how they rise, and how they stand to permits.

Dates are told apart for every pair of flights: a permit that expired did so before the first
flight, and one that came too late is granted after the last.
"""

import datetime as dt
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from shapely import Polygon

from survey.simulation.drafting.covers import Ground
from survey.simulation.drafting.houses import draw_house, draw_shed
from survey.simulation.drafting.land import Use, Zone
from survey.simulation.drafting.lives import Chronicle, Kind, StructureUse
from survey.simulation.drafting.stock import finish
from survey.simulation.drafting.volumes import piece
from survey.simulation.drafting.works import draw_block, draw_hall, draw_site, draw_tunnel
from survey.simulation.scene import Part, Place, Span, State, Structure

__all__ = ["Search", "build_new", "grant_for", "grant_unused"]

_Room = tuple[Place, float, float]
Size = Literal["shed", "house", "hall"]

_KINDS: dict[Size, Kind] = {"shed": "shed", "house": "building", "hall": "building"}
_TRIES = 30
_LOT_SHARE = 0.5  # of new structures on land that was left free for one
_BESIDE_SHARE = 0.45  # of new sheds squeezed in beside a building
_SITE_SHARE = 0.4  # of new houses and halls that a flight sees under construction
_NEIGHBOURLY = 0.35  # of new sheds roofed like what stands beside them
_EXCESS = (1.4, 1.9)  # built over permitted length, for what exceeds its permit
_BESIDE_M = (1.5, 6.0)  # from the permitted plot to what was built instead

# Medians, spreads (of the logarithm) and bounds of outlines in m2, and of length over width; the
# houses as measured in Banepa (see `houses`), sheds and halls by eye.
_SIZES: dict[Size, tuple[float, float, float, float]] = {
    "shed": (17.0, 0.75, 6.0, 160.0),
    "house": (72.0, 0.5, 32.0, 240.0),
    "hall": (420.0, 0.8, 130.0, 2000.0),
}
# How much likelier a square metre is built on than one of any other use, by eye.
_WANTED: dict[Size, dict[Use, float]] = {
    "shed": {"village": 1.0, "dense": 1.0, "industrial": 1.0, "town": 0.7, "waste": 1.2,
             "greenhouses": 0.8, "market": 1.0},
    "house": {"village": 2.5, "dense": 2.0, "town": 1.5, "waste": 1.0},
    "hall": {"industrial": 3.0, "waste": 2.0, "farmland": 1.0, "town": 0.6},
}  # fmt: skip
_REASONS: tuple[tuple[str, float], ...] = (
    ("no_permit", 3.0), ("as_permitted", 2.2), ("exceeds_permit", 1.8), ("beside_permit", 2.0),
    ("permit_expired", 1.8), ("before_grant", 1.8),
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """Where new structures are looked for."""

    chronicle: Chronicle
    """What stands, and what ground is taken."""
    zones: tuple[Zone, ...]
    """The zones in which people build."""

    def room(self, size: Size, gap_m: float = 0.5) -> _Room | None:
        """Find free ground for a structure of a size; None where a few tries find none."""
        rng, chronicle = self.chronicle.rng, self.chronicle
        for trial in range(_TRIES):
            length_m, width_m = _draw_sides(rng, size, shrink=1.0 - 0.6 * trial / _TRIES)
            place = self._propose(size, length_m, width_m)
            if place is None:
                continue
            ground = place.rectangle(length_m, width_m)
            if chronicle.claims.inside(ground) and chronicle.claims.is_free(ground, gap_m):
                return place, length_m, width_m
        return None

    def _propose(self, size: Size, length_m: float, width_m: float) -> Place | None:
        rng, chronicle = self.chronicle.rng, self.chronicle
        if size == "shed" and chronicle.structures and rng.random() < _BESIDE_SHARE:
            return self._beside(width_m)
        if chronicle.lots and size != "hall" and rng.random() < _LOT_SHARE:
            lot = chronicle.lots[int(rng.integers(len(chronicle.lots)))]
            slack_u = max(0.0, lot.length_m - length_m) / 2
            slack_v = max(0.0, lot.width_m - width_m) / 2
            u, v = (float(rng.uniform(-slack, slack)) for slack in (slack_u, slack_v))
            return lot.place.move(u, v, float(rng.normal(0.0, 1.0)))
        if not self.zones:
            return None
        weights = np.array(
            [zone.length_m * zone.width_m * _WANTED[size].get(zone.use, 0.3) for zone in self.zones]
        )
        zone = self.zones[int(rng.choice(len(self.zones), p=weights / weights.sum()))]
        u, v = float(rng.uniform(-0.5, 0.5)), float(rng.uniform(-0.5, 0.5))
        turn = float(rng.choice([0.0, 90.0]) + rng.normal(0.0, 2.0))
        return zone.place.move(u * zone.length_m, v * zone.width_m, turn)

    def _beside(self, width_m: float) -> Place:
        """Propose a place along the wall of something that stands, an alley away."""
        rng, structures = self.chronicle.rng, self.chronicle.structures
        parts = structures[int(rng.integers(len(structures)))].states[0].parts
        host = parts[int(rng.integers(len(parts)))]
        turned = rng.random() < 0.5
        facing = host.place.move(0.0, 0.0, 90.0) if turned else host.place
        along, across = host.length_m, host.width_m
        if turned:
            along, across = across, along
        side = float(rng.choice([-1.0, 1.0]))
        away_m = (across + width_m) / 2 + float(rng.uniform(0.55, 1.3))
        return facing.move(float(rng.uniform(-0.5, 0.5)) * along, side * away_m)


def _draw_sides(rng: np.random.Generator, size: Size, shrink: float) -> tuple[float, float]:
    median, spread, least, most = _SIZES[size]
    drawn = median * shrink * float(rng.lognormal(0.0, spread))
    area_m2 = float(np.clip(drawn, least, most))
    ratio = float(rng.uniform(1.05, 2.2))  # quartiles of the measured ones: 1.2, 1.5, 1.9
    return (area_m2 * ratio) ** 0.5, (area_m2 / ratio) ** 0.5


def build_new(search: Search, size: Size, *, brief: bool = False) -> bool:
    """Build something new and settle how it stands to the permits.

    Parameters
    ----------
    search
        Where there is room.
    size
        Rough size and make.
    brief
        True where it is cleared again before a later flight.

    Returns
    -------
    bool
        False where no room was found.
    """
    chronicle = search.chronicle
    room = search.room(size)
    if room is None or (brief and chronicle.flights < 3):
        return False
    rng = chronicle.rng
    use, parts = _draw_parts(chronicle, size, room)
    if not chronicle.fits(parts):
        return False
    flight = int(rng.integers(1, chronicle.flights - 1)) if brief else chronicle.take_flight()
    reason = "no_permit" if brief else _draw_reason(rng, size)
    states = _rise(chronicle, size, parts, flight, reason)
    if brief:
        last = int(rng.integers(flight + 1, chronicle.flights))
        gone = State(flight=last, parts=(), kind="removed", reason="removed_unpermitted")
        states = (State(flight=flight, parts=parts, kind=_KINDS[size], reason=reason), gone)
    structure = chronicle.enter(use, states)
    if not _permit(search, structure, reason):  # no room for the empty plot
        structure = replace(
            structure,
            states=tuple(replace(state, reason="no_permit") for state in structure.states),
        )
        chronicle.structures[structure.number - 1] = structure
    if rng.random() < 0.75:
        kind: Ground = "soil" if size != "hall" or rng.random() < 0.5 else "gravel"
        chronicle.cover(kind, parts[0], float(rng.uniform(1.0, 4.0)), Span(first=flight))
    return True


def _draw_parts(
    chronicle: Chronicle, size: Size, room: _Room
) -> tuple[StructureUse, tuple[Part, ...]]:
    rng, manner = chronicle.rng, chronicle.manner
    if size == "shed":
        skin = None
        if chronicle.structures and rng.random() < _NEIGHBOURLY:
            some = chronicle.structures[int(rng.integers(len(chronicle.structures)))]
            skin = some.states[0].parts[0].skin
            skin = skin if skin.startswith(("steel", "cement")) else "cement_sheet"
        if room[1] > 20.0 and rng.random() < 0.5:
            return "greenhouse", (draw_tunnel(rng, room, height_m=0.4 * room[2]),)
        return "storage", (draw_shed(rng, room, manner, skin=skin),)
    if size == "house":
        return "residential", finish(chronicle, draw_house(rng, room, manner))
    if min(room[1], room[2]) < 14.0 and rng.random() < 0.4:
        storeys = int(rng.integers(2, 6))
        return "residential", finish(chronicle, draw_block(rng, room, manner, storeys))
    return "industrial", finish(chronicle, draw_hall(rng, room, manner))


def _draw_reason(rng: np.random.Generator, size: Size) -> str:
    weights = np.array([share for _, share in _REASONS])
    if size == "shed":
        weights[0] *= 3.0  # hardly anyone asks for a permit for a shed
    return _REASONS[int(rng.choice(len(_REASONS), p=weights / weights.sum()))][0]


def _rise(
    chronicle: Chronicle, size: Size, parts: tuple[Part, ...], flight: int, reason: str
) -> tuple[State, ...]:
    """Give the states of a new structure: at once, or slab, frame and roof one after another."""
    rng = chronicle.rng
    done = State(flight=flight, parts=parts, kind=_KINDS[size], reason=reason)
    if size == "shed" or rng.random() > _SITE_SHARE:
        return (done,)
    storeys = max(part.storeys for part in parts)
    # No frame is as high as the house: a flight could not tell it from the finished one by height.
    steps = sorted({0, *(step for step in (1, storeys // 2, storeys - 1) if step < storeys)})
    keep = int(rng.integers(1, len(steps) + 1))
    steps = sorted(int(i) for i in rng.choice(steps, size=keep, replace=False))
    states = [
        State(
            flight=flight + order,
            parts=draw_site(rng, parts, step),
            kind="site",
            reason=reason,
        )
        for order, step in enumerate(steps)
    ]
    states.append(replace(done, flight=flight + len(steps)))
    return tuple(state for state in states if state.flight < chronicle.flights)


def grant_for(chronicle: Chronicle, flight: int) -> dt.date:
    """Draw the day of a grant: one to ten months before the last flight that saw nothing."""
    return chronicle.dates[flight - 1] - dt.timedelta(days=int(chronicle.rng.integers(30, 300)))


def _permit(search: Search, structure: Structure, reason: str) -> bool:
    """Give a new structure the permit its reason tells of; False where that cannot be."""
    chronicle, rng = search.chronicle, search.chronicle.rng
    number, flight = structure.number, structure.states[0].flight
    dates = chronicle.dates
    if reason == "as_permitted":
        chronicle.permit(number, granted=grant_for(chronicle, flight))
    elif reason == "permit_expired":
        until = dates[0] - dt.timedelta(days=int(rng.integers(20, 900)))
        granted = until - dt.timedelta(days=int(rng.integers(365, 1100)))
        chronicle.permit(number, granted=granted, valid_until=until)
    elif reason == "before_grant":
        granted = dates[-1] + dt.timedelta(days=int(rng.integers(7, 200)))
        chronicle.permit(number, granted=granted)
    elif reason == "exceeds_permit":
        _permit_less(chronicle, structure)
    elif reason == "beside_permit":
        return _permit_beside(chronicle, structure)
    return True


def _permit_less(chronicle: Chronicle, structure: Structure) -> None:
    """Permit a part of the outline, or for some all of it with fewer storeys."""
    rng, number = chronicle.rng, structure.number
    granted = grant_for(chronicle, structure.states[0].flight)
    parts = structure.states[-1].parts
    storeys = max(part.storeys for part in parts)
    if storeys > 2 and structure.states[-1].kind == "building" and rng.random() < 0.2:
        fewer = storeys - int(rng.integers(1, min(3, storeys - 1) + 1))
        chronicle.permit(number, granted=granted, storeys=fewer)
        return
    allowed = _cut(rng, parts).intersection(structure.outline_at(structure.states[-1].flight))
    chronicle.permit(number, granted=granted, outline=allowed)


def _cut(rng: np.random.Generator, parts: tuple[Part, ...]) -> Polygon:
    """Cut one end off the rectangle around the volumes."""
    frame = parts[0].place
    corners = [
        (x - frame.x, y - frame.y) for part in parts for x, y in part.outline().exterior.coords
    ]
    sin, cos = np.sin(np.radians(frame.bearing_deg)), np.cos(np.radians(frame.bearing_deg))
    us = [x * sin + y * cos for x, y in corners]
    vs = [x * cos - y * sin for x, y in corners]
    kept_m = (max(us) - min(us)) / float(rng.uniform(*_EXCESS))
    along = (min(us), min(us) + kept_m) if rng.random() < 0.5 else (max(us) - kept_m, max(us))
    place, length_m, width_m = piece(frame, along, (min(vs), max(vs)))
    return place.rectangle(length_m, width_m)


def _permit_beside(chronicle: Chronicle, structure: Structure) -> bool:
    """Grant a plot some metres away, which stays empty."""
    rng, part = chronicle.rng, structure.states[-1].parts[0]
    for turn in rng.permutation(4):
        facing = part.place.move(0.0, 0.0, 90.0 * int(turn))
        long_m, wide_m = part.length_m, part.width_m
        if turn % 2:
            long_m, wide_m = wide_m, long_m
        for _ in range(3):
            plot = facing.move(0.0, wide_m + float(rng.uniform(*_BESIDE_M)))
            ground = plot.rectangle(long_m, wide_m)
            if not (chronicle.claims.inside(ground) and chronicle.claims.is_free(ground)):
                continue
            chronicle.claims.take(ground)  # nobody else builds there
            granted = grant_for(chronicle, structure.states[0].flight)
            chronicle.permit(structure.number, granted=granted, outline=ground)
            return True
    return False


def grant_unused(search: Search) -> bool:
    """Permit a house that nobody builds."""
    chronicle, rng = search.chronicle, search.chronicle.rng
    room = search.room("house")
    if room is None:
        return False
    place, length_m, width_m = room
    ground = place.rectangle(length_m, width_m)
    chronicle.claims.take(ground)
    storeys = int(rng.integers(1, 5))
    chronicle.grant(
        ground,
        granted=chronicle.dates[0] - dt.timedelta(days=int(rng.integers(10, 700))),
        size=(storeys, 3.2 * storeys),
        use="residential",
    )
    return True
