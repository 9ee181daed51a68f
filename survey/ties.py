"""Where the same ground sits in both images: orientation correlation. Pure.

The descriptor keeps the direction of the brightness gradient and damps its size, so that light,
season and sensor matter little (Fitch, Kadyrov, Christmas and Kittler 2002, "Orientation
correlation"); windows are correlated by Fourier transform (Kuglin and Hines 1975).
"""

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy import fft, ndimage

__all__ = [
    "Ties",
    "cell_peaks",
    "correlate_cells",
    "correlate_images",
    "correlate_windows",
    "descriptor",
    "surface_peak",
    "surface_strength",
    "window_peaks",
]

# Gradients of this size (grey levels) count half: below lies noise, above the size says nothing.
_DAMPING = 6.0
# Half width of the peak itself, pixels; a rival peak is looked for outside it.
_PEAK_RADIUS = 4
# Windows transformed at once: few enough to stay in the processor's cache.
_AT_ONCE = 32


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
    """How clear the peak of the correlation is: of windows its height over the highest rival, of
    cells in standard deviations; 0 where there is none."""

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


def descriptor(grey: NDArray[np.uint8], valid: NDArray[np.bool_]) -> NDArray[np.complex64]:
    """Return the damped gradient direction of a picture.

    Parameters
    ----------
    grey
        (row, col).
    valid
        (row, col); the descriptor is zero within two pixels of what is not valid, so that the
        edge of the picture is never taken for a feature of the ground.

    Returns
    -------
    array
        (row, col) of complex numbers of modulus below 1.
    """
    across = cv2.Sobel(grey, cv2.CV_32F, 1, 0, ksize=1)
    down = cv2.Sobel(grey, cv2.CV_32F, 0, 1, ksize=1)
    # Not cv2.magnitude: its last bit depends on where in memory the rows lie, from run to run.
    size = np.sqrt(across * across + down * down) + np.float32(_DAMPING)
    z = cv2.merge([cv2.divide(across, size), cv2.divide(down, size)])
    inner = cv2.erode(
        valid.astype(np.uint8),
        np.ones((5, 5), np.uint8),
        borderType=cv2.BORDER_CONSTANT,
        borderValue=0,
    )
    directed: NDArray[np.complex64] = np.asarray(z, np.float32).view(np.complex64)[..., 0]
    return directed * inner


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
    >>> scene = rng.integers(0, 255, (80, 80), dtype=np.uint8)
    >>> moved = np.roll(scene, (3, -5), axis=(0, 1))
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
) -> NDArray[np.float32]:
    """Correlate many square windows at once, by Fourier transform.

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
    array
        (n, 2 search + 1, 2 search + 1), as ``correlate_images`` has it.
    """
    taper = np.sqrt(np.hanning(side + 2)[1:-1]).astype(np.float32)
    weight = taper[:, None] * taper[None, :]
    near = np.arange(-search, search + 1) % side
    found = np.empty((len(corners), 2 * search + 1, 2 * search + 1), np.float32)
    for first in range(0, len(corners), _AT_ONCE):
        part = corners[first : first + _AT_ONCE]
        one = np.stack([before[r : r + side, c : c + side] for r, c in part]) * weight
        other = np.stack([after[r : r + side, c : c + side] for r, c in part]) * weight
        surface = fft.ifft2(np.conj(fft.fft2(one)) * fft.fft2(other)).real
        found[first : first + len(part)] = surface[:, near[:, None], near[None, :]]
    return found


def window_peaks(
    surfaces: NDArray[np.float32],
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return where windows' surfaces peak, and how clearly.

    Returns
    -------
    rows, cols, ratio
        Shift of each window in pixels, to a part of one, and its peak over the highest rival; 0
        where the peak lies on the rim of the search. All of shape (n,).
    """
    smooth = ndimage.gaussian_filter(surfaces.astype(np.float64), (0, 0.7, 0.7))
    count, size, _ = smooth.shape
    flat = smooth.reshape(count, -1)
    index = flat.argmax(axis=1)
    row, col = np.divmod(index, size)
    peak = flat[np.arange(count), index]
    grid = np.arange(size)
    near_row = np.abs(grid[None, :] - row[:, None]) <= _PEAK_RADIUS
    near_col = np.abs(grid[None, :] - col[:, None]) <= _PEAK_RADIUS
    rivals = np.where(near_row[:, :, None] & near_col[:, None, :], -np.inf, smooth)
    rival = np.maximum(rivals.reshape(count, -1).max(axis=1), 1e-9)
    d_row, d_col = _refine(smooth, row, col)
    reach = size // 2
    ratio = np.where(_on_rim(row, col, size), 0.0, peak / rival)
    return row + d_row - reach, col + d_col - reach, ratio


def correlate_cells(
    before: NDArray[np.complex64], after: NDArray[np.complex64], cell: int, reach: int
) -> NDArray[np.float32]:
    """Correlate cells side by side over few shifts, by plain sums.

    Sums of neighbouring cells add up to those of larger windows, whichever tiles they come from.
    Each picture's cell is held in turn while the other's slides below it: with one held alone, what
    comes in at the rim draws the peak, and identical pictures seem to be moved.

    Parameters
    ----------
    before, after
        Descriptors of one shape, (rows x cell + 2 reach, cols x cell + 2 reach).
    cell
        Side of a cell, pixels.
    reach
        Largest shift, pixels.

    Returns
    -------
    array
        (rows, cols, (2 reach + 1)**2 + 2): correlation at every shift, row by row, then the energy
        of each picture in the cell.
    """
    rows, cols = ((side - 2 * reach) // cell for side in before.shape)
    shape = rows, cols, cell
    one, other = (_cells(z, reach, reach, shape) for z in (before, after))
    size = 2 * reach + 1
    sums = []
    for row in range(size):
        for col in range(size):
            there = np.einsum("aibj,aibj->ab", one, _cells(after, row, col, shape))
            back = _cells(before, size - 1 - row, size - 1 - col, shape)
            sums.append(0.5 * (there + np.einsum("aibj,aibj->ab", other, back)))
    sums += [np.einsum("aibj,aibj->ab", part, part) for part in (one, other)]
    return np.stack(sums, axis=-1)


def _cells(
    z: NDArray[np.complex64], row: int, col: int, shape: tuple[int, int, int]
) -> NDArray[np.float32]:
    """Return a view of cells from (row, col) on: (rows, cell, cols, 2 cell), both parts of z."""
    rows, cols, cell = shape
    part = z.view(np.float32)[row : row + rows * cell, 2 * col : 2 * (col + cols * cell)]
    down, across = part.strides
    return np.lib.stride_tricks.as_strided(
        part,
        (rows, cell, cols, 2 * cell),
        (down * cell, down, across * 2 * cell, across),
        writeable=False,
    )


def cell_peaks(
    sums: NDArray[np.float32],
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return where the correlation of cells peaks, and how sure that is.

    Parameters
    ----------
    sums
        (n, (2 reach + 1)**2 + 2), as ``correlate_cells`` has it.

    Returns
    -------
    rows, cols, strength
        Shift in pixels, to a part of one, and the peak in standard deviations of what pictures
        without anything in common reach; 0 where the peak lies on the rim. All of shape (n,).
    """
    size = math.isqrt(sums.shape[1] - 2)
    surfaces = sums[:, :-2].reshape(-1, size, size).astype(np.float64)
    index = sums[:, :-2].argmax(axis=1)
    row, col = np.divmod(index, size)
    peak = sums[np.arange(len(sums)), index]
    d_row, d_col = _refine(surfaces, row, col)
    # The product of two unrelated unit vectors has mean 0 and, summed, the root of both energies.
    noise = np.sqrt(np.maximum(sums[:, -2:].max(axis=1), 1e-6))
    strength = np.where(_on_rim(row, col, size), 0.0, peak / noise)
    return row + d_row - size // 2, col + d_col - size // 2, strength.astype(np.float64)


def _on_rim(row: NDArray[np.int64], col: NDArray[np.int64], size: int) -> NDArray[np.bool_]:
    return np.asarray((row == 0) | (col == 0) | (row == size - 1) | (col == size - 1))


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
