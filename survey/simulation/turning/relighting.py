"""Another day's camera and weather over a picture that is there already. Pure arrays.

Unlike the lens of a simulated flight, which forms a picture from light, this alters a finished one:
what is burnt out or lost in the dark stays so.
"""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from survey.simulation.painting.texture import hash_lattice, mix_seed
from survey.windows import Window

__all__ = ["RELIGHT_HALO_PX", "Relighting", "draw_relighting", "relight"]

Image = npt.NDArray[np.uint8]
Singles = npt.NDArray[np.float32]

RELIGHT_HALO_PX = 12
"""Pixels that `relight` must see around those that are kept, for its blur."""

_GAMMA = 2.2
_NOISE_SPREAD = 6.0**0.5  # the sum of two uniform numbers has a variance of 1/6
# Excess green (2g - r - b of chromatic coordinates; D. Woebbecke et al., Trans. ASAE 38(1), 1995)
# from where a pixel counts as plant to where it is wholly one.
_PLANT = (0.02, 0.16)


@dataclass(frozen=True, slots=True, kw_only=True)
class Relighting:
    """How the earlier picture differs from the later one in light and camera."""

    exposure: float = 1.0
    """Factor on the light."""
    red: float = 1.0
    """White balance: factor on red."""
    blue: float = 1.0
    """White balance: factor on blue."""
    contrast: float = 1.0
    """Exponent on the grey values; above 1 the dark gets darker."""
    saturation: float = 1.0
    """Factor on the distance from grey."""
    haze: float = 0.0
    """Veil over every pixel, share of full scale."""
    blur_px: float = 0.0
    """Standard deviation of a blur, pixels; below 0 a sharpening of that radius."""
    noise: float = 0.0
    """Standard deviation of added noise, grey values."""
    dryness: float = 0.0
    """Turn of plants towards straw (above 0) or lush green (below 0), -1 to 1."""
    seed: int = 0
    """Which noise."""


def draw_relighting(rng: np.random.Generator) -> Relighting:
    """Draw the light of another day; ranges as between flights of one area in open imagery."""
    return Relighting(
        exposure=float(np.exp(rng.uniform(-0.3, 0.3))),
        red=float(rng.uniform(0.92, 1.08)),
        blue=float(rng.uniform(0.9, 1.1)),
        contrast=float(np.exp(rng.uniform(-0.16, 0.16))),
        saturation=float(rng.uniform(0.75, 1.25)),
        haze=float(rng.uniform(0.0, 0.06)),
        blur_px=float(rng.uniform(-0.6, 0.6)),
        noise=float(rng.uniform(0.5, 2.5)),
        dryness=float(rng.uniform(-0.6, 0.9)),
        seed=int(rng.integers(2**31)),
    )


def relight(image: Image, light: Relighting, window: Window) -> Image:
    """Show a picture in another light.

    Parameters
    ----------
    image
        (3, row, col).
    light
        What differs.
    window
        Where the pixels lie in their file: noise belongs to a pixel, whatever window it is seen in.
        Keep `RELIGHT_HALO_PX` less on each side for results that do not depend on the window.

    Returns
    -------
    numpy.ndarray
        uint8, shape of ``image``.

    Examples
    --------
    >>> image = np.full((3, 4, 4), 100, np.uint8)
    >>> window = Window(row=0, col=0, height=4, width=4)
    >>> bool((relight(image, Relighting(), window) == image).all())
    True
    """
    grey = _dried(image.astype(np.float32) / 255.0, light.dryness)
    gains = np.array([light.red, 1.0, light.blue], np.float32) * np.float32(light.exposure)
    linear = np.power(grey, np.float32(_GAMMA)) * gains[:, None, None]
    linear = linear * np.float32(1.0 - light.haze) + np.float32(light.haze)
    shown = np.power(np.clip(linear, 0.0, 1.0), np.float32(light.contrast / _GAMMA))
    mean = shown.mean(axis=0, keepdims=True)
    shown = mean + np.float32(light.saturation) * (shown - mean)
    shown = 255.0 * _focused(shown, light.blur_px) + _grain(window, light)
    eight: Image = np.clip(np.rint(shown), 0, 255).astype(np.uint8)
    return eight


def _dried(grey: Singles, dryness: float) -> Singles:
    """Turn plants towards straw or lush green."""
    if dryness == 0:
        return grey
    total = np.maximum(grey.sum(axis=0), np.float32(0.02))
    excess = (3.0 * grey[1] - grey.sum(axis=0)) / total
    part = np.clip((excess - _PLANT[0]) / (_PLANT[1] - _PLANT[0]), 0.0, 1.0)
    # From grass to straw, red grows by half while green hardly changes (GROUND in the palette).
    turn = np.array([0.45, 0.05, 0.15], np.float32) * np.float32(dryness)
    turned = np.clip(grey * (1.0 + turn[:, None, None] * part[None]), 0.0, 1.0)
    return np.asarray(turned, dtype=np.float32)


def _focused(shown: Singles, blur_px: float) -> Singles:
    """Blur, or sharpen by an unsharp mask."""
    if abs(blur_px) < 0.05:
        return shown
    soft = np.stack([cv2.GaussianBlur(band, (0, 0), abs(blur_px)) for band in shown])
    return soft if blur_px > 0 else np.asarray(2.0 * shown - soft, dtype=np.float32)


def _grain(window: Window, light: Relighting) -> Singles:
    """Draw the sensor's noise, (3, row, col): mostly of lightness, less of colour."""
    if light.noise == 0:
        return np.zeros((3, 1, 1), np.float32)
    rows = np.arange(window.row, window.row + window.height)
    cols = np.arange(window.col, window.col + window.width)

    def draw(band: int) -> Singles:
        first, second = (hash_lattice(cols, rows, mix_seed(light.seed, band, n)) for n in (0, 1))
        return np.asarray((first + second - 1.0) * _NOISE_SPREAD, dtype=np.float32)

    shared = draw(3)
    own = [0.85 * shared + 0.5 * draw(band) for band in range(3)]
    return (light.noise * np.stack(own)).astype(np.float32)
