"""What stands in a zone before the first flight, and the land that is left free there."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np

from survey.simulation.drafting.covers import Ground, draw_patch, pick
from survey.simulation.drafting.growth import seat_on_roof
from survey.simulation.drafting.houses import draw_house, draw_shed, draw_terrace
from survey.simulation.drafting.land import Use, Zone
from survey.simulation.drafting.lives import Chronicle, Lot, StructureUse
from survey.simulation.drafting.rooftops import fit_out, repaint
from survey.simulation.drafting.works import (
    draw_block,
    draw_hall,
    draw_mall,
    draw_school,
    draw_tunnel,
)
from survey.simulation.scene import Part, Place

__all__ = ["fill_corners", "finish", "settle"]

_Room = tuple[Place, float, float]
_REPAINTED = 0.07  # of roofs between the first flight and the last, by eye
_FILM_OFF = 0.25  # of tunnels in a warm season
_BEYOND_M = 9.0  # how far corners reach beyond a zone
_CROWDED: dict[Use, float] = {"dense": 0.02, "town": 0.006, "village": 0.004}  # trials a m2
_ROOM_SHARE = 0.3  # of dense flat roofs carry a shed already


def finish(chronicle: Chronicle, parts: tuple[Part, ...]) -> tuple[Part, ...]:
    """Put fixtures on roofs that carry no other part, and let a few be repainted later."""
    rng = chronicle.rng
    hosts = {part.base_m for part in parts if part.base_m > 0.0}
    done = []
    for part in parts:
        dressed = part
        if part.height_m not in hosts and part.roof not in ("foundation", "frame"):
            dressed = fit_out(rng, part, chronicle.flights)
        share = _FILM_OFF if part.skin == "plastic" else _REPAINTED
        done.append(repaint(rng, dressed, chronicle.flights) if rng.random() < share else dressed)
    return tuple(done)


def settle(chronicle: Chronicle, zone: Zone) -> None:
    """Fill a zone with its stock; what hits a road or another structure is left out.

    Parameters
    ----------
    chronicle
        Where structures, yards and free lots are entered.
    zone
        The zone.
    """
    _FILLERS[zone.use](chronicle, zone)


def _enter(chronicle: Chronicle, use: StructureUse, parts: tuple[Part, ...]) -> int | None:
    return chronicle.enter_stock(use, finish(chronicle, parts))


def _steps(
    rng: np.random.Generator,
    whole_m: float,
    size_m: tuple[float, float],
    gap_m: tuple[float, float],
) -> Iterator[tuple[float, float]]:
    """Go along a side: centre and length of one piece after another, with gaps between."""
    start = -whole_m / 2
    while True:
        size = float(rng.uniform(*size_m))
        if start + 0.75 * size > whole_m / 2:
            return
        size = min(size, whole_m / 2 - start)
        yield start + size / 2, size
        start += size + float(rng.uniform(*gap_m))


def _lengthwise(zone: Zone) -> _Room:
    """Give a zone with u along its longer side."""
    if zone.length_m >= zone.width_m:
        return zone.place, zone.length_m, zone.width_m
    return zone.place.move(0.0, 0.0, 90.0), zone.width_m, zone.length_m


def _dense(chronicle: Chronicle, zone: Zone) -> None:
    """Set houses in rows with alleys of a metre or two, none exactly in line."""
    rng = chronicle.rng
    place, length_m, width_m = _lengthwise(zone)
    for v, depth_m in _steps(rng, width_m, (8.5, 13.5), (0.9, 2.5)):
        for u, front_m in _steps(rng, length_m, (7.5, 14.0), (0.7, 1.8)):
            crooked = float(rng.normal(0.0, 0.5 * chronicle.manner.crooked_deg))
            middle = place.move(u, v + float(rng.uniform(-0.3, 0.3)), crooked)
            room = (middle, front_m - float(rng.uniform(0.0, 0.8)), depth_m)
            chance = rng.random()
            if chance < 0.07:
                chronicle.lots.append(Lot(place=middle, length_m=front_m, width_m=depth_m))
            elif chance < 0.13:  # a yard with a low house, older than the rest
                _enter(chronicle, "residential", draw_house(rng, room, chronicle.manner, storeys=1))
            else:
                _build_dense(chronicle, room)


def _build_dense(chronicle: Chronicle, room: _Room) -> None:
    rng = chronicle.rng
    parts = draw_house(rng, room, chronicle.manner)
    if parts[0].roof == "flat" and rng.random() < _ROOM_SHARE:
        parts = (*seat_on_roof(rng, parts[0], chronicle.manner, 0.5), *parts[1:])
    if _enter(chronicle, "residential", parts) is None:  # straightened and smaller it may fit
        place, length_m, width_m = room
        narrow = (place, 0.86 * length_m, 0.86 * width_m)
        _enter(chronicle, "residential", draw_house(rng, narrow, chronicle.manner))


def _village(chronicle: Chronicle, zone: Zone) -> None:
    """Set houses with yards on plots of varying size; about a quarter stays free."""
    rng = chronicle.rng
    place, length_m, width_m = _lengthwise(zone)
    least_m = float(rng.uniform(11.0, 17.0))
    free = float(rng.uniform(0.1, 0.35))
    for v, depth_m in _steps(rng, width_m, (least_m, 1.5 * least_m), (0.4, 2.5)):
        for u, front_m in _steps(rng, length_m, (least_m, 1.7 * least_m), (0.3, 2.0)):
            crooked = float(rng.normal(0.0, chronicle.manner.crooked_deg))
            lot = Lot(place=place.move(u, v, crooked), length_m=front_m, width_m=depth_m)
            if rng.random() < free:
                chronicle.lots.append(lot)
            else:
                _build_home(chronicle, lot)


def _build_home(chronicle: Chronicle, lot: Lot) -> None:
    """Build a house towards one corner of a plot, pave its yard, and perhaps add a shed."""
    rng = chronicle.rng
    length_m = lot.length_m * float(rng.uniform(0.5, 0.92))
    width_m = lot.width_m * float(rng.uniform(0.45, 0.85))
    length_m, width_m = min(length_m, 17.0), min(width_m, 14.0)
    side_u, side_v = (float(side) for side in rng.choice([-1.0, 1.0], 2))
    u, v = side_u * (lot.length_m - length_m) / 2, side_v * (lot.width_m - width_m) / 2
    place = lot.place.move(u, v, float(rng.choice([0.0, 180.0])))
    yards: tuple[tuple[Ground, float], ...] = (
        ("concrete", 5.0), ("soil", 3.0), ("grass", 2.0), ("gravel", 0.7), ("vegetable", 0.6),
    )  # fmt: skip
    long_m = lot.length_m * float(rng.uniform(0.85, 1.05))
    wide_m = lot.width_m * float(rng.uniform(0.85, 1.05))
    bend_m = float(rng.uniform(0.0, 0.8))
    patch = draw_patch(rng, pick(rng, yards), lot.place, long_m, wide_m, bend_m)
    parts = draw_house(rng, (place, length_m, width_m), chronicle.manner)
    if _enter(chronicle, "residential", parts) is None:
        return
    chronicle.patches.append(patch)
    if rng.random() < 0.5:
        shed_m, depth_m = (float(side) for side in rng.uniform(2.0, 6.5, 2))
        corner = lot.place.move(
            -side_u * (lot.length_m - shed_m) / 2, -side_v * (lot.width_m - depth_m) / 2
        )
        _enter(chronicle, "storage", (draw_shed(rng, (corner, shed_m, depth_m), chronicle.manner),))


def _town(chronicle: Chronicle, zone: Zone) -> None:
    """Fill a block of a town: shop rows about a court, flats, a school, a mall, or houses."""
    rng = chronicle.rng
    place, length_m, width_m = _lengthwise(zone)
    chance = float(rng.random())
    if width_m < 26.0 or chance < 0.3:
        _line_streets(chronicle, (place, length_m, width_m))
    elif chance < 0.62:
        _raise_flats(chronicle, (place, length_m, width_m))
    elif chance < 0.72:
        school = (
            place.move(0.0, 0.0, float(rng.choice([0.0, 180.0]))),
            0.8 * length_m,
            0.8 * width_m,
        )
        _enter(chronicle, "public", draw_school(rng, school, chronicle.manner))
    elif chance < 0.82:
        shares = rng.uniform(0.45, 0.75, 2)
        u = float(rng.uniform(-0.1, 0.1)) * length_m
        mall = (place.move(u, 0.0), float(shares[0]) * length_m, float(shares[1]) * width_m)
        _enter(chronicle, "public", draw_mall(rng, mall, chronicle.manner))
        kind: Ground = "asphalt" if rng.random() < 0.6 else "concrete"
        chronicle.patches.append(draw_patch(rng, kind, place, length_m, width_m))
    else:
        _village(chronicle, zone)


def _line_streets(chronicle: Chronicle, room: _Room) -> None:
    """Line the long sides of a block with terraces, and put small things into the court."""
    rng = chronicle.rng
    place, length_m, width_m = room
    depth_m = min(float(rng.uniform(9.0, 14.0)), 0.44 * width_m if width_m > 16.0 else width_m)
    sides = (1.0, -1.0) if width_m > 16.0 else (0.0,)
    for side in sides:
        facing = place.move(0.0, 0.0, 180.0 if side < 0 else 0.0)
        for u, run_m in _steps(rng, length_m, (14.0, 42.0), (0.8, 4.0)):
            v = (width_m - depth_m) / 2 if side else 0.0
            row = (facing.move(u, v), run_m, depth_m)
            parts = draw_terrace(rng, row, chronicle.manner, float(rng.uniform(4.0, 7.5)))
            _enter(chronicle, "residential", parts)
    court_m = width_m - 2.0 * depth_m - 3.0
    if court_m > 5.0:
        for u, side_m in _steps(rng, length_m - 6.0, (4.0, 11.0), (1.5, 16.0)):
            spot = (place.move(u, 0.0), side_m, min(court_m, float(rng.uniform(3.0, 9.0))))
            if rng.random() < 0.5:
                _enter(chronicle, "storage", (draw_shed(rng, spot, chronicle.manner),))
            else:
                chronicle.lots.append(Lot(place=spot[0], length_m=side_m, width_m=court_m))


def _raise_flats(chronicle: Chronicle, room: _Room) -> None:
    """Set slabs of flats in parallel rows, wide apart for the sun."""
    rng = chronicle.rng
    place, length_m, width_m = room
    high = rng.random() < 0.4
    storeys = int(rng.integers(10, 21)) if high else int(rng.integers(5, 8))
    between = (16.0, 26.0) if high else (9.0, 15.0)
    for v, depth_m in _steps(rng, width_m - 3.0, (11.0, 15.0), between):
        for u, slab_m in _steps(rng, length_m - 3.0, (22.0, 52.0), (5.0, 14.0)):
            spot = (place.move(u, v), slab_m, depth_m)
            tall = max(4, storeys + int(rng.integers(-1, 2)))
            _enter(chronicle, "residential", draw_block(rng, spot, chronicle.manner, tall))
        lawn = place.move(0.0, v + 0.5 * depth_m + 4.0)
        chronicle.patches.append(draw_patch(rng, "grass", lawn, 0.8 * length_m, 4.0, 0.5))


def _industrial(chronicle: Chronicle, zone: Zone) -> None:
    """Set halls 20 to 80 m long between lorry lanes, with dormitories and open yards."""
    rng = chronicle.rng
    place, length_m, width_m = _lengthwise(zone)
    deep_m = float(rng.uniform(16.0, 40.0))
    for v, depth_m in _steps(rng, width_m - 2.0, (0.7 * deep_m, 1.3 * deep_m), (6.0, 13.0)):
        for u, long_m in _steps(rng, length_m - 2.0, (20.0, 80.0), (5.0, 14.0)):
            spot, chance = (place.move(u, v), long_m, depth_m), rng.random()
            if chance < 0.13:
                chronicle.lots.append(Lot(place=spot[0], length_m=long_m, width_m=depth_m))
            elif chance < 0.3:
                flats = (spot[0], min(long_m, 48.0), min(depth_m, 13.0))
                parts = draw_block(rng, flats, chronicle.manner, int(rng.integers(3, 7)))
                _enter(chronicle, "residential", parts)
            elif chance < 0.4:
                _scatter(chronicle, Zone(place=spot[0], length_m=long_m, width_m=depth_m,
                                         use="industrial"), 180.0, (3.0, 12.0))  # fmt: skip
            else:
                _enter(chronicle, "industrial", draw_hall(rng, spot, chronicle.manner))
    _scatter(chronicle, zone, 1500.0, (2.5, 9.0))


def _scatter(
    chronicle: Chronicle, zone: Zone, every_m2: float, sides_m: tuple[float, float]
) -> None:
    """Scatter sheds over a zone wherever there is room."""
    rng = chronicle.rng
    for _ in range(int(rng.poisson(zone.length_m * zone.width_m / every_m2))):
        length_m, width_m = (float(side) for side in rng.uniform(*sides_m, 2))
        slack_u = max(0.0, zone.length_m - length_m) / 2
        slack_v = max(0.0, zone.width_m - width_m) / 2
        u, v = float(rng.uniform(-slack_u, slack_u)), float(rng.uniform(-slack_v, slack_v))
        turn = float(rng.choice([0.0, 90.0]) + rng.normal(0.0, chronicle.manner.crooked_deg))
        room = (zone.place.move(u, v, turn), length_m, width_m)
        _enter(chronicle, "storage", (draw_shed(rng, room, chronicle.manner),))


def _greenhouses(chronicle: Chronicle, zone: Zone) -> None:
    """Set tunnels side by side in groups, with sheds and open beds between."""
    rng = chronicle.rng
    place, length_m, width_m = _lengthwise(zone)
    for u, long_m in _steps(rng, length_m - 2.0, (24.0, 62.0), (2.0, 6.0)):
        wide_m = float(rng.choice([6.0, 8.0, 8.0, 10.0]))
        height_m = wide_m * float(rng.uniform(0.32, 0.45))
        gap_m = float(rng.uniform(0.6, 1.6))
        if rng.random() < 0.25:
            bed = place.move(u, 0.0)
            kind: Ground = "vegetable" if rng.random() < 0.6 else "mulch"
            chronicle.patches.append(draw_patch(rng, kind, bed, long_m, width_m - 2.0, 0.4))
            continue
        for v, across_m in _steps(rng, width_m - 1.0, (wide_m, wide_m), (gap_m, gap_m)):
            if across_m < wide_m or rng.random() < 0.1:
                continue
            spot = (place.move(u, v), long_m, wide_m)
            _enter(chronicle, "greenhouse", (draw_tunnel(rng, spot, height_m=height_m),))
    _scatter(chronicle, zone, 2200.0, (2.5, 7.0))


def _homestead(every_m2: float, shed_m2: float) -> Callable[[Chronicle, Zone], None]:
    """Make a filler that scatters farmsteads and sheds."""

    def fill(chronicle: Chronicle, zone: Zone) -> None:
        rng = chronicle.rng
        for _ in range(int(rng.poisson(zone.length_m * zone.width_m / every_m2))):
            size_m = float(rng.uniform(14.0, 24.0))
            u = float(rng.uniform(-0.5, 0.5)) * max(0.0, zone.length_m - size_m)
            edge = 1.0 if rng.random() < 0.5 else -1.0  # farms lie at the road, not in the field
            v = edge * max(0.0, zone.width_m - size_m) / 2
            turn = float(rng.normal(0.0, 8.0))
            _build_home(
                chronicle,
                Lot(place=zone.place.move(u, v, turn), length_m=size_m, width_m=0.8 * size_m),
            )
        _scatter(chronicle, zone, shed_m2, (2.0, 7.0))

    return fill


def fill_corners(chronicle: Chronicle, zone: Zone) -> None:
    """Build on what a built-up zone leaves towards roads that run aslant.

    Call it when all zones are settled: it looks some metres beyond the zone.
    """
    if zone.use not in _CROWDED:
        return
    rng = chronicle.rng
    long_m, wide_m = zone.length_m + 2.0 * _BEYOND_M, zone.width_m + 2.0 * _BEYOND_M
    for _ in range(round(_CROWDED[zone.use] * long_m * wide_m)):
        u, v = float(rng.uniform(-0.5, 0.5)) * long_m, float(rng.uniform(-0.5, 0.5)) * wide_m
        length_m = float(rng.uniform(4.5, 11.0))
        width_m = float(min(length_m, rng.uniform(3.5, 9.0)))
        turn = float(rng.choice([0.0, 90.0]) + rng.normal(0.0, 3.0))
        place = zone.place.move(u, v, turn)
        if not chronicle.claims.is_free(place.rectangle(length_m, width_m), 0.7):
            continue
        room = (place, length_m, width_m)
        if length_m * width_m < 30.0:
            _enter(chronicle, "storage", (draw_shed(rng, room, chronicle.manner),))
        else:
            _enter(chronicle, "residential", draw_house(rng, room, chronicle.manner))


def _market(chronicle: Chronicle, zone: Zone) -> None:
    """Set one large roof, or rows of light ones, in the middle of open ground."""
    rng = chronicle.rng
    place, length_m, width_m = _lengthwise(zone)
    if rng.random() < 0.5:
        hall = (place, 0.6 * length_m, 0.5 * width_m)
        _enter(chronicle, "public", draw_mall(rng, hall, chronicle.manner))
        _scatter(chronicle, zone, 500.0, (2.5, 7.0))
        return
    for v, depth_m in _steps(rng, width_m - 4.0, (4.0, 8.0), (3.0, 6.0)):
        for u, run_m in _steps(rng, length_m - 4.0, (12.0, 34.0), (2.0, 6.0)):
            row = draw_shed(rng, (place.move(u, v), run_m, depth_m), chronicle.manner)
            _enter(chronicle, "public", (replace(row, wall="steel"),))


_FILLERS: dict[Use, Callable[[Chronicle, Zone], None]] = {
    "dense": _dense,
    "village": _village,
    "town": _town,
    "industrial": _industrial,
    "greenhouses": _greenhouses,
    "farmland": _homestead(9000.0, 6000.0),
    "orchard": _homestead(14_000.0, 5000.0),
    "woods": _homestead(40_000.0, 20_000.0),
    "market": _market,
    "park": _homestead(20_000.0, 4000.0),
    "waste": _homestead(60_000.0, 1600.0),
}
