"""Windows cut from a picture: anywhere, apart from one another, or sharing so much ground. Pure."""

import numpy as np

from benchmarks.alignment_pictures import Picture
from survey.windows import Window

__all__ = ["cropped", "draw_beside", "draw_overlapping", "draw_window", "place_of"]

# A window shows ground on so much of itself, or as much as its picture does where that is patchy.
_LEAST_SEEN = 0.45
# Windows that do not fit are drawn again, a little smaller each time.
_SMALLER, _TRIALS = 0.985, 400
_EVERY = 8


def place_of(picture: Picture) -> Window:
    """Return the window that is all of a picture."""
    height, width = picture.valid.shape
    return Window(row=0, col=0, height=height, width=width)


def cropped(
    picture: Picture, windows: tuple[Window, ...], margin: float = 0.0
) -> tuple[Picture, tuple[Window, ...]]:
    """Cut a picture to what windows show, and give the windows within the cut.

    ``margin`` is kept around them, in sides of the first: a shifted copy looks there.
    """
    height, width = picture.valid.shape
    more = round(margin * windows[0].height)
    top = max(0, min(w.row for w in windows) - more)
    left = max(0, min(w.col for w in windows) - more)
    bottom = min(height, max(w.row + w.height for w in windows) + more)
    right = min(width, max(w.col + w.width for w in windows) + more)
    part = Picture(
        name=picture.name,
        colours=np.ascontiguousarray(picture.colours[top:bottom, left:right]),
        valid=np.ascontiguousarray(picture.valid[top:bottom, left:right]),
        pixel_m=picture.pixel_m,
    )
    return part, tuple(_moved(w, -top, -left) for w in windows)


def _moved(window: Window, rows: int, cols: int) -> Window:
    return Window(
        row=window.row + rows, col=window.col + cols, height=window.height, width=window.width
    )


def _fits(picture: Picture, window: Window) -> bool:
    height, width = picture.valid.shape
    if min(window.row, window.col) < 0:
        return False
    if window.row + window.height > height or window.col + window.width > width:
        return False
    part = window.slices_in(place_of(picture))
    return bool(picture.valid[part][::_EVERY, ::_EVERY].mean() >= _LEAST_SEEN)


def _square(rng: np.random.Generator, picture: Picture, side_px: int) -> Window:
    height, width = picture.valid.shape
    row = int(rng.integers(0, max(1, height - side_px + 1)))
    col = int(rng.integers(0, max(1, width - side_px + 1)))
    return Window(row=row, col=col, height=side_px, width=side_px)


def draw_window(rng: np.random.Generator, picture: Picture, side_px: float) -> Window:
    """Draw a square window, of this side or as large as the picture allows."""
    return draw_overlapping(rng, picture, side_px, 1.0)[0]


def draw_overlapping(
    rng: np.random.Generator, picture: Picture, side_px: float, share: float
) -> tuple[Window, Window]:
    """Draw two square windows of one side that share so much of their ground.

    Raises
    ------
    ValueError
        The picture is too small, or too patchy.
    """
    side_px = min(side_px, *picture.valid.shape)
    for _ in range(_TRIALS):
        side = int(side_px)
        first = _square(rng, picture, side)
        along = 1.0 - share
        apart = 1.0 - share**0.5
        steps = [(0.0, along), (along, 0.0), (0.0, -along), (-along, 0.0), (apart, apart)]
        down, across = steps[int(rng.integers(len(steps)))]
        second = _moved(first, round(down * side), round(across * side))
        if _fits(picture, first) and _fits(picture, second):
            return first, second
        side_px *= _SMALLER
    raise ValueError(f"{picture.name} holds no two windows that share {share:.2f}")


def draw_beside(
    rng: np.random.Generator, picture: Picture, side_px: float
) -> tuple[Window, Window]:
    """Draw two square windows of one side that share no ground.

    Raises
    ------
    ValueError
        The picture is too small, or too patchy.
    """
    side_px = min(side_px, *picture.valid.shape)
    for _ in range(_TRIALS):
        side = int(side_px)
        first, second = _square(rng, picture, side), _square(rng, picture, side)
        apart = max(abs(first.row - second.row), abs(first.col - second.col)) >= side
        if apart and _fits(picture, first) and _fits(picture, second):
            return first, second
        side_px *= _SMALLER
    raise ValueError(f"{picture.name} holds no two windows apart")
