"""How people of one place build: which roofs, which colours, how high.

A manner is drawn once for an area, so that its houses resemble each other and no other area's.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from survey.simulation.flights import Setting

__all__ = ["Manner", "Skins", "Wall", "draw_manner"]

Skins = tuple[tuple[str, float], ...]
"""Names in `palette.SKINS` with their shares."""
Wall = Literal["render", "white", "brick", "tile", "glass", "steel", "concrete"]
"""Names in `palette.WALLS`."""

# Shares of roof coverings, by eye from open drone imagery of South China and South Asia.
_FLAT: Skins = (
    ("concrete", 5.0), ("concrete_dark", 3.0), ("terracotta", 1.6), ("membrane", 0.8),
    ("membrane_green", 0.4), ("concrete_new", 0.7),
)  # fmt: skip
_TILE: Skins = (("tile_red", 3.0), ("tile_orange", 2.0), ("tile_dark", 1.4), ("tile_grey", 2.0))
_STEEL: Skins = (
    ("steel_blue", 4.0), ("steel_red", 1.6), ("steel_grey", 2.6), ("steel_white", 1.2),
    ("steel_green", 0.6), ("steel_rust", 1.2), ("steel_old", 1.2),
)  # fmt: skip
_POOR: Skins = (("cement_sheet", 2.4), ("steel_rust", 1.0), ("steel_old", 1.6))
_WALLS: tuple[tuple[Wall, float], ...] = (
    ("render", 4.0), ("white", 2.0), ("tile", 2.0), ("brick", 1.6), ("concrete", 1.0),
)  # fmt: skip

# Share of flat roofs among dwellings, and least and most storeys, by eye.
_DWELLINGS: dict[Setting, tuple[float, int, int]] = {
    "fringe": (0.6, 1, 5),
    "urban_village": (0.9, 3, 8),
    "town": (0.7, 2, 7),
    "industrial": (0.75, 2, 6),
    "farmland": (0.5, 1, 3),
    "hills": (0.35, 1, 3),
    "greenhouses": (0.55, 1, 3),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Manner:
    """The building habits of an area."""

    flat_share: float
    """Share of flat roofs among dwellings."""
    storeys: tuple[int, int]
    """Least and most storeys of dwellings."""
    flat: Skins
    """Coverings of flat roofs."""
    tile: Skins
    """Tiles."""
    steel: Skins
    """Coverings of sheds and halls."""
    crooked_deg: float
    """Standard deviation of a house's direction from its row's, degrees."""
    lawless: float
    """Share of the stock that never had a permit."""

    def pick(self, rng: np.random.Generator, skins: Skins) -> str:
        """Choose a covering by its share."""
        weights = np.array([share for _, share in skins])
        return skins[int(rng.choice(len(skins), p=weights / weights.sum()))][0]

    def pick_wall(self, rng: np.random.Generator) -> Wall:
        """Choose the colour of a dwelling's walls."""
        weights = np.array([share for _, share in _WALLS])
        return _WALLS[int(rng.choice(len(_WALLS), p=weights / weights.sum()))][0]


def draw_manner(rng: np.random.Generator, setting: Setting) -> Manner:
    """Draw the habits of an area of a setting."""
    flat_share, least, most = _DWELLINGS[setting]
    return Manner(
        flat_share=float(np.clip(rng.normal(flat_share, 0.15), 0.03, 0.97)),
        storeys=(least, max(least + 1, most - int(rng.integers(0, 3)))),
        flat=_vary(rng, _FLAT),
        tile=_vary(rng, _TILE),
        steel=_vary(rng, (*_STEEL, *_POOR)),
        crooked_deg=float(rng.uniform(0.3, 3.0)),
        lawless=float(rng.uniform(0.08, 0.4)),
    )


def _vary(rng: np.random.Generator, skins: Skins) -> Skins:
    """Draw shares about the usual ones: a colour may be all the fashion here."""
    return tuple((name, float(rng.gamma(1.2) * share) + 0.02) for name, share in skins)
