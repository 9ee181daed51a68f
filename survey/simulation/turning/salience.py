"""What stands out from the ground: vehicles, walls, sheds, stairs, heaps. Pure arrays.

Ground differs from pixel to pixel and from field to field, but little between a hand's breadth and
a few steps; things that stand on it do, in lightness or in colour. So a picture is looked at by
the difference of two blurs, of the size of a thing and of the ground around it (centre and
surround, after L. Itti, C. Koch, E. Niebur, "A model of saliency-based visual attention", IEEE
TPAMI 20(11), 1998).
"""

import cv2
import numpy as np

from survey.simulation.turning.masks import Image, Mask, Singles, grow

__all__ = ["plain_ground", "roughness", "salience", "shows_object", "things"]

# Centre and surround, standard deviations in m: a kerb or a car's roof, and a car with its lane.
_CENTRE_M, _SURROUND_M = 0.25, 1.8
# Lightness counts less than colour in Lab units: ground is trodden and wet here and there.
_LIGHTNESS = 0.7
# Salience that no ground has, Lab units, and how many times that of most ground of a picture.
# Of 14 fillings of Banepa, grass and soil reached 9 and fields of stubble 11; cars, walls and
# stairs 18 to 60.
_LEAST, _TIMES = 12.0, 2.6
# Fine contrast is averaged over this, m; so many times that of most ground, it is a trellis, a
# scaffold or rubble.
_ROUGH_M, _ROUGH_TIMES = 0.5, 1.9
# Kept off what stands out, m.
_APART_M = 0.4
# Smallest thing that is seen in a filling, m2.
_THING_M2 = 0.7


def salience(colour: Image, valid: Mask, pixel_m: float) -> Singles:
    """Return how far every pixel stands out from its surroundings, Lab units, (row, col)."""
    lab = cv2.cvtColor(np.moveaxis(colour, 0, 2).astype(np.float32) / 255.0, cv2.COLOR_RGB2LAB)
    weight = valid.astype(np.float32)
    sizes = [max(0.6, sigma / pixel_m) for sigma in (_CENTRE_M, _SURROUND_M)]
    squares = np.zeros_like(weight)
    for band, factor in zip(np.moveaxis(lab, 2, 0), (_LIGHTNESS, 1.0, 1.0), strict=True):
        centre, around = (_mean(band, weight, size) for size in sizes)
        squares += np.square(np.float32(factor) * (centre - around))
    return np.asarray(np.sqrt(squares) * weight, dtype=np.float32)


def roughness(image: Singles, seen: Mask, pixel_m: float) -> Singles:
    """Return the fine contrast of a picture, (3, row, col), in grey values around every pixel.

    Only pixels that are ``seen`` count.
    """
    grey, weight = image.mean(axis=0), seen.astype(np.float32)
    fine = np.abs(grey - _mean(grey, weight, max(1.5, 0.4 * _ROUGH_M / pixel_m))) * weight
    return _mean(fine, weight, max(2.0, _ROUGH_M / pixel_m))


def _mean(values: Singles, weight: Singles, sigma: float) -> Singles:
    norm = np.maximum(cv2.GaussianBlur(weight, (0, 0), sigma), np.float32(1e-3))
    return np.asarray(cv2.GaussianBlur(values * weight, (0, 0), sigma) / norm, np.float32)


def plain_ground(
    standing_out: Singles, rough: Singles, ground: Mask, pixel_m: float
) -> tuple[Mask, float]:
    """Return where nothing stands out, (row, col), and from which salience on something does.

    Parameters
    ----------
    standing_out
        As from `salience`.
    rough
        As from `roughness`.
    ground
        (row, col); True where no building is.
    pixel_m
        Pixel on the ground, m.
    """
    if not ground.any():
        return ground, _LEAST
    limit = max(_LEAST, _TIMES * float(np.median(standing_out[ground])))
    seen = cv2.morphologyEx(
        (standing_out > limit).astype(np.uint8), cv2.MORPH_OPEN, np.ones((2, 2), np.uint8)
    )
    smooth = rough < _ROUGH_TIMES * float(np.median(rough[ground])) + 1.0
    return smooth & ~grow(seen > 0, _APART_M / pixel_m), limit


def things(standing_out: Singles, limit: float, pixel_m: float) -> Mask:
    """Return what stands out over more than a step: walls, kerbs, vehicles; no tufts or stones."""
    seen = (standing_out > limit).astype(np.uint8)
    _number, labels, facts, _centres = cv2.connectedComponentsWithStats(seen)
    large = facts[:, cv2.CC_STAT_AREA] * pixel_m**2 > _THING_M2
    large[0] = False
    return np.asarray(large[labels])


def shows_object(standing_out: Singles, core: Mask, limit: float, pixel_m: float) -> bool:
    """Whether a filled place shows something that is not the end of something beside it.

    Parameters
    ----------
    standing_out
        (row, col); `salience` of the picture after it was filled.
    core
        (row, col); True where ground has been laid.
    limit
        As from `plain_ground`.
    pixel_m
        Pixel on the ground, m.
    """
    inner = core & ~grow(~core, 0.8 / pixel_m)
    number, labels = cv2.connectedComponents((standing_out > limit).astype(np.uint8))
    inside = np.bincount(labels[inner], minlength=number)
    beyond = np.bincount(labels[~core], minlength=number)
    alone = (inside > beyond)[1:]
    return bool((inside[1:][alone] * pixel_m**2 > _THING_M2).any())
