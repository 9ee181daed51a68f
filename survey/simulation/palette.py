"""Colours of what a drone sees, as sRGB, and how light turns them into pixel values.

Calibrated by eye against open drone imagery of dense peri-urban ground (OpenAerialMap).
"""

import datetime as dt
import math

import numpy as np
import numpy.typing as npt

__all__ = ["GROUND", "SKINS", "TINTS", "greenness", "linear", "to_linear", "to_srgb"]

Floats = npt.NDArray[np.float64]

SKINS: dict[str, tuple[int, int, int]] = {
    "concrete": (172, 166, 156),
    "concrete_dark": (134, 130, 124),
    "terracotta": (150, 110, 96),
    "tile_red": (154, 94, 76),
    "tile_orange": (178, 122, 94),
    "tile_dark": (104, 100, 98),
    "steel_blue": (70, 116, 166),
    "steel_red": (156, 76, 76),
    "steel_grey": (158, 162, 164),
    "steel_white": (206, 208, 206),
    "cement_sheet": (132, 128, 122),
}
"""Roof coverings; the word before the underscore says how the surface is textured."""

TINTS: dict[str, tuple[int, int, int]] = {
    "white": (222, 222, 220),
    "silver": (168, 172, 176),
    "black": (44, 46, 50),
    "red": (160, 48, 44),
    "blue": (46, 92, 160),
    "green": (52, 118, 84),
    "rust": (142, 82, 58),
    "sand": (196, 174, 140),
    "gravel": (150, 146, 142),
    "brick": (168, 158, 146),
}
"""Colours of vehicles, containers, tarpaulins, heaps and walls."""

GROUND: dict[str, tuple[int, int, int]] = {
    "soil": (160, 138, 114),
    "dust": (182, 164, 142),
    "grass_green": (88, 112, 56),
    "grass_dry": (146, 138, 92),
    "weed": (62, 92, 42),
    "concrete": (176, 170, 158),
    "asphalt": (104, 104, 106),
    "cement": (164, 160, 150),
    "marking": (214, 212, 204),
    "water": (70, 88, 72),
    "mud": (124, 104, 82),
    "young": (116, 142, 72),
    "lush": (76, 108, 52),
    "ripe": (188, 164, 84),
    "stubble": (178, 156, 114),
    "rubble": (172, 160, 148),
}
"""Ground covers and stages of crops."""

# The transfer curve of the images: a plain power close to sRGB's, so that it inverts exactly.
_GAMMA = 2.2
_LEVELS = 4096
_GREENEST_DAY = 215.0  # early August, towards the end of the rains at 23 N


def to_linear(rgb: tuple[int, int, int]) -> Floats:
    """Turn an sRGB colour into reflectance, shape (3, 1, 1)."""
    return np.asarray((np.array(rgb, dtype=np.float64) / 255.0) ** _GAMMA)[:, None, None]


def linear(name: str) -> Floats:
    """Look a colour up by name and give its reflectance, shape (3, 1, 1)."""
    for table in (SKINS, TINTS, GROUND):
        if name in table:
            return to_linear(table[name])
    msg = f"no colour is called {name!r}"
    raise KeyError(msg)


_CURVE = np.round(255.0 * (np.arange(_LEVELS + 1) / _LEVELS) ** (1.0 / _GAMMA), 3)


def to_srgb(light: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    """Turn light (1 is full scale) into grey values 0 to 255, not yet rounded."""
    steps = np.clip(light * np.float32(_LEVELS) + np.float32(0.5), 0, _LEVELS).astype(np.int32)
    return np.asarray(_CURVE[steps], dtype=np.float64)


def greenness(day: dt.date) -> float:
    """Say how green vegetation is, 0 in the dry winter to 1 in the rains."""
    turn = 2.0 * math.pi * (day.timetuple().tm_yday - _GREENEST_DAY) / 365.0
    return 0.5 + 0.5 * math.cos(turn)
