"""How the land of an area is divided, before anything stands on it."""

from dataclasses import dataclass
from typing import Literal

from survey.simulation.scene import Patch, Place, Road

__all__ = ["Land", "Use", "Zone"]

Use = Literal[
    "dense",
    "village",
    "town",
    "industrial",
    "greenhouses",
    "farmland",
    "orchard",
    "woods",
    "market",
    "park",
    "waste",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Zone:
    """A rectangle of land under one use, between roads."""

    place: Place
    """Centre, and the direction its rows run."""
    length_m: float
    """Side along u without the verges of the roads, metres."""
    width_m: float
    """Side along v without the verges of the roads, metres."""
    use: Use
    """What it is used for; `dense` is an urban village with alleys a metre or two wide, `waste`
    cleared or idle ground."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Land:
    """The land of an area: zones, roads and what covers the ground."""

    side_m: float
    """Side of the square area, metres."""
    zones: tuple[Zone, ...]
    """The zones; they do not overlap."""
    roads: tuple[Road, ...]
    """Roads, lanes and canals, later ones over earlier ones."""
    patches: tuple[Patch, ...]
    """Ground covers, later ones over earlier ones."""
