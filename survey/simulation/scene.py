"""The things that stand, grow, drive and lie in a simulated area.

Coordinates are local: metres east (x) and north (y) of the area's south-west corner. Bearings are
degrees clockwise from north and give the direction of a thing's length. A thing's own frame has
u along its length and v to the right of it.
"""

import datetime as dt
import math
from dataclasses import dataclass, field
from typing import Literal

from shapely import Polygon, unary_union
from shapely.geometry.base import BaseGeometry

__all__ = [
    "ALWAYS",
    "Fixture",
    "Part",
    "Patch",
    "Place",
    "PlannedPermit",
    "Prop",
    "Road",
    "Scene",
    "Span",
    "State",
    "Structure",
    "Terrain",
    "Tree",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """The flights that see a thing: from `first` on, up to but without `end`."""

    first: int = 0
    """Index of the first flight that sees it."""
    end: int | None = None
    """Index of the first flight that does not see it any more; None where it stays."""

    def holds(self, flight: int) -> bool:
        """Say whether a flight sees the thing."""
        return self.first <= flight and (self.end is None or flight < self.end)


ALWAYS = Span()
"""The span of what is there at every flight."""


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
    """Something on a roof: it casts a shadow and is part of no outline."""

    kind: Literal[
        "tank", "stairwell", "solar", "unit", "vent", "washing", "planter", "junk", "tarpaulin"
    ]
    """What it is; `solar` is an array of panels, `junk` a heap of odds and ends."""
    u: float
    """Metres along the roof from its centre."""
    v: float
    """Metres across the roof from its centre."""
    length_m: float
    """Side along u, or diameter, metres."""
    width_m: float
    """Side along v, metres."""
    height_m: float
    """Height above the roof, metres."""
    tint: str = "silver"
    """A name in `palette.TINTS`, where the kind does not say the colour."""
    seed: int = 0
    """Seed of its texture."""
    span: Span = ALWAYS
    """The flights that see it."""


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
    """Height of the ridge or crown above the eaves, metres; 0 for a flat roof."""
    roof: Literal["flat", "gable", "hip", "mono", "arch", "foundation", "frame"]
    """Form of the roof; `foundation` is a bare slab with the feet of columns, `frame` an upper
    slab in formwork with reinforcement bars and a net about it."""
    skin: str
    """What covers the roof; a name in `palette.SKINS`."""
    wall: str = "render"
    """Colour of the walls; a name in `palette.WALLS`."""
    parapet_m: float = 0.0
    """Height of the wall around a flat roof, metres; 0 for none."""
    storeys: int
    """Storeys counted from the ground to the top of this part."""
    seed: int
    """Seed of its stains and tints."""
    fixtures: tuple[Fixture, ...] = ()
    """What stands on the roof."""
    repaints: tuple[tuple[int, str], ...] = ()
    """Later coverings of the same roof: first flight that sees each, and its skin; ascending."""

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

    def skin_at(self, flight: int) -> str:
        """Name what covers the roof at a flight."""
        return [self.skin, *(skin for first, skin in self.repaints if first <= flight)][-1]


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """What stands of a structure from one flight on, and how it came about."""

    flight: int
    """Index of the first flight that sees it like this; 0 for what stood from the start."""
    parts: tuple[Part, ...]
    """The volumes; empty when nothing stands (any more)."""
    kind: Literal[
        "building", "shed", "annex", "roof_addition", "storey", "site", "removed", "partly_removed"
    ]
    """What the change to this state is; for the first state what the structure is."""
    reason: str
    """Expected relation to the permits: a slug of `reason`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Structure:
    """One building or shed through all flights."""

    number: int
    """Stable number within the area, from 1."""
    use: Literal["residential", "storage", "industrial", "public", "greenhouse"]
    """What it is used for."""
    permit_number: str | None
    """Number of the permit it has, if any."""
    replaces: int | None = None
    """Number of the structure that stood here before and was cleared, if any."""
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
    """Mean radius of the crown at the first flight, metres."""
    height_m: float
    """Height above the ground at the first flight, metres."""
    species: Literal["broadleaf", "deciduous", "conifer", "palm", "bamboo", "shrub"]
    """Shape and tint of the crown; deciduous ones are bare in winter."""
    seed: int
    """Seed of its outline and clumps."""
    growth: float = 0.0
    """Share of its size that it gains in a year."""
    span: Span = ALWAYS
    """The flights that see it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Patch:
    """A piece of one ground cover."""

    kind: Literal[
        "concrete", "asphalt", "gravel", "soil", "grass", "scrub", "paddy", "vegetable", "orchard",
        "mulch", "pond", "pit", "rubble", "repair",
    ]  # fmt: skip
    """What covers the ground; `mulch` is film over rows, `repair` fresh asphalt on a road."""
    place: Place
    """Centre and direction."""
    length_m: float
    """Side along u, metres."""
    width_m: float
    """Side along v, metres."""
    seed: int
    """Seed of its texture and, for crops, of its calendar."""
    shape: Literal["rectangle", "ellipse"] = "rectangle"
    """Form before it is bent."""
    bend_m: float = 0.0
    """How far its edge wanders from that form, metres."""
    lift_m: float = 0.0
    """Mean height of what it heaps up above the ground (rubble), or depth of a pit, metres."""
    over_roads: bool = False
    """True where it lies on top of roads."""
    span: Span = ALWAYS
    """The flights that see it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Road:
    """A straight run of road, path or canal between two places."""

    start: Place
    """One end of the centre line."""
    end: Place
    """The other end."""
    width_m: float
    """Width of the paving or of the water, metres."""
    surface: Literal["asphalt", "cement", "dirt", "canal"]
    """What it is paved with."""
    seed: int = 0
    """Seed of its wear."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prop:
    """Something that is no structure: a vehicle, a wall, or what is stored for a while."""

    kind: Literal[
        "car", "truck", "bus", "machine", "boat", "container", "pile", "tarpaulin", "stall",
        "crowd", "junk", "wall", "pole", "wire",
    ]  # fmt: skip
    """What it is; `machine` is an excavator or crane, `crowd` people over an area, `junk` scattered
    small things, `wire` a run of power line at `height_m`."""
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
    span: Span = ALWAYS
    """The flights that see it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Terrain:
    """The relief of the bare ground."""

    level_m: float = 18.0
    """Mean height, metres."""
    relief_m: float = 2.4
    """Height between valleys and hills, metres."""
    cell_m: float = 130.0
    """Distance between hills, metres."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """Everything in an area, through all flights."""

    seed: int
    """Seed of ground textures and terrain."""
    side_m: float
    """Side of the square area, metres."""
    terrain: Terrain = field(default_factory=Terrain)
    """The relief of the bare ground."""
    wild: Literal["grass", "soil", "scrub"] = "grass"
    """What grows where nothing else covers the ground."""
    structures: tuple[Structure, ...] = ()
    """Buildings and sheds, with their lives."""
    permits: tuple[PlannedPermit, ...] = ()
    """The permit layer, also permits nobody has built on."""
    trees: tuple[Tree, ...] = ()
    """Trees and shrubs."""
    patches: tuple[Patch, ...] = ()
    """Ground covers, later ones over earlier ones."""
    roads: tuple[Road, ...] = ()
    """Roads and canals, over the patches, later ones over earlier ones."""
    props: tuple[Prop, ...] = ()
    """Vehicles, walls, wires and stored goods."""
