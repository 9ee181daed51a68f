"""What the drawn pictures share: ink, titles, ground that was not seen, a scale bar."""

import math

import numpy as np
from numpy.typing import NDArray
from PIL import ImageDraw, ImageFont

from change.export.drawn_words import legible, load_font, say
from survey.flight import Flight
from survey.reading import Picture
from survey.words import N_

__all__ = [
    "INK",
    "PAPER",
    "UNSEEN",
    "draw_scale",
    "flight_title",
    "hatch",
    "show_picture",
    "square_metres",
]

INK, PAPER = (20, 20, 20), (255, 255, 255)
"""Red, green, blue of letters and of the sheet."""
UNSEEN = 225
"""Grey of ground that a flight does not show."""

_SCALE_TEXT_PX, _LONGEST_PX, _HATCH = 24, 280, 90


def show_picture(picture: Picture) -> NDArray[np.uint8]:
    """Return (row, col, band), plain grey where the flight shows nothing."""
    shown = np.ascontiguousarray(np.moveaxis(picture.colour, 0, -1))
    shown[~picture.valid] = UNSEEN
    return shown


def hatch(pixels: NDArray[np.uint8], mask: NDArray[np.bool_]) -> None:
    """Lay a grey veil and diagonal lines over (row, col, band) where the mask is True."""
    row, col = np.ogrid[: mask.shape[0], : mask.shape[1]]
    stripe = ((row + col) % 14 < 2)[..., None]
    share = np.where(stripe, 0.6, 0.35)
    veiled = pixels * (1 - share) + np.where(stripe, _HATCH, UNSEEN) * share
    np.copyto(pixels, veiled.astype(np.uint8), where=mask[..., None])


def square_metres(value: float) -> str:
    """Return an area as it is written in a picture.

    Examples
    --------
    >>> square_metres(39609.4)
    '39 609 m2'
    """
    return say(N_("{number} m2")).format(number=f"{value:,.0f}".replace(",", " "))


def flight_title(name: str, flight: Flight, width: float, font: ImageFont.FreeTypeFont) -> str:
    """Return a flight's title, its file name cut to a width in pixels."""
    day = flight.flown_on.isoformat() if flight.flown_on else say(N_("date unknown"))
    text = legible(f"{name}   {day}   {flight.name}")
    while font.getlength(text) > width and text != "...":
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
