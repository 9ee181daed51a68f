"""What stands on roofs and comes and goes there, and how roofs are repainted and rust."""

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from survey.simulation.scene import ALWAYS, Fixture, Part, Span

__all__ = ["clear_roof", "fit_out", "repaint"]

_Kind = Literal[
    "tank", "stairwell", "solar", "unit", "vent", "washing", "planter", "junk", "tarpaulin"
]

_RIM_M = 0.35  # parapet, and the step beside it
_CLEARANCE_M = 0.25
_TRIES = 4


@dataclass(frozen=True, slots=True)
class _Fitting:
    """A kind of fixture with the ranges of its sizes in metres, by eye from open drone imagery."""

    kind: _Kind
    length_m: tuple[float, float]
    width_m: tuple[float, float] | None
    """None where it is as wide as long."""
    height_m: tuple[float, float]
    tints: tuple[str, ...] = ("silver",)

    def draw(self, rng: np.random.Generator) -> Fixture:
        """Draw one, not placed yet."""
        length_m = float(rng.uniform(*self.length_m))
        return Fixture(
            kind=self.kind,
            u=0.0,
            v=0.0,
            length_m=length_m,
            width_m=float(rng.uniform(*self.width_m)) if self.width_m else length_m,
            height_m=float(rng.uniform(*self.height_m)),
            tint=self.tints[int(rng.integers(len(self.tints)))],
            seed=int(rng.integers(2**31)),
        )


_STAIRWELL = _Fitting("stairwell", (2.2, 3.6), (2.2, 4.2), (2.2, 2.8))
_TANK = _Fitting("tank", (0.9, 1.6), None, (1.0, 1.9), ("silver", "black", "black", "blue"))
_HEATER = _Fitting("solar", (1.6, 2.2), (1.2, 1.9), (0.6, 1.1), ("black",))
_ARRAY = _Fitting("solar", (3.5, 11.0), (2.0, 6.0), (0.3, 0.9), ("black",))
_UNIT = _Fitting("unit", (0.7, 1.3), (0.5, 1.0), (0.7, 1.1), ("white", "silver"))
_PLANT = _Fitting("unit", (1.8, 4.5), (1.5, 2.6), (1.2, 2.2), ("white", "silver"))
_VENT = _Fitting("vent", (0.5, 1.0), None, (0.5, 1.0))
_WASHING = _Fitting("washing", (1.5, 5.0), (0.8, 2.2), (1.2, 1.8), ("white", "red", "blue"))
_PLANTER = _Fitting("planter", (0.8, 4.0), (0.4, 1.3), (0.4, 1.2), ("green",))
_JUNK = _Fitting("junk", (0.8, 3.0), (0.6, 2.0), (0.3, 0.9), ("rust", "silver"))
_SHEET = _Fitting("tarpaulin", (1.5, 5.0), (1.2, 4.0), (0.1, 0.9), ("blue", "blue", "green", "red"))

_Choice = tuple[tuple[_Fitting, float], ...]
_DWELLING: _Choice = (
    (_TANK, 3.0), (_HEATER, 2.0), (_UNIT, 1.5), (_WASHING, 1.6), (_PLANTER, 1.5), (_JUNK, 1.4),
    (_SHEET, 0.7), (_ARRAY, 0.4), (_VENT, 0.5),
)  # fmt: skip
_LARGE: _Choice = ((_PLANT, 3.0), (_UNIT, 2.0), (_VENT, 2.0), (_ARRAY, 1.5), (_TANK, 0.6))
_SHEETED: _Choice = ((_VENT, 3.0), (_ARRAY, 1.0), (_SHEET, 0.5))
_RESTLESS = {"washing": 0.75, "tarpaulin": 0.5, "planter": 0.25, "junk": 0.4, "solar": 0.22,
             "tank": 0.15, "unit": 0.12}  # fmt: skip
"""Share of fixtures that come or go between flights, by kind; by eye."""


def fit_out(rng: np.random.Generator, part: Part, flights: int) -> Part:
    """Put fixtures on a roof, none over another nor over its rim.

    Parameters
    ----------
    rng
        Where chance comes from.
    part
        The volume; its own fixtures are replaced.
    flights
        Number of flights, within which some fixtures come or go.
    """
    area_m2 = part.length_m * part.width_m
    placed: list[Fixture] = []
    if part.roof == "flat":
        choice = _LARGE if area_m2 > 450.0 else _DWELLING
        if part.storeys > 1 and area_m2 > 30.0 and rng.random() < 0.8:  # a stair to the roof
            placed += _seat(rng, part, _STAIRWELL.draw(rng), placed, corner=True)
        count = int(rng.poisson(min(14.0, 1.0 + area_m2 / 28.0)))
    elif part.roof in ("gable", "mono", "hip"):
        choice = _SHEETED if part.skin.startswith("steel") else ((_HEATER, 1.0), (_ARRAY, 0.3))
        count = int(rng.poisson(min(6.0, area_m2 / 160.0)))
    else:
        return part
    weights = np.array([share for _, share in choice])
    for pick in rng.choice(len(choice), size=count, p=weights / weights.sum()):
        fixture = choice[int(pick)][0].draw(rng)
        fixture = replace(fixture, span=_draw_span(rng, fixture.kind, flights))
        placed += _seat(rng, part, fixture, placed)
    return replace(part, fixtures=tuple(placed))


def _draw_span(rng: np.random.Generator, kind: str, flights: int) -> Span:
    """Draw from when to when a fixture is there; most stay."""
    if flights < 2 or rng.random() > _RESTLESS.get(kind, 0.0):
        return ALWAYS
    turn = int(rng.integers(1, flights))
    if rng.random() < 0.5:
        return Span(first=turn)
    return Span(end=turn)


def _seat(
    rng: np.random.Generator,
    part: Part,
    fixture: Fixture,
    placed: list[Fixture],
    *,
    corner: bool = False,
) -> list[Fixture]:
    """Find a free place on a roof; an empty list where a few tries find none."""
    slack_u = part.length_m / 2 - _RIM_M - fixture.length_m / 2
    slack_v = part.width_m / 2 - _RIM_M - fixture.width_m / 2
    if min(slack_u, slack_v) < 0.0:
        return []
    for _ in range(_TRIES):
        u, v = float(rng.uniform(-slack_u, slack_u)), float(rng.uniform(-slack_v, slack_v))
        if corner:
            u, v = (slack_u if u > 0 else -slack_u), (slack_v if v > 0 else -slack_v)
        on_ridge = part.roof in ("gable", "hip") and abs(v) < fixture.width_m / 2
        moved = replace(fixture, u=u, v=v)
        if not on_ridge and not any(_touch(moved, other) for other in placed):
            return [moved]
    return []


def _touch(one: Fixture, other: Fixture) -> bool:
    near_u = (one.length_m + other.length_m) / 2 + _CLEARANCE_M
    near_v = (one.width_m + other.width_m) / 2 + _CLEARANCE_M
    return abs(one.u - other.u) < near_u and abs(one.v - other.v) < near_v


def clear_roof(part: Part, taken: Part) -> Part:
    """Take away the fixtures that stand where a room is built on the roof.

    Parameters
    ----------
    part
        The volume whose roof it is.
    taken
        The room, in the direction of `part` or across it.
    """
    ground = taken.outline().buffer(0.2)
    kept = tuple(
        item
        for item in part.fixtures
        if not part.place.move(item.u, item.v)
        .rectangle(item.length_m, item.width_m)
        .intersects(ground)
    )
    return replace(part, fixtures=kept)


_LATER = {
    "steel_blue": ("steel_rust", "steel_old", "steel_red", "steel_blue"),
    "steel_red": ("steel_rust", "steel_blue", "steel_grey"),
    "steel_grey": ("steel_rust", "steel_blue", "steel_white"),
    "steel_white": ("steel_grey", "steel_old"),
    "steel_green": ("steel_rust", "steel_grey"),
    "steel_rust": ("steel_blue", "steel_grey", "steel_red"),
    "steel_old": ("steel_blue", "steel_white", "steel_rust"),
    "cement_sheet": ("steel_blue", "steel_old"),
    "concrete": ("membrane_green", "membrane", "concrete_dark", "terracotta", "concrete_new"),
    "concrete_dark": ("concrete_new", "membrane", "terracotta"),
    "concrete_new": ("concrete", "membrane_green"),
    "membrane": ("membrane_green", "concrete_new"),
    "membrane_green": ("membrane", "concrete_dark"),
    "terracotta": ("membrane", "concrete"),
    "tile_red": ("tile_dark", "tile_orange"),
    "tile_orange": ("tile_red",),
    "tile_grey": ("tile_red",),
    "tile_dark": ("tile_orange",),
    "plastic": ("net",),
}
"""What a covering is exchanged for, or becomes with age."""


def repaint(rng: np.random.Generator, part: Part, flights: int) -> Part:
    """Give a roof another covering from some flight on; its form stays."""
    choices = _LATER.get(part.skin, ())
    if flights < 2 or not choices:
        return part
    turn = int(rng.integers(1, flights))
    repaints: tuple[tuple[int, str], ...] = ((turn, choices[int(rng.integers(len(choices)))]),)
    if part.skin == "plastic" and turn + 1 < flights:  # film comes back for the cold season
        repaints = (*repaints, (turn + 1, "plastic"))
    return replace(part, repaints=repaints)
