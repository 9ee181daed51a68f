"""Masks that are grown and moved, and the lightness of colours. Pure arrays."""

import math

import cv2
import numpy as np
import numpy.typing as npt

__all__ = ["Image", "Mask", "Singles", "grow", "grow_towards", "luminance", "moved"]

Image = npt.NDArray[np.uint8]
Singles = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]

# Beyond this reach, pixels, distances are faster than a disc.
_WIDE_PX = 12


def luminance(colour: Image) -> Singles:
    """Return the luminance of (3, row, col) in grey values (Rec. 601)."""
    weights = np.array([0.299, 0.587, 0.114], np.float32)
    return np.asarray(np.tensordot(weights, colour.astype(np.float32), axes=1), np.float32)


def grow(mask: Mask, reach_px: float) -> Mask:
    """Grow a mask by a distance in pixels on every side."""
    reach = round(reach_px)
    if reach < 1 or not mask.any():
        return mask
    if reach > _WIDE_PX:
        away = (~mask).astype(np.uint8)
        return cv2.distanceTransform(away, cv2.DIST_L2, cv2.DIST_MASK_PRECISE) <= reach + 0.5
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    return cv2.dilate(mask.astype(np.uint8), disc) > 0


def grow_towards(mask: Mask, down_px: float, across_px: float) -> Mask:
    """Return what a mask covers while it moves by (rows, columns)."""
    reach = math.ceil(max(abs(down_px), abs(across_px)))
    if reach < 1:
        return mask
    line = np.zeros((2 * reach + 1, 2 * reach + 1), np.uint8)
    # Dilation reflects its element: drawn backwards, it grows forwards.
    end = round(reach + across_px), round(reach + down_px)
    cv2.line(line, (reach, reach), end, 1)
    return cv2.dilate(mask.astype(np.uint8), np.ascontiguousarray(line[::-1, ::-1])) > 0


def moved(mask: Mask, down_px: float, across_px: float) -> Mask:
    """Return a mask moved by (rows, columns); nothing comes in from outside."""
    move = np.array([[1, 0, across_px], [0, 1, down_px]], np.float32)
    size = mask.shape[1], mask.shape[0]
    return cv2.warpAffine(mask.astype(np.uint8), move, size, flags=cv2.INTER_NEAREST) > 0
