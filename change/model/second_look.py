"""A second look, at the pictures turned, where the first says that something changed. Pure.

Averaging what a model says of a picture and of the same picture turned is an old habit (Krizhevsky
et al. 2012, ImageNet classification): what is there is said both times, what is said by chance is
not. Where nothing seems to have changed there is nothing to be sure about: that ground is spared.
"""

from collections.abc import Callable, Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["WORTH_A_LOOK", "agreed", "looked_again"]

Pictures = tuple[NDArray[np.uint8], NDArray[np.uint8]]

WORTH_A_LOOK = 0.2
"""From this on, in [0, 1], what a map of changes says of a place is looked at closely."""

# What is narrower, pixels of the maps, is a sliver and no structure.
_WIDTH_PX = 3
# No answer counts as surer than this: one look that is certain must not outweigh any other.
_SUREST = 1e-6


def looked_again(
    run: Callable[[NDArray[np.uint8], NDArray[np.uint8]], NDArray[np.float32]],
    pictures: Pictures,
    given: NDArray[np.float32],
    changes: NDArray[np.bool_],
    step: int,
) -> NDArray[np.float32]:
    """Return maps that where something may have changed are the mean of two looks.

    Parameters
    ----------
    run
        The model: two pictures of any sides that are multiples of ``step`` in, maps out.
    pictures
        What it looked at, (3, row, col) each.
    given
        (map, row, col), in [0, 1]; what it said, at a whole part of the pictures' size that goes
        into ``step`` without a rest.
    changes
        (map,); which maps say that something changed.
    step
        Pixels of the pictures in which the model works: what it looks at again begins and ends at
        whole steps, and one more lies around for a sight of what is beside.

    Returns
    -------
    ndarray
        (map, row, col).
    """
    side = step * given.shape[1] // pictures[0].shape[1]
    said = given.copy()
    for rows, cols, cells in _blocks(_doubtful(given[changes].max(axis=0), side)):
        block, part = (
            np.s_[:, rows.start * k : rows.stop * k, cols.start * k : cols.stop * k]
            for k in (step, side)
        )
        before, after = (np.ascontiguousarray(p[block][:, ::-1, ::-1]) for p in pictures)
        both = agreed(given[part], run(before, after)[:, ::-1, ::-1])
        said[part] = np.where(cells.repeat(side, axis=0).repeat(side, axis=1), both, said[part])
    return said


def agreed(one: NDArray[np.float32], other: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the mean of two answers in [0, 1], of any shape: that of their log-odds."""
    odds = (_log_odds(one) + _log_odds(other)) / 2
    return np.asarray(1.0 / (1.0 + np.exp(-odds)), np.float32)


def _doubtful(changed: NDArray[np.float32], side: int) -> NDArray[np.bool_]:
    """Return the cells, of so many pixels a side, where something may have changed."""
    kernel = np.ones((_WIDTH_PX, _WIDTH_PX), np.uint8)
    wide = cv2.morphologyEx((changed >= WORTH_A_LOOK).astype(np.uint8), cv2.MORPH_OPEN, kernel)
    rows, cols = (length // side for length in changed.shape)
    return np.asarray(wide.reshape(rows, side, cols, side).any(axis=(1, 3)))


def _blocks(cells: NDArray[np.bool_]) -> Iterator[tuple[slice, slice, NDArray[np.bool_]]]:
    """Yield rows and columns around cells that are set and touch, and which of them those are."""
    _count, numbers, boxes, _middles = cv2.connectedComponentsWithStats(cells.astype(np.uint8))
    for number, (x, y, wide, high, _size) in enumerate(boxes.tolist()[1:], start=1):
        rows, cols = (slice(max(0, k - 1), k + long + 1) for k, long in ((y, high), (x, wide)))
        yield rows, cols, numbers[rows, cols] == number


def _log_odds(likely: NDArray[np.float32]) -> NDArray[np.float32]:
    kept = np.clip(likely, _SUREST, 1 - _SUREST)
    return np.asarray(np.log(kept / (1 - kept)), np.float32)
