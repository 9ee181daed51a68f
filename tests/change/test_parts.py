"""What a map shows is told apart into structures."""

import numpy as np

from change.parts import draw_parts


def bump(shape, row, col, height, width, value):
    likely = np.zeros(shape, np.float32)
    likely[row : row + height, col : col + width] = value
    return likely


def test_one_structure_is_one_part_drawn_at_half_of_its_middle():
    likely = np.maximum(bump((40, 40), 5, 5, 30, 30, 0.3), bump((40, 40), 10, 10, 20, 20, 0.9))
    (part,) = draw_parts(likely, likely > 0.2, 100)
    assert part.sum() == 400
    assert part[10:30, 10:30].all()


def test_two_structures_that_touch_at_a_low_level_are_two():
    left, right = bump((40, 80), 10, 10, 20, 20, 0.9), bump((40, 80), 10, 40, 20, 20, 0.8)
    likely = np.maximum(np.maximum(left, right), bump((40, 80), 10, 30, 20, 10, 0.48))
    parts = draw_parts(likely, likely > 0.2, 200)
    assert len(parts) == 2
    assert parts[0][15, 15]
    assert parts[1][15, 50]
    assert not (parts[0] & parts[1]).any()


def test_a_summit_too_small_to_be_a_structure_splits_nothing():
    likely = bump((40, 80), 10, 10, 20, 60, 0.6)
    likely[15:18, 15:18] = likely[15:18, 60:63] = 0.95
    assert len(draw_parts(likely, likely > 0.2, 200)) == 1


def test_only_the_candidate_is_drawn():
    likely = np.maximum(bump((40, 80), 10, 5, 20, 20, 0.9), bump((40, 80), 10, 50, 20, 20, 0.9))
    inside = np.zeros(likely.shape, bool)
    inside[:, :30] = True
    (part,) = draw_parts(likely, inside, 100)
    assert not part[:, 30:].any()
