"""What becomes of structures: who builds, adds, or clears, at which flight, with which permit."""

import datetime as dt
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from shapely.affinity import translate
from shapely.geometry.base import BaseGeometry

from survey.simulation.houses import draw_house, draw_shed, raise_storey, seat_on_roof
from survey.simulation.scene import Part, Place, PlannedPermit, State, Structure

__all__ = ["YEAR", "Event", "Ledger", "Site"]

_DRIFT_M = (0.1, 0.2)  # how far a drawn outline lies off the built one
_SWELL_M = 0.1
_EXCESS = 1.45  # built over permitted, for what exceeds its permit
_STOREY_SLACK_M = 0.3
_HOLD_YEARS = 40
_ANNEX_M = 4.0
_Alteration = Literal["annex", "storey", "roof_addition", "removed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One thing that happens in the year of an area of 4 ha."""

    kind: Literal["building", "shed", "annex", "storey", "roof_addition", "removed", "unbuilt"]
    """What is built or added, removed, or only permitted."""
    reason: str
    """Expected relation to the permits."""
    area_m2: float = 0.0
    """Outline of a new structure, m2."""
    brief: bool = False
    """True where it is built at the first chance and demolished before the last flight."""


YEAR: tuple[Event, ...] = (
    Event(kind="shed", reason="no_permit", area_m2=30.0),
    Event(kind="building", reason="no_permit", area_m2=80.0),
    Event(kind="storey", reason="grown_beyond_permit"),
    Event(kind="removed", reason="removed_permitted"),
    Event(kind="building", reason="as_permitted", area_m2=90.0),
    Event(kind="annex", reason="grown_beyond_permit"),
    Event(kind="building", reason="exceeds_permit", area_m2=110.0),
    Event(kind="roof_addition", reason="grown_beyond_permit"),
    Event(kind="shed", reason="no_permit", area_m2=150.0),
    Event(kind="building", reason="as_permitted", area_m2=70.0),
    Event(kind="shed", reason="no_permit", area_m2=12.0),
    Event(kind="building", reason="no_permit", area_m2=60.0, brief=True),
    Event(kind="shed", reason="no_permit", area_m2=105.0),
    Event(kind="removed", reason="removed_permitted"),
    Event(kind="building", reason="as_permitted", area_m2=120.0),
    Event(kind="building", reason="exceeds_permit", area_m2=130.0),
    Event(kind="unbuilt", reason="as_permitted", area_m2=80.0),
)
"""The script of a year; small areas get as much of it as there is room for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """A place where something may be built."""

    place: Place
    """Centre and direction."""
    length_m: float
    """Room along u, metres."""
    width_m: float
    """Room along v, metres."""


class Ledger:
    """Collects structures and permits while an area is drawn.

    It is the one object here that changes: numbers are given in the order of entry.
    """

    def __init__(self, rng: np.random.Generator, dates: tuple[dt.date, ...]) -> None:
        """Start empty, for flights on these dates."""
        self._rng = rng
        self._dates = dates
        self._turn = 0
        self.structures: list[Structure] = []
        self.permits: list[PlannedPermit] = []
        self.annex_sites: dict[int, Place] = {}

    def enter_stock(
        self, use: Literal["residential", "storage", "industrial"], parts: tuple[Part, ...]
    ) -> int:
        """Enter what stood before the first flight, with its permit; give its number."""
        state = State(
            flight=0,
            parts=parts,
            kind="shed" if use == "storage" else "building",
            reason="as_permitted",
        )
        structure = Structure(number=self._next, use=use, permit_number=None, states=(state,))
        years = float(self._rng.uniform(4.0, 25.0))
        granted = self._dates[0] - dt.timedelta(days=int(365 * years))
        self._enter(structure, structure.outline_at(0), granted)
        return structure.number

    @property
    def _next(self) -> int:
        return len(self.structures) + 1

    def _enter(self, structure: Structure, outline: BaseGeometry, granted: dt.date) -> None:
        """Enter a structure with a permit for `outline` as high as its first state."""
        first = structure.states[0]
        number = self._grant(outline, granted, first.parts, structure.use)
        self.structures.append(replace(structure, permit_number=number))

    def _grant(
        self, outline: BaseGeometry, granted: dt.date, parts: tuple[Part, ...], use: str
    ) -> str:
        drift, bearing = self._rng.uniform(*_DRIFT_M), self._rng.uniform(0.0, 2.0 * np.pi)
        drawn = translate(outline, drift * np.sin(bearing), drift * np.cos(bearing))
        serial = len(self.permits) + 1
        number = f"GH-{granted.year}-{serial:04d}"
        self.permits.append(
            PlannedPermit(
                number=number,
                holder=f"Household {serial:03d}"
                if use == "residential"
                else f"Company {serial:03d}",
                outline=drawn.buffer(_SWELL_M, join_style="mitre"),
                granted=granted,
                valid_until=granted + dt.timedelta(days=365 * _HOLD_YEARS),
                storeys=max(part.storeys for part in parts),
                height_m=round(max(part.top_m for part in parts) + _STOREY_SLACK_M, 1),
                use=use,
            )
        )
        return number

    def take_flight(self) -> int:
        """Give the next flight in turn that sees something new, from 1."""
        self._turn += 1
        return 1 + (self._turn - 1) % (len(self._dates) - 1)

    def build(self, event: Event, site: Site) -> None:
        """Build something new on a site."""
        part = self._draw_part(event, site)
        if event.kind == "unbuilt":
            self._grant(part.outline(), self._day_before(1), (part,), "residential")
            return
        flight = 1 if event.brief else self.take_flight()
        kind: Literal["shed", "building"] = "shed" if event.kind == "shed" else "building"
        states = [State(flight=flight, parts=(part,), kind=kind, reason=event.reason)]
        if event.brief and len(self._dates) > 2:  # built, seen, gone again
            last = len(self._dates) - 1
            states.append(State(flight=last, parts=(), kind="removed", reason=event.reason))
        structure = Structure(
            number=self._next,
            use="storage" if kind == "shed" else "residential",
            permit_number=None,
            states=tuple(states),
        )
        if event.reason == "no_permit":
            self.structures.append(structure)
            return
        allowed = part
        if event.reason == "exceeds_permit":
            length_m = part.length_m / _EXCESS
            shifted = part.place.move((length_m - part.length_m) / 2, 0.0)
            allowed = replace(part, place=shifted, length_m=length_m)
        self._enter(structure, allowed.outline(), self._day_before(flight))

    def _day_before(self, flight: int) -> dt.date:
        """Draw the day of a grant: one to ten months before the last flight that saw nothing."""
        return self._dates[flight - 1] - dt.timedelta(days=int(self._rng.integers(30, 300)))

    def _draw_part(self, event: Event, site: Site) -> Part:
        ratio = float(self._rng.uniform(1.1, 1.4))
        length_m = min(site.length_m, (event.area_m2 * ratio) ** 0.5)
        width_m = min(site.width_m, event.area_m2 / length_m)
        length_m = min(site.length_m, event.area_m2 / width_m)
        slack_u, slack_v = (site.length_m - length_m) / 2, (site.width_m - width_m) / 2
        u, v = self._rng.uniform(-slack_u, slack_u), self._rng.uniform(-slack_v, slack_v)
        place = site.place.move(float(u), float(v))
        draw = draw_shed if event.kind == "shed" else draw_house
        return draw(self._rng, place, length_m, width_m)

    def alter(self, event: Event) -> bool:
        """Let something happen to a structure of the stock; False where none is fit for it."""
        fit = [item for item in self.structures if self._fits(event, item)]
        if not fit:
            return False
        chosen = fit[int(self._rng.integers(len(fit)))]
        flight = self.take_flight()
        kind, parts = self._altered(event, chosen)
        state = State(flight=flight, parts=parts, kind=kind, reason=event.reason)
        self.structures[chosen.number - 1] = replace(chosen, states=(*chosen.states, state))
        return True

    def _fits(self, event: Event, structure: Structure) -> bool:
        first = structure.states[0]
        if first.flight > 0 or len(structure.states) > 1:
            return False
        if event.kind == "annex":
            return structure.number in self.annex_sites
        if event.kind == "removed":
            return structure.use != "industrial"
        return first.parts[0].roof == "flat" and structure.use == "residential"

    def _altered(self, event: Event, structure: Structure) -> tuple[_Alteration, tuple[Part, ...]]:
        parts = structure.states[0].parts
        host = parts[0]
        if event.kind == "removed":
            return "removed", ()
        if event.kind == "storey":
            return "storey", (raise_storey(host), *parts[1:])
        if event.kind == "roof_addition":
            return "roof_addition", (*seat_on_roof(self._rng, host), *parts[1:])
        site = self.annex_sites[structure.number]
        return "annex", (*parts, draw_shed(self._rng, site, _ANNEX_M, 0.85 * host.width_m))
