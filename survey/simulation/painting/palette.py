"""Colours of what a drone sees, as sRGB, and how light turns them into pixel values.

Calibrated by eye against open drone imagery of dense peri-urban ground (OpenAerialMap).
"""

import datetime as dt
import math

import numpy as np
import numpy.typing as npt

__all__ = ["GROUND", "SKINS", "TINTS", "WALLS", "greenness", "linear", "to_linear", "to_srgb"]

Floats = npt.NDArray[np.float64]

SKINS: dict[str, tuple[int, int, int]] = {
    "concrete": (156, 150, 139),
    "concrete_dark": (120, 115, 106),
    "concrete_new": (182, 176, 165),
    "terracotta": (150, 116, 102),
    "membrane": (158, 160, 160),
    "membrane_green": (102, 126, 114),
    "tile_red": (146, 90, 74),
    "tile_orange": (174, 114, 84),
    "tile_dark": (86, 82, 80),
    "tile_grey": (122, 120, 118),
    "steel_blue": (54, 114, 154),
    "steel_red": (170, 98, 92),
    "steel_grey": (138, 146, 148),
    "steel_white": (198, 202, 202),
    "steel_green": (96, 122, 112),
    "steel_rust": (118, 100, 88),
    "steel_old": (124, 122, 116),
    "cement_sheet": (122, 118, 111),
    "plastic": (190, 196, 194),
    "glass": (128, 146, 150),
    "net": (44, 50, 46),
    "formwork": (150, 128, 100),
}
"""Roof coverings; the word before the underscore says how the surface is textured.

Concrete and blue, red, green and grey steel are medians, by hue, of the sunlit part (50th to 85th
percentile of brightness) of the 1 939 labelled roofs of Banepa, open drone pictures of a Nepalese
town; the dark and the new concrete are the tenth and ninetieth percentiles. The others are set in
relation to these.
"""

WALLS: dict[str, tuple[int, int, int]] = {
    "render": (172, 162, 146),
    "white": (198, 195, 187),
    "brick": (140, 92, 76),
    "tile": (178, 172, 164),
    "glass": (92, 108, 120),
    "steel": (150, 156, 160),
    "concrete": (146, 143, 136),
}
"""Walls of buildings and what their parapets are painted with."""

TINTS: dict[str, tuple[int, int, int]] = {
    "white": (214, 216, 214),
    "silver": (164, 168, 171),
    "black": (42, 44, 48),
    "red": (156, 46, 44),
    "blue": (42, 98, 158),
    "green": (48, 112, 82),
    "rust": (128, 80, 58),
    "sand": (190, 172, 140),
    "gravel": (146, 144, 140),
    "brick": (158, 112, 92),
    "yellow": (214, 166, 44),
    "orange": (206, 108, 46),
    "beige": (188, 174, 150),
    "grey": (118, 120, 122),
    "concrete": (158, 154, 144),
    "wood": (138, 110, 80),
}
"""Colours of vehicles, containers, tarpaulins, heaps and walls."""

GROUND: dict[str, tuple[int, int, int]] = {
    "soil": (155, 145, 126),
    "clay": (159, 138, 112),
    "silt": (176, 167, 153),
    "dust": (184, 171, 151),
    "grass_green": (94, 107, 60),
    "grass_lush": (72, 95, 54),
    "grass_dry": (128, 119, 87),
    "straw": (152, 138, 105),
    "weed": (63, 82, 48),
    "bush": (64, 85, 46),
    "twigs": (112, 102, 82),
    "concrete": (161, 157, 146),
    "stain": (108, 102, 92),
    "asphalt": (122, 120, 115),
    "tar": (74, 74, 74),
    "cement": (158, 153, 142),
    "gravel": (150, 146, 138),
    "marking": (206, 204, 196),
    "water": (94, 88, 66),
    "deep_water": (46, 56, 50),
    "sky": (150, 164, 178),
    "algae": (90, 103, 58),
    "mud": (112, 98, 80),
    "young": (106, 122, 72),
    "lush": (84, 101, 66),
    "ripe": (143, 131, 90),
    "stubble": (150, 132, 104),
    "brick": (150, 104, 84),
    "film_black": (62, 64, 66),
    "film_silver": (164, 169, 171),
}
"""Ground covers and stages of crops.

Soil, dust, silt, grass, stubble, lush crops, asphalt and yards of concrete are medians of sunlit
places in the drone pictures of Banepa, water that of a river and a pond in those of the Morava
(both OpenAerialMap); the others are set in relation to them.
"""

# The transfer curve of the images: a plain power close to sRGB's, so that it inverts exactly.
_GAMMA = 2.2
_LEVELS = 4096
_GREENEST_DAY = 215.0  # early August, towards the end of the rains at 23 N


def to_linear(rgb: tuple[int, int, int]) -> Floats:
    """Turn an sRGB colour into reflectance, shape (3, 1, 1)."""
    return np.asarray((np.array(rgb, dtype=np.float64) / 255.0) ** _GAMMA)[:, None, None]


def linear(name: str) -> Floats:
    """Look a colour up by name and give its reflectance, shape (3, 1, 1)."""
    for table in (SKINS, TINTS, GROUND, WALLS):
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
