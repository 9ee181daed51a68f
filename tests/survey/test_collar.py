"""The opaque border, and what must not be taken for one."""

import numpy as np
import pytest

from survey.collar import BLACK, WHITE, Collar, cell_is_plain, collar_mask, grow_collar, is_plain


def test_plain_is_black_or_white_in_every_band():
    bands = np.array([[[0, 4, 0, 255]], [[0, 4, 0, 255]], [[0, 4, 9, 251]]], np.uint8)
    assert is_plain(bands, BLACK, 0).tolist() == [[True, False, False, False]]
    assert is_plain(bands, BLACK, 4).tolist() == [[True, True, False, False]]
    assert is_plain(bands, WHITE, 4).tolist() == [[False, False, False, True]]


def test_cells_at_the_edge_are_cut():
    plain = np.ones((5, 7), bool)
    plain[4, 6] = False
    cells = cell_is_plain(plain, 4)
    assert cells.tolist() == [[True, True], [True, False]]


@pytest.mark.parametrize(
    ("place", "found"),
    [
        ((slice(0, 30), slice(0, 30)), True),  # a corner
        ((slice(0, 3), slice(0, 100)), True),  # a side
        ((slice(0, 4), slice(40, 46)), False),  # a roof the edge cuts
        ((slice(40, 60), slice(40, 60)), False),  # a roof inside
    ],
)
def test_a_border_grows_from_the_edge(place, found):
    plain = np.zeros((100, 100), bool)
    plain[place] = True
    plain[70:80, 70:80] = True
    grown = grow_collar(plain, np.zeros_like(plain))
    assert (grown is not None) == found
    if grown is not None:
        assert grown[place].all()
        assert not grown[70:80, 70:80].any()


def test_a_border_may_hide_behind_what_is_empty():
    plain, empty = np.zeros((100, 100), bool), np.zeros((100, 100), bool)
    empty[:20], plain[20:30] = True, True
    grown = grow_collar(plain, empty)
    assert grown is not None
    assert grown[20:30].all()
    assert not grown[:15].any()


def test_a_mask_takes_the_border_and_its_rim_only_where_it_may_be():
    cells = np.zeros((4, 4), bool)
    cells[0] = True
    collar = Collar(BLACK, 0, 8, cells)
    bands = np.full((3, 32, 32), 90, np.uint8)
    bands[:, :6] = 0
    bands[:, 20:24, 20:24] = 0
    mask = collar_mask(collar, bands, np.arange(32), np.arange(32))
    assert mask[:7].all()
    assert not mask[7:].any()
    assert collar.share == 0.25
