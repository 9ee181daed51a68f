"""Does a surface model lie where its own orthophoto lies? Pure.

Both come out of one flight, yet some are up to 2 m apart (another export, another datum shift).
Where heights jump, the picture has an edge that runs the same way, brighter on either side. So
directions of gradients are compared by their double angle, in which light to dark and dark to
light are the same, and correlated by Fourier transform over many windows at once.

Shadows lie beside buildings on one side, and their edges run as the walls do. The edges of what is
dark are therefore left out; what that leaves of the error, and the shift from which a model is
read moved, was measured on simulated flights (``benchmarks/surfaces.py``).
"""

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from survey.ties import correlate_images, surface_peak, surface_strength

__all__ = ["SEARCH_M", "SurfaceFit", "correlate_edges", "dark_limit", "fit_surface"]

SEARCH_M = 4.0
"""Largest distance between a surface model and its orthophoto that is looked for, m."""

# Steps of brightness of this size count half, grey levels (as in `survey.ties`).
_DAMPING = 8.0
# Slopes of this size count half, m per m: edges of roofs and crowns, not banks and furrows.
_STEEP = 1.0
# Edges nearer than this to a shadow are left out, m: the penumbra and the blur of the picture.
_BESIDE_DARK_M = 0.8
# Measured on 32 simulated flights moved by 0 to 2 m: windows laid on heights of other windows never
# reach this strength (224 trials), and where it is reached the shift found is wrong by at most
# 0.30 m, on the frozen ones by 0.39 m (leaning roofs, what is left of shadows): less than _LEAST_M
# proves nothing.
_LEAST_STRENGTH, _LEAST_M, _LARGEST_ERROR_M = 6.0, 0.5, 0.3
_LEAST_WINDOWS = 4
_SIGMAS = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SurfaceFit:
    """How a surface model lies against its own orthophoto."""

    verdict: str
    """``fits``: measured, and too little to be proved a shift; ``moved``: the model is read moved;
    ``unknown``: nothing to measure by."""
    east: float
    """How much further east the model shows what the orthophoto shows, as measured, m."""
    north: float
    """How much further north the model shows what the orthophoto shows, as measured, m."""
    error_m: float
    """Expected error of the shift (one sigma of the worse direction), bias by light left out, m."""
    strength: float
    """Peak of the edges' correlation, in standard deviations."""
    windows: int
    """Windows it was taken from."""

    @property
    def shift(self) -> tuple[float, float]:
        """Shift (east, north) that the model is read with, m; zero unless ``moved``."""
        return (self.east, self.north) if self.verdict == "moved" else (0.0, 0.0)


def dark_limit(grey: NDArray[np.uint8]) -> float:
    """Return the grey level between shadow and lit ground: a third of the usual range up."""
    low, high = np.percentile(grey, [2, 75])
    return float(low + 0.33 * (high - low))


def correlate_edges(
    grey: NDArray[np.uint8],
    valid: NDArray[np.bool_],
    heights: NDArray[np.float32],
    pixel_m: float,
    dark: float,
) -> NDArray[np.float64]:
    """Correlate the edges of a window of a picture with those of its heights.

    Parameters
    ----------
    grey, valid
        (row, col) of the picture, and where it shows the ground.
    heights
        (row, col) m; NaN where unknown.
    pixel_m
        Side of a pixel, m.
    dark
        Grey level below which the picture shows shadow, from `dark_limit`.

    Returns
    -------
    array
        Square, of shifts up to `SEARCH_M`; see `survey.ties.correlate_images`.
    """
    search = math.ceil(SEARCH_M / pixel_m)
    reach = 2 * round(_BESIDE_DARK_M / pixel_m) + 1
    shadow = cv2.dilate((grey < dark).astype(np.uint8), np.ones((reach, reach), np.uint8))
    inner = cv2.erode(valid.astype(np.uint8), np.ones((5, 5), np.uint8), borderValue=0)
    gradient, size = _gradient(grey.astype(np.float32))
    weight = np.where((inner > 0) & (shadow == 0), size / (size + _DAMPING), 0)
    rise, steep = _gradient(heights)
    steep = steep / (2 * pixel_m)
    known = np.isfinite(steep)
    strong = np.where(known, steep**2 / (steep**2 + _STEEP**2), 0)
    return correlate_images(
        (gradient * weight).astype(np.complex64),
        (np.where(known, rise, 0) * strong).astype(np.complex64),
        search,
    )


def _gradient(image: NDArray[np.float32]) -> tuple[NDArray[np.complex64], NDArray[np.float32]]:
    """Return the doubled direction of the gradient, of modulus 1, and the gradient's size."""
    across, down = np.zeros_like(image), np.zeros_like(image)
    across[:, 1:-1] = image[:, 2:] - image[:, :-2]
    down[1:-1] = image[2:] - image[:-2]
    size = np.hypot(across, down)
    scale = 1 / np.maximum(np.where(np.isfinite(size), size, 1), np.float32(1e-6))
    east, south = across * scale, down * scale
    return (east**2 - south**2 + 2j * east * south).astype(np.complex64), size


def fit_surface(
    surfaces: NDArray[np.float64], pixel_m: float, surface_pixel_m: float
) -> SurfaceFit:
    """Judge the correlation of all windows.

    Parameters
    ----------
    surfaces
        (n, k, k) as from `correlate_edges`.
    pixel_m
        Side of their pixels, m.
    surface_pixel_m
        Side of a pixel of the surface model, m: half of one is no shift.
    """
    count = len(surfaces)
    total = surfaces.sum(axis=0)
    if count < _LEAST_WINDOWS or not total.any():
        return SurfaceFit(
            verdict="unknown", east=0.0, north=0.0, error_m=SEARCH_M, strength=0.0, windows=count
        )
    strength = surface_strength(total)
    row, col = surface_peak(total)
    left = np.array([surface_peak(total - one) for one in surfaces])
    spread = ((left - left.mean(axis=0)) ** 2).sum(axis=0).max()
    error = float(np.sqrt((count - 1) / count * spread)) * pixel_m
    distance = math.hypot(row, col) * pixel_m
    at_rim = max(abs(row), abs(col)) >= total.shape[0] // 2 - 1
    verdict = "unknown"
    if strength >= _LEAST_STRENGTH and error <= _LARGEST_ERROR_M and not at_rim:
        proved = max(_LEAST_M, surface_pixel_m / 2) + _SIGMAS * error
        verdict = "moved" if distance > proved else "fits"
    return SurfaceFit(
        verdict=verdict,
        east=col * pixel_m,
        north=-row * pixel_m,
        error_m=error,
        strength=strength,
        windows=count,
    )
