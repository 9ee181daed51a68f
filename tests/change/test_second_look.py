"""The second look: where it is taken, what it is shown, and what becomes of the two."""

import numpy as np
import pytest
from hypothesis import given as drawn
from hypothesis import settings
from hypothesis import strategies as st

from change.model.second_look import looked_again

STEP, SIDE = 8, 4
CHANGES = np.array([False, True])


def nothing(rows=6, cols=6):
    shape = rows * STEP, cols * STEP
    pictures = np.zeros((3, *shape), np.uint8), np.zeros((3, *shape), np.uint8)
    return pictures, np.full((2, rows * SIDE, cols * SIDE), 0.05, np.float32)


def again(run, pictures, said):
    return looked_again(run, pictures, said, CHANGES, STEP)


class Saying:
    """A model that says the same of everything, and remembers what it was shown."""

    def __init__(self, likely):
        self.likely, self.shown = likely, []

    def __call__(self, before, after):
        assert before.shape == after.shape
        self.shown.append(before.shape[1:])
        return np.full((2, before.shape[1] // 2, before.shape[2] // 2), self.likely, np.float32)


def test_where_nothing_seems_to_have_changed_nobody_looks_again():
    pictures, said = nothing()
    said[0] = 0.9  # a roof, in both
    run = Saying(0.5)
    assert (again(run, pictures, said) == said).all()
    assert not run.shown


def test_what_is_said_once_only_is_believed_half():
    pictures, said = nothing()
    said[1, 8:11, 8:11] = 0.9
    run = Saying(0.1)
    both = again(run, pictures, said)
    assert both[1, 8:11, 8:11] == pytest.approx(0.5)
    # The cell and one around it are shown; only what lies in the cell is told anew.
    assert run.shown == [(3 * STEP, 3 * STEP)]
    elsewhere = np.ones(said.shape[1:], bool)
    elsewhere[8:12, 8:12] = False
    assert (both[:, elsewhere] == said[:, elsewhere]).all()
    assert ((both[0, 8:12, 8:12] > 0.05) & (both[0, 8:12, 8:12] < 0.1)).all()


def test_slivers_are_not_worth_a_second_look():
    pictures, said = nothing()
    said[1, :, 9:11] = 0.9
    run = Saying(0.1)
    assert (again(run, pictures, said) == said).all()


def test_at_the_edge_of_the_picture_less_is_shown():
    pictures, said = nothing()
    said[1, :4, -4:] = 0.9
    run = Saying(0.9)
    assert again(run, pictures, said)[1, 0, -1] == pytest.approx(0.9)
    assert run.shown == [(2 * STEP, 2 * STEP)]


def test_places_whose_surroundings_overlap_are_looked_at_once_more_each():
    pictures, said = nothing()
    said[1, 4:8, 4:8] = said[1, 4:8, 12:16] = 0.9
    run = Saying(0.1)
    both = again(run, pictures, said)
    assert len(run.shown) == 2
    assert both[1, 4:8, 4:8] == pytest.approx(0.5)
    assert both[1, 4:8, 12:16] == pytest.approx(0.5)
    assert (both[1, 4:8, 8:12] == said[1, 4:8, 8:12]).all()


def test_certainty_of_one_look_does_not_outweigh_the_other_for_good():
    pictures, said = nothing()
    said[1, 8:12, 8:12] = 1.0
    both = again(Saying(0.0), pictures, said)
    assert both[1, 8:12, 8:12] == pytest.approx(0.5, abs=0.01)


def _halved(band):
    rows, cols = (side // 2 for side in band.shape)
    return band.reshape(rows, 2, cols, 2).mean(axis=(1, 3), dtype=np.float32) / 256


@settings(max_examples=25, deadline=None)
@drawn(st.integers(0, 10_000), st.integers(1, 7), st.integers(1, 7))
def test_a_model_that_minds_no_turning_says_the_same_twice(seed, rows, cols):
    rng = np.random.default_rng(seed)
    pictures = rng.integers(0, 256, (2, 3, rows * STEP, cols * STEP), dtype=np.uint8)

    def run(before, after):
        return np.stack([_halved(before[0]), _halved(after[1])])

    once = run(*pictures)
    assert np.allclose(again(run, (pictures[0], pictures[1]), once), once, atol=1e-6)
