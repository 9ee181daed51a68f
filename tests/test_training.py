"""What the network is taught: pairs drawn from pictures with their roofs, then disturbed."""

import cv2
import numpy as np
import pytest

from training.augment import cast_shadow, disturb_picture, recolour, shift_maps, stain
from training.pieces import ON_ROOFS, Piece, Tile, cut_piece, lay
from training.samples import Scene, Source, _compared, draw_pairs
from training.scales import halved_source, patchworks
from training.scenes import FIRST_SEED, IGNORED

SIDE = 96


def town(seed, side=160):
    """Return a picture of grey ground with brighter roofs."""
    rng = np.random.default_rng(seed)
    colour = rng.integers(90, 110, (side, side, 3), dtype=np.uint8)
    owner = np.zeros((side, side), np.int32)
    for number, (row, col) in enumerate(rng.integers(5, side - 35, (6, 2)), start=1):
        colour[row : row + 25, col : col + 30] = rng.integers(140, 230, 3)
        owner[row : row + 25, col : col + 30] = number
    return Tile(colour=colour, owner=owner)


def source():
    before, after = town(1), town(2)
    new = ((after.owner > 0) & (before.owner == 0)).astype(np.uint8)
    gone = ((before.owner > 0) & (after.owner == 0)).astype(np.uint8)
    scene = Scene(before=before, after=after, new=new, gone=gone)
    return Source([scene], [town(number) for number in range(3, 8)])


def drawn(count, seed=0):
    pairs = draw_pairs(source(), SIDE, np.random.default_rng(seed))
    return [next(pairs) for _number in range(count)]


def test_pairs_are_pictures_with_four_labels_each():
    for pair in drawn(20):
        assert pair.before.shape == pair.after.shape == (SIDE, SIDE, 3)
        assert pair.before.dtype == pair.after.dtype == np.uint8
        assert pair.labels.shape == (SIDE, SIDE, 4)
        assert set(np.unique(pair.labels)) <= {0, 1, IGNORED}


def test_the_same_seed_draws_the_same_pairs():
    for one, two in zip(drawn(6, 4), drawn(6, 4), strict=True):
        assert (one.before == two.before).all()
        assert (one.labels == two.labels).all()


def test_what_appears_is_a_roof_afterwards_and_what_goes_was_one():
    seen = np.zeros(2, int)
    for pair in drawn(60, 2):
        before, after, new, gone = np.moveaxis(pair.labels, -1, 0)
        # Labels move with the picture that shows the thing: a pixel of the rim may differ.
        assert (after[new == 1] != 0).mean() > 0.9 if (new == 1).any() else True
        assert (before[gone == 1] != 0).mean() > 0.9 if (gone == 1).any() else True
        seen += ((new == 1).any(), (gone == 1).any())
    assert (seen > 10).all()


def test_at_twice_the_pixel_scenes_are_half_as_wide_and_tiles_lie_side_by_side():
    fine = source()
    coarse = halved_source(fine, np.random.default_rng(0))
    assert coarse.grain == 2
    assert coarse.scenes[0].new.shape == (80, 80)
    assert {tile.owner.shape for tile in coarse.tiles} == {(160, 160)}
    assert len(coarse.tiles) == len(fine.tiles)
    share, halved = (float((s.before.owner > 0).mean()) for s in (fine.scenes[0], coarse.scenes[0]))
    assert halved == pytest.approx(share, abs=0.02)


def test_structures_of_a_patchwork_keep_numbers_of_their_own():
    tiles = source().tiles
    joined = patchworks(tiles, np.random.default_rng(1))[0]
    corners = [joined.owner[r : r + 160, c : c + 160] for r in (0, 160) for c in (0, 160)]
    numbers = [set(np.unique(corner[corner > 0])) for corner in corners]
    assert all(numbers)
    assert sum(len(n) for n in numbers) == len(set.union(*numbers))


def test_pairs_are_drawn_at_twice_the_pixel_too():
    pairs = draw_pairs(
        halved_source(source(), np.random.default_rng(0)), SIDE, np.random.default_rng(3)
    )
    seen = [next(pairs).labels[..., 2] for _number in range(20)]
    assert any((labels == 1).any() for labels in seen)


def test_roofs_are_painted_and_ground_is_not():
    tile = town(9)
    tables = np.ones((9, 3), np.float32), np.zeros((9, 3), np.float32)
    tables[1][2] = 40
    painted = recolour(tile.colour, tile.owner, tables)
    changed = (painted != tile.colour).any(axis=-1)
    assert (changed == (tile.owner == 2)).all()


def test_stains_keep_off_roofs():
    tile = town(11)
    stained = stain(tile.colour, tile.owner > 0, np.random.default_rng(0))
    assert (stained != tile.colour).any()
    inner = np.zeros(tile.owner.shape, bool)
    rows, cols = np.nonzero(tile.owner == 3)
    inner[rows.min() + 8 : rows.max() - 7, cols.min() + 8 : cols.max() - 7] = True
    assert (stained[inner] == tile.colour[inner]).all()


@pytest.mark.parametrize("seed", range(8))
def test_disturbed_pictures_stay_pictures(seed):
    rng = np.random.default_rng(seed)
    tile = town(seed)
    there = disturb_picture(tile.colour, tile.owner > 0, rng)
    assert there.shape == (160, 160, 3)
    assert there.dtype == np.uint8
    columns, rows = shift_maps(SIDE, rng)
    home = np.arange(SIDE)
    assert np.abs(columns - home).max() < 12
    assert np.abs(rows - home[:, None]).max() < 12


def test_shadows_fall_from_roofs_and_none_on_them():
    roofs = town(3).owner > 0
    rng = np.random.default_rng(0)
    left = cast_shadow(roofs.astype(np.uint8), 0.6, rng)[..., 0]
    near = cv2.dilate(roofs.astype(np.uint8), np.ones((61, 61), np.uint8)) > 0
    inside = cv2.erode(roofs.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    assert left.min() < 0.75
    assert left[inside].min() > 0.95
    assert left[~near].min() > 0.99


def test_what_replaced_a_roof_is_new_and_nobody_says_what_went():
    before, after = town(1), town(2)
    moved = Tile(colour=after.colour, owner=np.where(after.owner > 0, after.owner + 100, 0))
    labels = _compared(before, moved).labels
    replaced = (before.owner > 0) & (moved.owner > 0)
    assert replaced.any()
    assert (labels[replaced, 2] == 1).all()
    assert (labels[replaced, 3] == IGNORED).all()


def test_of_two_bare_places_only_what_was_laid_into_them_is_a_structure():
    bare = [Tile(colour=t.colour, owner=np.zeros_like(t.owner)) for t in map(town, range(4))]
    pairs = draw_pairs(
        Source([], [town(9), *bare]), SIDE, np.random.default_rng(1), kinds=("ground",)
    )
    built = [(next(pairs).labels == 1).any() for _number in range(30)]
    assert 3 < sum(built) < 25
    towns = draw_pairs(Source([], [town(9)]), SIDE, np.random.default_rng(1), kinds=("ground",))
    assert (next(towns).labels == 1).any()


def test_a_roof_that_was_cut_out_casts_a_shadow_where_it_is_laid():
    rng = np.random.default_rng(3)
    pieces = [cut_piece(town(4), rng) for _number in range(40)]
    roofs = [piece for piece in pieces if piece is not None and piece.roof]
    assert roofs
    assert all(piece.standing for piece in roofs)
    shaded = 0
    for number, piece in enumerate(roofs, start=1):
        ground = np.full((SIDE, SIDE, 3), 200, np.uint8)
        tile = Tile(colour=ground, owner=np.zeros((SIDE, SIDE), np.int32))
        lay(piece, (tile,), number, 0.7, rng)
        assert (tile.owner == number).any()
        # What is laid is darker than the ground, too: two pixels around it are left out.
        around = np.pad(tile.owner == 0, 3)
        away = np.all([np.roll(around, s, a) for s in (-3, 3) for a in (0, 1)], axis=0)[3:-3, 3:-3]
        shaded += bool((tile.colour[away] < 180).any())
    assert shaded > len(roofs) / 2


def laid(stands, monkeypatch, seed=5):
    """Return a tile with one large roof, and what lies on it after roofs were laid in one way."""
    from training import pieces

    monkeypatch.setattr(pieces, "_STAND_SHARES", tuple(float(s == stands) for s in pieces._STANDS))
    rng = np.random.default_rng(seed)
    owner = np.zeros((SIDE, SIDE), np.int32)
    owner[10:80, 10:50] = 1
    tile = Tile(colour=np.full((SIDE, SIDE, 3), 120, np.uint8), owner=owner.copy())
    mask = np.ones((14, 18), bool)
    piece = Piece(np.full((14, 18, 3), 220, np.uint8), mask, roof=True, standing=True)
    for number in range(2, 12):
        lay(piece, (tile,), number, 0.7, rng)
    return owner, tile.owner


def test_what_is_built_on_a_roof_appears_there_and_the_roof_stays(monkeypatch):
    before, after = laid("on", monkeypatch)
    on_top = after >= ON_ROOFS
    assert on_top.any()
    assert (before[on_top] == 1).all()
    sides = [Tile(colour=np.zeros((SIDE, SIDE, 3), np.uint8), owner=o) for o in (before, after)]
    labels = _compared(*sides).labels
    assert (labels[..., 2] == on_top).all()
    assert not (labels[..., 3] == 1).any()


def test_what_is_built_beside_a_roof_leaves_it_as_it_was(monkeypatch):
    before, after = laid("beside", monkeypatch)
    assert (after[before == 1] == 1).all()
    new = (after > 1).astype(np.uint8)
    assert new.any()
    touching = cv2.dilate(new, np.ones((3, 3), np.uint8)) > 0
    assert (touching & (before == 1)).any()


def test_panels_on_a_roof_leave_it_a_roof_and_ground_laid_over_it_does_not():
    before = np.ones((SIDE, SIDE), np.int32)
    mask = np.ones((20, 20), bool)
    for ground, gone in ((False, False), (True, True)):
        tile = Tile(colour=np.full((SIDE, SIDE, 3), 120, np.uint8), owner=before.copy())
        piece = Piece(np.full((20, 20, 3), 30, np.uint8), mask, roof=False, ground=ground)
        lay(piece, (tile,), 2, 0.7, np.random.default_rng(1))
        assert (tile.colour < 100).any()
        assert (tile.owner == 0).any() == gone


def test_nothing_is_built_in_quiet_pairs():
    pairs = draw_pairs(source(), SIDE, np.random.default_rng(8), kinds=("quiet",))
    for _number in range(20):
        labels = next(pairs).labels
        assert not (labels[..., 2:] == 1).any()


def test_seeds_of_training_lie_apart_from_those_of_the_frozen_judge():
    from benchmarks.judge import SETS, frozen_cases

    frozen = {
        seed
        for name in SETS
        for case in frozen_cases(name)
        for seed in (case.seed, case.other_seed or 0)
    }
    assert max(frozen) < FIRST_SEED
