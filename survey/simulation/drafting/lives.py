"""What becomes of an area's structures: who stands where, since when, and with which permit."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from shapely.affinity import translate
from shapely.geometry.base import BaseGeometry

from survey.simulation.drafting.claims import ALLEY_M, Claims
from survey.simulation.drafting.covers import Ground, draw_patch
from survey.simulation.drafting.manners import Manner
from survey.simulation.scene import (
    Part,
    Patch,
    Place,
    PlannedPermit,
    Span,
    State,
    Structure,
)

__all__ = ["Chronicle", "Kind", "Lot", "StructureUse"]

Kind = Literal[
    "building", "shed", "annex", "roof_addition", "storey", "site", "removed", "partly_removed"
]
"""Kinds of change."""
StructureUse = Literal["residential", "storage", "industrial", "public", "greenhouse"]
"""What a structure is used for."""

_DRIFT_M = (0.1, 0.2)  # how far a drawn outline lies off the built one
_SWELL_M = 0.1
_HEIGHT_SLACK_M = 0.3
_HOLD_YEARS = 40
_TRIES = 40  # structures looked at before an event is given up


@dataclass(frozen=True, slots=True, kw_only=True)
class Lot:
    """A piece of land that is left free and on which something may be built."""

    place: Place
    """Centre and direction."""
    length_m: float
    """Side along u, metres."""
    width_m: float
    """Side along v, metres."""


class Chronicle:
    """Collects structures and permits while an area is drawn.

    Numbers are given in the order of entry, from 1.
    """

    def __init__(
        self,
        rng: np.random.Generator,
        dates: tuple[dt.date, ...],
        claims: Claims,
        manner: Manner,
    ) -> None:
        """Start empty, for flights on these dates over ground of which some is taken already."""
        self.rng = rng
        self.dates = dates
        self.claims = claims
        self.manner = manner
        self.structures: list[Structure] = []
        self.permits: list[PlannedPermit] = []
        self.patches: list[Patch] = []
        self.lots: list[Lot] = []
        self._flights: list[int] = []

    @property
    def flights(self) -> int:
        """Number of flights."""
        return len(self.dates)

    def take_flight(self) -> int:
        """Draw a flight that sees something new, from 1; all come equally often."""
        if not self._flights:
            self._flights = [1 + int(i) for i in self.rng.permutation(self.flights - 1)]
        return self._flights.pop()

    def enter_stock(
        self, use: StructureUse, parts: tuple[Part, ...], *, kind: Kind | None = None
    ) -> int | None:
        """Enter what stands before the first flight; give its number.

        None where it hits something or lies outside the area; it may reach over the edge. A share
        of the stock has no permit, and says so.
        """
        if not (self.claims.seen(parts) and self.claims.room_for(parts)):
            return None
        lawful = self.rng.random() > self.manner.lawless
        light = use in ("storage", "greenhouse")
        state = State(
            flight=0,
            parts=parts,
            kind=kind or ("shed" if light else "building"),
            reason="as_permitted" if lawful else "no_permit",
        )
        structure = self.enter(use, (state,))
        if lawful:
            days = int(365 * self.rng.uniform(3.0, 25.0))
            self.permit(structure.number, granted=self.dates[0] - dt.timedelta(days=days))
        return structure.number

    def enter(
        self, use: StructureUse, states: tuple[State, ...], *, replaces: int | None = None
    ) -> Structure:
        """Enter a structure without a permit and take its ground."""
        number = len(self.structures) + 1
        structure = Structure(
            number=number, use=use, permit_number=None, replaces=replaces, states=states
        )
        self.structures.append(structure)
        self._take(states, number)
        return structure

    def _take(self, states: tuple[State, ...], number: int) -> None:
        for outline in {
            part.outline() for state in states for part in state.parts if part.base_m == 0.0
        }:
            self.claims.take(outline, number)

    def follow(self, number: int, state: State) -> Structure:
        """Add what becomes of a structure, and take the ground it then needs."""
        old = self.structures[number - 1]
        new = replace(old, states=(*old.states, state))
        self.structures[number - 1] = new
        stood = {part.outline() for part in old.states[-1].parts}
        for part in state.parts:
            if part.base_m == 0.0 and part.outline() not in stood:
                self.claims.take(part.outline(), number)
        return new

    def permit(
        self,
        number: int,
        *,
        granted: dt.date,
        valid_until: dt.date | None = None,
        outline: BaseGeometry | None = None,
        storeys: int | None = None,
    ) -> PlannedPermit:
        """Give a structure a permit, by default for all that stands of it in the end.

        Parameters
        ----------
        number
            Number of the structure.
        granted
            First day the permit holds.
        valid_until
            Last day; 40 years later where None.
        outline
            Permitted outline, where it is not the built one.
        storeys
            Permitted storeys, where they are not the built ones.
        """
        structure = self.structures[number - 1]
        parts = _fullest(structure)
        height_m = max(part.top_m for part in parts)
        built = max(part.storeys for part in parts)
        if storeys is not None:
            height_m *= storeys / built
        found = self.grant(
            outline or structure.outline_at(_fullest_flight(structure)),
            granted=granted,
            valid_until=valid_until,
            size=(storeys or built, height_m),
            use=structure.use,
        )
        self.structures[number - 1] = replace(structure, permit_number=found.number)
        return found

    def grant(
        self,
        outline: BaseGeometry,
        *,
        granted: dt.date,
        size: tuple[int, float],
        use: str,
        valid_until: dt.date | None = None,
    ) -> PlannedPermit:
        """Enter a permit for an outline, drawn a few decimetres off, of storeys and height."""
        bearing = self.rng.uniform(0.0, 2.0 * np.pi)
        drift = self.rng.uniform(*_DRIFT_M)
        drawn = translate(outline, drift * np.sin(bearing), drift * np.cos(bearing))
        serial = len(self.permits) + 1
        holder = "Household" if use == "residential" else "Company"
        permit = PlannedPermit(
            number=f"GH-{granted.year}-{serial:04d}",
            holder=f"{holder} {serial:03d}",
            outline=drawn.buffer(_SWELL_M, join_style="mitre"),
            granted=granted,
            valid_until=valid_until or granted + dt.timedelta(days=365 * _HOLD_YEARS),
            storeys=size[0],
            height_m=round(size[1] + _HEIGHT_SLACK_M, 1),
            use=use,
        )
        self.permits.append(permit)
        return permit

    def find(self, flight: int, fit: Callable[[Structure], bool]) -> Structure | None:
        """Draw a structure that may still change at a flight, and for which a test holds."""
        for _ in range(_TRIES if self.structures else 0):
            structure = self.structures[int(self.rng.integers(len(self.structures)))]
            if self.may_change(structure, flight) and fit(structure):
                return structure
        return None

    def may_change(self, structure: Structure, flight: int) -> bool:
        """Say whether a structure stands in the area and has not changed at a flight or later."""
        state = structure.states[-1]
        return state.flight < flight and bool(state.parts) and self._seen(structure)

    def _seen(self, structure: Structure) -> bool:
        """Say whether all of a structure lies in the area."""
        return all(
            self.claims.inside(part.outline()) for state in structure.states for part in state.parts
        )

    def fits(self, parts: tuple[Part, ...], but: int = 0, gap_m: float = ALLEY_M) -> bool:
        """Say whether something new of these parts lies in the area and hits nothing."""
        return all(self.claims.inside(part.outline()) for part in parts) and self.claims.room_for(
            parts, gap_m, frozenset({but} if but else ())
        )

    def cover(self, kind: Ground, part: Part, beyond_m: float, span: Span | None = None) -> None:
        """Cover the ground under and about a volume from some flight on."""
        length_m, width_m = part.length_m + beyond_m, part.width_m + beyond_m
        bend_m = min(0.8, 0.3 * beyond_m) + 0.2
        patch = draw_patch(self.rng, kind, part.place, length_m, width_m, bend_m)
        self.patches.append(replace(patch, span=span or patch.span, shape="rectangle"))


def _fullest_flight(structure: Structure) -> int:
    """Give the flight at which the most of a structure stands."""
    flights = [state.flight for state in structure.states]
    return max(flights, key=lambda flight: (structure.outline_at(flight).area, flight))


def _fullest(structure: Structure) -> tuple[Part, ...]:
    return structure.parts_at(_fullest_flight(structure))
