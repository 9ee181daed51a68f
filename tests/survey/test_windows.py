"""Windows and the lattice of tiles."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from survey.windows import Window, cut_blocks

windows = st.builds(
    Window,
    row=st.integers(-50, 50),
    col=st.integers(-50, 50),
    height=st.integers(1, 60),
    width=st.integers(1, 60),
)


def test_a_window_needs_pixels():
    with pytest.raises(ValueError, match="0 x 5"):
        Window(row=0, col=0, height=5, width=0)


@given(windows, st.integers(0, 20))
def test_padding_is_undone_by_slicing(window, margin):
    outer = window.padded(margin)
    rows, cols = window.slices_in(outer)
    part = np.zeros((outer.height, outer.width))[rows, cols]
    assert part.shape == (window.height, window.width)
    assert (rows.start, cols.start) == (margin, margin)


@given(windows, st.integers(1, 60), st.integers(1, 60))
def test_clipping_keeps_exactly_what_lies_inside(window, height, width):
    inside = window.clipped(height=height, width=width)
    rows = range(max(0, window.row), min(height, window.row + window.height))
    cols = range(max(0, window.col), min(width, window.col + window.width))
    if inside is None:
        assert not rows or not cols
    else:
        assert (inside.row, inside.height) == (rows.start, len(rows))
        assert (inside.col, inside.width) == (cols.start, len(cols))


@given(
    st.integers(1, 90), st.integers(1, 90), st.integers(1, 40), st.integers(0, 9), st.integers(1, 5)
)
def test_cores_cover_the_grid_once_whatever_the_blocks(height, width, core, halo, per_side):
    seen = np.zeros((height, width), int)
    tiles = []
    for block in cut_blocks(height=height, width=width, core=core, halo=halo, per_side=per_side):
        assert 1 <= len(block.tiles) <= per_side**2
        tiles += block.tiles
    for tile in tiles:
        seen[tile.core.slices_in(Window(row=0, col=0, height=height, width=width))] += 1
        assert (tile.seen.height, tile.seen.width) == (core + 2 * halo, core + 2 * halo)
    assert (seen == 1).all()
    alone = cut_blocks(height=height, width=width, core=core, halo=halo, per_side=1)
    assert {t.core.row * width + t.core.col for t in tiles} == {
        b.tiles[0].core.row * width + b.tiles[0].core.col for b in alone
    }
