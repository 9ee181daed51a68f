"""Evidence from colour and structure: what looks different, and what it looks like. Pure."""

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["colour_change", "gradients", "rightness", "slopes"]

# L carries light and shadow as well as material: it counts half against the two colour axes.
_WEIGHTS = (0.5, 1.2, 1.2)


def colour_change(
    before: NDArray[np.uint8], after: NDArray[np.uint8], reach: int
) -> NDArray[np.float32]:
    """Return how far apart two pictures are where no shift within reach explains it.

    Each pixel is held against the range of colours its neighbourhood has in the other picture, in
    both directions, and the smaller distance counts: edges a little moved, and textures that
    only rearrange themselves, stay at zero.

    Parameters
    ----------
    before, after
        (3, row, col) L*a*b* in one light.
    reach
        How far the two may be misaligned, pixels.

    Returns
    -------
    array
        (row, col) weighted L*a*b* distance, 8-bit units.
    """
    first = [cv2.GaussianBlur(band, (5, 5), 1.0) for band in before]
    second = [cv2.GaussianBlur(band, (5, 5), 1.0) for band in after]
    there = _beyond(first, second, reach)
    back = _beyond(second, first, reach)
    return np.minimum(there, back)


def _beyond(
    reference: list[NDArray[np.uint8]], picture: list[NDArray[np.uint8]], reach: int
) -> NDArray[np.float32]:
    """Return how far each pixel lies outside the range of the reference's neighbourhood."""
    side = 2 * reach + 1
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    total = np.zeros(reference[0].shape, np.float32)
    for weight, band, other in zip(_WEIGHTS, reference, picture, strict=True):
        high, low = cv2.dilate(band, kernel), cv2.erode(band, kernel)
        outside = cv2.subtract(other, high).astype(np.float32) + cv2.subtract(low, other)
        total += (weight * outside) ** 2
    return np.sqrt(total)


def gradients(
    colour: NDArray[np.uint8],
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return size and direction (radians) of the brightness gradient, each (row, col)."""
    grey = cv2.cvtColor(np.ascontiguousarray(np.moveaxis(colour, 0, -1)), cv2.COLOR_RGB2GRAY)
    across, down = slopes(np.asarray(grey, np.uint8))
    return np.hypot(across, down), np.arctan2(down, across)


def slopes(grey: NDArray[np.uint8]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return how fast a (row, col) picture brightens to the right and downwards, levels a pixel."""
    smooth = cv2.GaussianBlur(grey.astype(np.float32), (0, 0), 1.2)
    across, down = (
        np.asarray(cv2.Sobel(smooth, cv2.CV_32F, *way, ksize=3, scale=1 / 8), np.float32)
        for way in ((1, 0), (0, 1))
    )
    return across, down


def rightness(
    size: NDArray[np.float32], direction: NDArray[np.float32], where: NDArray[np.bool_]
) -> float:
    """Return how far the edges of a place run in two directions at right angles, in [0, 1].

    The mean of the gradient directions taken four times, weighted by their size: 1 for the edges
    of a rectangle, near 0 for crowns, soil and rubble.
    """
    weight = np.where(where, size, 0.0)
    # Weak gradients are texture and noise; the strongest third of them draws the structure.
    strong = weight > np.percentile(size[where], 66) if where.any() else where
    total = float(weight[strong].sum())
    if total <= 0:
        return 0.0
    turned = np.exp(4j * direction[strong])
    return float(np.abs((weight[strong] * turned).sum()) / total)
