"""What a map shows is told apart into structures."""

import numpy as np

from change.parts import draw_parts, whole_roofs


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


def test_a_large_roof_of_which_a_map_is_now_more_and_now_less_sure_stays_one():
    likely = bump((120, 160), 10, 10, 100, 140, 0.55)
    rows, cols = np.mgrid[:120, :160]
    for row, col in ((30, 40), (70, 60), (50, 110), (90, 130)):
        near = np.exp(-((rows - row) ** 2 + (cols - col) ** 2) / 300.0)
        likely = np.where(likely > 0, np.maximum(likely, 0.55 + 0.4 * near), 0)
    (part,) = draw_parts(likely.astype(np.float32), likely > 0.2, 250)
    assert part.sum() == 100 * 140


def test_what_falls_into_rags_is_not_told_apart():
    """Two ways round a pond of doubt are no two structures."""
    likely = bump((100, 100), 10, 10, 80, 80, 0.9)
    rows, cols = np.mgrid[:100, :100]
    likely[(np.abs(rows - cols) < 6) & (likely > 0)] = 0.55
    (part,) = draw_parts(likely, likely > 0.2, 250)
    assert part.sum() == 80 * 80


def test_a_structure_drawn_in_part_is_the_whole_roof():
    roofs = block(10, 10, 20, 40)
    (whole,) = whole_roofs([block(10, 10, 20, 22)], roofs)
    np.testing.assert_array_equal(whole, roofs)


def test_the_rim_of_a_roof_adds_nothing_and_neither_does_a_roof_hardly_covered():
    part = block(10, 10, 20, 40)
    for roofs in (block(9, 9, 22, 42), block(10, 10, 40, 80), block(60, 60, 20, 20)):
        (whole,) = whole_roofs([part], roofs)
        np.testing.assert_array_equal(whole, part)


def test_a_roof_that_makes_it_ragged_adds_nothing():
    part = block(10, 10, 20, 40)
    (whole,) = whole_roofs([part], part | block(30, 10, 40, 6) | block(15, 50, 4, 30))
    np.testing.assert_array_equal(whole, part)


def test_what_is_left_of_a_roof_goes_to_one_of_two():
    parts = [block(10, 10, 20, 20), block(10, 40, 20, 20)]
    wholes = whole_roofs(parts, block(10, 10, 20, 50))
    assert not (wholes[0] & wholes[1]).any()
    for part, whole in zip(parts, wholes, strict=True):
        assert not (part & ~whole).any()


def block(row, col, height, width):
    return bump((100, 120), row, col, height, width, 1.0) > 0
