"""Where the same ground sits in both images: orientation correlation. Pure.

The descriptor keeps the direction of the brightness gradient and damps its size, so that light,
season and sensor matter little (Fitch, Kadyrov, Christmas and Kittler 2002, "Orientation
correlation"); windows are correlated by Fourier transform (Kuglin and Hines 1975).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import fft, ndimage

__all__ = [
    "Ties",
    "correlate_images",
    "correlate_windows",
    "descriptor",
    "surface_peak",
    "surface_strength",
]

# Gradients of this size (grey levels) count half: below lies noise, above the size says nothing.
_DAMPING = 6.0
# Half width of the peak itself, pixels; a rival peak is looked for outside it.
_PEAK_RADIUS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Ties:
    """Many places in both images that may show the same ground; all arrays have shape (n,)."""

    x: NDArray[np.float64]
    """Where, in the before image, m east."""
    y: NDArray[np.float64]
    """Where, in the before image, m north."""
    east: NDArray[np.float64]
    """How much further east the after image shows that ground, m."""
    north: NDArray[np.float64]
    """How much further north the after image shows that ground, m."""
    strength: NDArray[np.float64]
    """Peak of the window's correlation over its highest rival; 1 means no evidence."""

    @property
    def count(self) -> int:
        """How many."""
        return len(self.x)

    def kept(self, mask: NDArray[np.bool_]) -> "Ties":
        """Return the ties where ``mask`` is True."""
        return Ties(
            x=self.x[mask],
            y=self.y[mask],
            east=self.east[mask],
            north=self.north[mask],
            strength=self.strength[mask],
        )

    @classmethod
    def joined(cls, parts: "list[Ties]") -> "Ties":
        """Return all parts as one, in their order."""
        names = ("x", "y", "east", "north", "strength")
        stacked = {
            name: np.concatenate([np.zeros(0), *(getattr(part, name) for part in parts)])
            for name in names
        }
        return cls(**stacked)


def descriptor(colour: NDArray[np.uint8], valid: NDArray[np.bool_]) -> NDArray[np.complex64]:
    """Return the damped gradient direction of a picture.

    Parameters
    ----------
    colour
        (3, row, col).
    valid
        (row, col); the descriptor is zero within two pixels of what is not valid, so that the
        edge of the picture is never taken for a feature of the ground.

    Returns
    -------
    array
        (row, col) of complex numbers of modulus below 1.
    """
    weights = np.array([0.3, 0.5, 0.2], np.float32)
    grey = np.tensordot(weights, colour.astype(np.float32), axes=1)
    across, down = np.zeros_like(grey), np.zeros_like(grey)
    across[:, 1:-1] = grey[:, 2:] - grey[:, :-2]
    down[1:-1] = grey[2:] - grey[:-2]
    z = (across + 1j * down) / (np.hypot(across, down) + np.float32(_DAMPING))
    inner = ndimage.binary_erosion(valid, np.ones((5, 5), bool), border_value=0)
    return np.where(inner, z, 0).astype(np.complex64)


def correlate_images(
    before: NDArray[np.complex64], after: NDArray[np.complex64], search: int
) -> NDArray[np.float64]:
    """Correlate two whole descriptors of one shape.

    Returns
    -------
    array
        (2 search + 1, 2 search + 1); the value at (search + row, search + col) tells how well the
        after image fits when its content lies ``row`` further down and ``col`` further right.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> scene = np.repeat(rng.integers(0, 255, (1, 80, 80), dtype=np.uint8), 3, axis=0)
    >>> moved = np.roll(scene, (3, -5), axis=(1, 2))
    >>> seen = np.ones((80, 80), bool)
    >>> found = correlate_images(descriptor(scene, seen), descriptor(moved, seen), 10)
    >>> [round(v) for v in surface_peak(found)], surface_strength(found) > 20
    ([3, -5], True)
    """
    shape = tuple(fft.next_fast_len(side + search) for side in before.shape)
    spectrum = np.conj(fft.fft2(before, shape)) * fft.fft2(after, shape)
    surface = fft.ifft2(spectrum).real
    near = np.arange(-search, search + 1)
    return np.asarray(surface[np.ix_(near % shape[0], near % shape[1])], dtype=np.float64)


def surface_strength(surface: NDArray[np.float64]) -> float:
    """Return the height of a surface's peak in robust standard deviations above its median.

    Streets and plots of two different places may run the same way; their edges then fit along whole
    rows and columns of shifts. The medians of those are taken out: a place fits at one shift only.
    """
    surface = surface - np.median(surface, axis=0, keepdims=True)
    surface = surface - np.median(surface, axis=1, keepdims=True)
    middle = float(np.median(surface))
    spread = 1.4826 * float(np.median(np.abs(surface - middle))) + 1e-12
    return (float(surface.max()) - middle) / spread


def surface_peak(surface: NDArray[np.float64]) -> tuple[float, float]:
    """Return where a surface peaks as (row, col) of shift, to a part of a pixel."""
    search = surface.shape[0] // 2
    smooth = ndimage.gaussian_filter(surface, 0.7)
    row, col = np.unravel_index(int(smooth.argmax()), smooth.shape)
    d_row, d_col = _refine(smooth[None], np.array([row]), np.array([col]))
    return float(row + d_row[0] - search), float(col + d_col[0] - search)


def correlate_windows(
    before: NDArray[np.complex64],
    after: NDArray[np.complex64],
    corners: NDArray[np.int64],
    side: int,
    search: int,
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Find the shift of many square windows at once.

    Parameters
    ----------
    before, after
        Descriptors of one shape.
    corners
        (n, 2) of (row, col) of the windows' first pixels.
    side
        Side of a window, pixels.
    search
        Largest shift, pixels.

    Returns
    -------
    rows, cols, ratio
        Shift of each window in pixels and its peak over the highest rival, all of shape (n,).
    """
    taper = np.sqrt(np.hanning(side + 2)[1:-1]).astype(np.float32)
    weight = taper[:, None] * taper[None, :]
    first = np.stack([before[r : r + side, c : c + side] for r, c in corners]) * weight
    second = np.stack([after[r : r + side, c : c + side] for r, c in corners]) * weight
    spectrum = np.conj(fft.fft2(first)) * fft.fft2(second)
    surface = fft.ifft2(spectrum).real
    near = np.arange(-search, search + 1) % side
    cut = surface[:, near[:, None], near[None, :]].astype(np.float64)
    rows, cols, ratio = _peaks(ndimage.gaussian_filter(cut, (0, 0.7, 0.7)))
    return rows - search, cols - search, ratio


def _peaks(
    surfaces: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return sub-pixel peak positions and the ratio to the highest rival, all (n,)."""
    count, size, _ = surfaces.shape
    flat = surfaces.reshape(count, -1)
    index = flat.argmax(axis=1)
    row, col = np.divmod(index, size)
    peak = flat[np.arange(count), index]
    grid = np.arange(size)
    near_row = np.abs(grid[None, :] - row[:, None]) <= _PEAK_RADIUS
    near_col = np.abs(grid[None, :] - col[:, None]) <= _PEAK_RADIUS
    rivals = np.where(near_row[:, :, None] & near_col[:, None, :], -np.inf, surfaces)
    rival = np.maximum(rivals.reshape(count, -1).max(axis=1), 1e-9)
    d_row, d_col = _refine(surfaces, row, col)
    on_rim = (row == 0) | (col == 0) | (row == size - 1) | (col == size - 1)
    return row + d_row, col + d_col, np.where(on_rim, 0.0, peak / rival)


def _refine(
    surfaces: NDArray[np.float64], row: NDArray[np.int64], col: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return how far each peak's parabola has its vertex off the peak, within half a pixel."""
    size = surfaces.shape[1]
    n = np.arange(len(surfaces))
    r, c = np.clip(row, 1, size - 2), np.clip(col, 1, size - 2)
    centre = surfaces[n, r, c]
    found = []
    for low, high in (
        (surfaces[n, r - 1, c], surfaces[n, r + 1, c]),
        (surfaces[n, r, c - 1], surfaces[n, r, c + 1]),
    ):
        bend = low - 2 * centre + high
        step = np.where(bend < 0, 0.5 * (low - high) / np.where(bend < 0, bend, -1.0), 0.0)
        found.append(np.clip(step, -0.5, 0.5))
    return found[0], found[1]
