"""What the drawn pictures share: ink, letters, ground that was not seen, a scale bar.

Their few words are English and ASCII, whatever the user's language: that is all the font shows that
Pillow brings along, and so a picture is the same on machines with other fonts.
"""

import math

import numpy as np
from numpy.typing import NDArray
from PIL import ImageDraw, ImageFont

from survey.flight import Flight
from survey.reading import Picture

__all__ = ["INK", "PAPER", "UNSEEN", "draw_scale", "flight_title", "load_font", "show_picture"]

INK, PAPER = (20, 20, 20), (255, 255, 255)
"""Red, green, blue of letters and of the sheet."""
UNSEEN = 225
"""Grey of ground that a flight does not show."""

_SCALE_TEXT_PX, _LONGEST_PX = 24, 280


def load_font(size: int) -> ImageFont.FreeTypeFont:
    """Return the font of the pictures, ``size`` pixels high."""
    font = ImageFont.load_default(size)
    assert isinstance(font, ImageFont.FreeTypeFont)
    return font


def show_picture(picture: Picture) -> NDArray[np.uint8]:
    """Return (row, col, band), plain grey where the flight shows nothing."""
    shown = np.ascontiguousarray(np.moveaxis(picture.colour, 0, -1))
    shown[~picture.valid] = UNSEEN
    return shown


def flight_title(name: str, flight: Flight, width: float, font: ImageFont.FreeTypeFont) -> str:
    """Return a flight's title, its file name cut to a width in pixels."""
    day = flight.flown_on.isoformat() if flight.flown_on else "date unknown"
    text = f"{name}   {day}   {flight.name}".encode("ascii", "replace").decode("ascii")
    while font.getlength(text) > width:
        text = text.removesuffix("...")[:-1] + "..."
    return text


def draw_scale(draw: ImageDraw.ImageDraw, right: int, pixel_m: float) -> None:
    """Draw an arrow to the north and a bar of a round length, ending at ``right``."""
    font = load_font(_SCALE_TEXT_PX)
    draw.polygon([(right - 12, 4), (right - 24, 34), (right - 12, 27), (right, 34)], INK)
    draw.text((right - 12, 38), "N", INK, font, anchor="mt")
    ten = 10.0 ** math.floor(math.log10(_LONGEST_PX * pixel_m))
    length = max(step * ten for step in (1, 2, 5) if step * ten <= _LONGEST_PX * pixel_m)
    start, end = right - 56 - round(length / pixel_m), right - 56
    draw.line([(start, 8), (start, 20), (end, 20), (end, 8)], INK, 4)
    draw.text(((start + end) / 2, 30), f"{length:g} m", INK, font, anchor="mt")
