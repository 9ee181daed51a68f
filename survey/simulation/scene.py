"""The things that stand, grow, drive and lie in a simulated area.

Coordinates are local: metres east (x) and north (y) of the area's south-west corner. Bearings are
degrees clockwise from north and give the direction of a thing's length. A thing's own frame has
u along its length and v to the right of it.
"""

import datetime as dt
import math
from dataclasses import dataclass
from typing import Literal

from shapely import Polygon, unary_union
from shapely.geometry.base import BaseGeometry

__all__ = [
    "Fixture",
    "Part",
    "Patch",
    "Place",
    "PlannedPermit",
    "Prop",
    "Road",
    "Scene",
    "State",
    "Structure",
    "Tree",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A point on the ground with a direction."""

    x: float
    """Metres east of the area's south-west corner."""
    y: float
    """Metres north of the area's south-west corner."""
    bearing_deg: float = 0.0
    """Direction of u, degrees clockwise from north."""

    def move(self, u: float, v: float, turn_deg: float = 0.0) -> "Place":
        """Go u metres ahead and v metres to the right, then turn clockwise."""
        sin, cos = (
            math.sin(math.radians(self.bearing_deg)),
            math.cos(math.radians(self.bearing_deg)),
        )
        return Place(
            x=self.x + u * sin + v * cos,
            y=self.y + u * cos - v * sin,
            bearing_deg=self.bearing_deg + turn_deg,
        )

    def rectangle(self, length_m: float, width_m: float) -> Polygon:
        """Give the rectangle of this size around the place, in local metres."""
        turns = ((0.5, 0.5), (0.5, -0.5), (-0.5, -0.5), (-0.5, 0.5))
        corners = [self.move(length_m * u, width_m * v) for u, v in turns]
        return Polygon([(corner.x, corner.y) for corner in corners])


@dataclass(frozen=True, slots=True, kw_only=True)
class Fixture:
    """Something on a flat roof: it casts a shadow and is part of no outline."""

    kind: Literal["tank", "stairwell", "solar", "unit"]
    """What it is."""
    u: float
    """Metres along the roof from its centre."""
    v: float
    """Metres across the roof from its centre."""
    size_m: float
    """Side or diameter, metres."""
    height_m: float
    """Height above the roof, metres."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One rectangular volume under one roof."""

    place: Place
    """Centre of the rectangle and direction of its length."""
    length_m: float
    """Side along u, metres."""
    width_m: float
    """Side along v, metres."""
    base_m: float = 0.0
    """Height of its foot above the ground, metres; more than 0 on top of another part."""
    height_m: float
    """Height of the slab (flat roof) or of the eaves (any other) above the ground, metres."""
    rise_m: float = 0.0
    """Height of the ridge above the eaves, metres; 0 for a flat roof."""
    roof: Literal["flat", "gable", "hip", "mono"]
    """Form of the roof."""
    skin: str
    """What covers the roof; a name in `palette.SKINS`."""
    storeys: int
    """Storeys counted from the ground to the top of this part."""
    seed: int
    """Seed of its stains and tints."""
    fixtures: tuple[Fixture, ...] = ()
    """What stands on the roof."""

    def __post_init__(self) -> None:
        """Refuse a volume that could not stand."""
        if min(self.length_m, self.width_m) <= 0 or self.height_m <= self.base_m:
            msg = (
                f"no volume: {self.length_m} x {self.width_m} m, {self.base_m} to {self.height_m} m"
            )
            raise ValueError(msg)

    @property
    def top_m(self) -> float:
        """Height of the slab or ridge above the ground, metres."""
        return self.height_m + self.rise_m

    def outline(self) -> Polygon:
        """Give the rectangle it covers, in local metres."""
        return self.place.rectangle(self.length_m, self.width_m)


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """What stands of a structure from one flight on, and how it came about."""

    flight: int
    """Index of the first flight that sees it like this; 0 for what stood from the start."""
    parts: tuple[Part, ...]
    """The volumes; empty when nothing stands (any more)."""
    kind: Literal["building", "shed", "annex", "roof_addition", "storey", "removed"]
    """What the change to this state is; for the first state what the structure is."""
    reason: str
    """Expected relation to the permits: a slug of `reason`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Structure:
    """One building or shed through all flights."""

    number: int
    """Stable number within the area, from 1."""
    use: Literal["residential", "storage", "industrial"]
    """What it is used for."""
    permit_number: str | None
    """Number of the permit it has, if any."""
    states: tuple[State, ...]
    """Its states in the order of flights."""

    @property
    def foot(self) -> Place:
        """The place whose ground level carries the structure."""
        return self.states[0].parts[0].place

    def state_at(self, flight: int) -> State | None:
        """Give the state a flight sees, or None before the first."""
        seen = [state for state in self.states if state.flight <= flight]
        return seen[-1] if seen else None

    def parts_at(self, flight: int) -> tuple[Part, ...]:
        """Give the volumes a flight sees; empty when nothing stands."""
        state = self.state_at(flight)
        return state.parts if state else ()

    def outline_at(self, flight: int) -> BaseGeometry:
        """Give the outline a flight sees, local metres; empty when nothing stands."""
        return unary_union([part.outline() for part in self.parts_at(flight)])

    def height_at(self, flight: int) -> float:
        """Give the height of the highest slab or ridge above the ground, metres; 0 when gone."""
        return max((part.top_m for part in self.parts_at(flight)), default=0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedPermit:
    """A permit as the bureau would have drawn it."""

    number: str
    """Number of the permit."""
    holder: str
    """A made-up holder."""
    outline: BaseGeometry
    """Permitted outline, local metres; a few decimetres off the built one."""
    granted: dt.date
    """First day it holds."""
    valid_until: dt.date
    """Last day it holds."""
    storeys: int
    """Permitted storeys."""
    height_m: float
    """Permitted height above the ground, metres."""
    use: str
    """Permitted use."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tree:
    """A tree or a large shrub."""

    x: float
    """Metres east."""
    y: float
    """Metres north."""
    radius_m: float
    """Mean radius of the crown, metres."""
    height_m: float
    """Height above the ground, metres."""
    species: Literal["broadleaf", "palm", "shrub"]
    """Shape and tint of the crown."""
    seed: int
    """Seed of its outline and clumps."""
    felled: int | None = None
    """Index of the first flight that does not see it any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Patch:
    """A rectangle of one ground cover."""

    kind: Literal["concrete", "soil", "grass", "paddy", "vegetable", "pond", "rubble"]
    """What covers the ground."""
    place: Place
    """Centre and direction."""
    length_m: float
    """Side along u, metres."""
    width_m: float
    """Side along v, metres."""
    seed: int
    """Seed of its texture and, for crops, of its calendar."""
    first_flight: int = 0
    """Index of the first flight that sees it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Road:
    """A straight run of road between two places."""

    start: Place
    """One end of the centre line."""
    end: Place
    """The other end."""
    width_m: float
    """Width of the paving, metres."""
    surface: Literal["asphalt", "cement"]
    """What it is paved with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prop:
    """Something that is no structure: a vehicle, a wall, or what is stored for a while."""

    kind: Literal["car", "truck", "container", "pile", "tarpaulin", "wall"]
    """What it is."""
    place: Place
    """Centre and direction."""
    length_m: float
    """Side along u, metres."""
    width_m: float
    """Side along v, metres."""
    height_m: float
    """Height above the ground, metres."""
    tint: str
    """A name in `palette.TINTS`."""
    seed: int
    """Seed of its texture."""
    flights: tuple[int, ...]
    """Indices of the flights that see it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """Everything in an area, through all flights."""

    seed: int
    """Seed of ground textures and terrain."""
    side_m: float
    """Side of the square area, metres."""
    structures: tuple[Structure, ...] = ()
    """Buildings and sheds, with their lives."""
    permits: tuple[PlannedPermit, ...] = ()
    """The permit layer, also permits nobody has built on."""
    trees: tuple[Tree, ...] = ()
    """Trees and shrubs."""
    patches: tuple[Patch, ...] = ()
    """Ground covers, later ones over earlier ones."""
    roads: tuple[Road, ...] = ()
    """Roads, over the patches."""
    props: tuple[Prop, ...] = ()
    """Vehicles, walls and stored goods."""
