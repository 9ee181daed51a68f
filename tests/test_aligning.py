"""The alignment benchmark: do its pairs show what their truth says, and do its draws keep apart?"""

import cv2
import numpy as np
import pytest
import rasterio
from hypothesis import given
from hypothesis import strategies as st
from pyproj import CRS

from benchmarks.alignment_pairs import FAMILIES, cases_of
from benchmarks.alignment_pictures import GROUND, JUDGING, TUNING, Picture, frozen_draw
from benchmarks.alignment_tables import table_of, told_honestly
from benchmarks.alignment_truth import FrozenTruth, Plane
from benchmarks.crops import cropped, draw_beside, draw_overlapping, place_of
from benchmarks.warped_pairs import CRS_NAME, Recipe, plane_of, warped_pair
from benchmarks.warps import (
    LATTICE_PX,
    blobs,
    crowns,
    draw_warp,
    noisy,
    on_lattice,
    ragged,
    relit,
    seasoned,
    shadows_moved,
)
from survey.simulation import displacement, draw_plan, image_frame

SIZE = (600, 800)
UNCHANGED = {"replaced": 0.0, "light": 0.0, "shadows": False, "noise": 0.0}


def smooth_picture(size=SIZE, pixel_m=0.1, seed=1):
    noise = np.random.default_rng(seed).integers(0, 256, (*size, 3)).astype(np.float32)
    soft = cv2.GaussianBlur(noise, (0, 0), 4.0)
    stretched = (soft - soft.mean()) / soft.std() * 40.0 + 128.0
    return Picture(
        name="smooth",
        colours=np.clip(stretched, 0, 255).astype(np.uint8),
        valid=np.ones(size, bool),
        pixel_m=pixel_m,
    )


def grey_at(path, x, y):
    """Look into a file at places in its own CRS."""
    with rasterio.open(path) as dataset:
        grey, t = dataset.read(2).astype(np.float32), dataset.transform
    cols, rows = (x - t.c) / t.a - 0.5, (y - t.f) / t.e - 0.5
    return cv2.remap(grey, cols.astype(np.float32), rows.astype(np.float32), cv2.INTER_CUBIC)


@given(
    seed=st.integers(0, 1000),
    shift=st.floats(0, 200),
    reach=st.floats(0, 15),
    turn=st.floats(-5, 5),
)
def test_target_undoes_source(seed, shift, reach, turn):
    warp = draw_warp(
        np.random.default_rng(seed),
        (4096, 4096),
        shift_px=shift,
        warp_px=reach,
        turn_deg=turn,
        stretch=1.02,
    )
    cols, rows = np.meshgrid(np.linspace(0, 4096, 9), np.linspace(0, 4096, 9))
    back = warp.source(*warp.target(cols, rows))
    assert np.abs(np.stack(back) - [cols, rows]).max() < 1e-4


def test_a_drawn_warp_reaches_as_far_as_asked():
    warp = draw_warp(np.random.default_rng(3), (4096, 4096), shift_px=156.0, warp_px=5.0)
    assert np.hypot(*warp.shift) == pytest.approx(156.0)
    cols, rows = np.meshgrid(np.arange(0.0, 4096.0, 16), np.arange(0.0, 4096.0, 16))
    found_col, found_row = warp.source(cols, rows)
    local = np.hypot(found_col - cols - warp.shift[0], found_row - rows - warp.shift[1])
    assert local.max() == pytest.approx(5.0, rel=0.02)


def test_a_warp_that_folds_is_refused():
    wave = draw_warp(np.random.default_rng(1), SIZE, shift_px=0.0, warp_px=900.0)
    with pytest.raises(ValueError, match="folds"):
        wave.target(*np.meshgrid(np.arange(0.0, 800.0, 50), np.arange(0.0, 600.0, 50)))


def test_blobs_cover_their_share_and_a_ragged_edge_leaves_the_middle():
    rng = np.random.default_rng(5)
    assert blobs(rng, SIZE, share=0.2, reach_px=60.0).mean() == pytest.approx(0.2, abs=0.01)
    assert not blobs(rng, SIZE, share=0.0, reach_px=60.0).any()
    shows = ragged(rng, SIZE, depth_px=40.0)
    assert 0.75 < shows.mean() < 0.99
    inner = 40 // LATTICE_PX + 1
    assert shows[inner : -inner - 1, inner : -inner - 1].all()


def test_what_leans_is_told_to_be_tall():
    leans = crowns(np.random.default_rng(2), SIZE, share=0.3, radius_px=(30.0, 80.0), lean_px=7.0)
    far = np.hypot(leans.cols, leans.rows)
    assert 3.0 < far.max() <= 7.0
    assert 0.1 < leans.tall.mean() < 0.8
    assert not far[~leans.tall].any()


@pytest.mark.parametrize(
    ("crs", "coarser"), [(CRS_NAME, 1.0), (CRS_NAME, 2.0), ("EPSG:32649", 1.0), ("EPSG:4490", 1.5)]
)
def test_a_copy_shows_the_ground_where_its_truth_says(tmp_path, crs, coarser):
    picture = smooth_picture()
    recipe = Recipe(shift_px=30.0, warp_px=5.0, turn_deg=2.0, crs=crs, coarser=coarser, **UNCHANGED)
    window = place_of(picture)
    truth = warped_pair(tmp_path, picture, (window, window), recipe, np.random.default_rng(4))
    plane, own = plane_of(picture), CRS.from_user_input(crs)
    cols, rows = np.meshgrid(np.arange(60.0, 740.0, 7), np.arange(60.0, 540.0, 7))
    x, y = plane.xy(cols, rows, own)
    known = truth.known(x, y, own)
    seen = grey_at(tmp_path / "after.tif", x + known.east, y + known.north)
    expected = grey_at(
        tmp_path / "before.tif", *plane.xy(cols, rows, CRS.from_user_input(CRS_NAME))
    )
    assert known.both.mean() > 0.9
    missed = np.abs(seen - expected)[known.both]
    undone = np.abs(grey_at(tmp_path / "after.tif", x, y) - expected)[known.both]
    assert missed.mean() < 0.03 * undone.mean()
    assert np.quantile(missed, 0.95) < 0.08 * undone.mean()


def test_what_was_replaced_is_not_visible(tmp_path):
    picture = smooth_picture()
    recipe = Recipe(shift_px=10.0, warp_px=3.0, **UNCHANGED | {"replaced": 0.3})
    window = place_of(picture)
    truth = warped_pair(tmp_path, picture, (window, window), recipe, np.random.default_rng(4))
    crs = CRS.from_user_input(CRS_NAME)
    cols, rows = np.meshgrid(np.arange(40.0, 760.0, 5), np.arange(40.0, 560.0, 5))
    x, y = plane_of(picture).xy(cols, rows, crs)
    known = truth.known(x, y, crs)
    assert 0.5 < known.visible.mean() / known.both.mean() < 0.8
    after = grey_at(tmp_path / "after.tif", x + known.east, y + known.north)
    missed = np.abs(after - grey_at(tmp_path / "before.tif", x, y))
    assert missed[known.visible].mean() < 3.0
    assert missed[known.both & ~known.visible].mean() > 15.0


def test_a_partly_overlapping_copy_is_told_apart_from_what_lies_outside(tmp_path):
    picture = smooth_picture((600, 600))
    windows = draw_overlapping(np.random.default_rng(1), picture, 350.0, 0.5)
    recipe = Recipe(shift_px=0.0, warp_px=1.0, **UNCHANGED)
    truth = warped_pair(tmp_path, picture, windows, recipe, np.random.default_rng(4))
    crs = CRS.from_user_input(CRS_NAME)
    cols, rows = np.meshgrid(np.arange(600.0), np.arange(600.0))
    known = truth.known(*plane_of(picture).xy(cols, rows, crs), crs)
    shared = known.both.sum() / 350**2
    assert 0.4 < shared < 0.51


def test_looks_change_but_sizes_and_types_do_not():
    rng = np.random.default_rng(6)
    colours = smooth_picture().colours
    for changed in (
        relit(rng, colours, strength=1.0),
        shadows_moved(rng, colours, reach_px=(10.0, 20.0)),
        seasoned(rng, colours, strength=1.0),
        noisy(rng, colours, sigma=3.0),
    ):
        assert changed.shape == colours.shape
        assert changed.dtype == np.uint8
        assert 1.0 < np.abs(changed.astype(int) - colours).mean() < 80.0


@given(seed=st.integers(0, 200), share=st.floats(0.02, 1.0))
def test_windows_share_what_they_should(seed, share):
    picture = smooth_picture((300, 400))
    rng = np.random.default_rng(seed)
    first, second = draw_overlapping(rng, picture, 150.0, share)
    across = first.width - abs(first.col - second.col)
    down = first.height - abs(first.row - second.row)
    assert across * down / first.width / first.height == pytest.approx(share, abs=0.02)
    one, other = draw_beside(rng, picture, 150.0)
    assert max(abs(one.row - other.row), abs(one.col - other.col)) >= one.width


def test_a_cut_keeps_its_windows():
    picture = smooth_picture()
    windows = draw_beside(np.random.default_rng(3), picture, 200.0)
    part, inside = cropped(picture, windows, margin=0.1)
    for window, moved in zip(windows, inside, strict=True):
        kept = part.colours[moved.slices_in(place_of(part))]
        assert np.array_equal(kept, picture.colours[window.slices_in(place_of(picture))])


def test_places_beyond_the_lattice_hold_its_rim():
    values = np.zeros((3, 3), np.float32)
    values[:, 2] = 8.0
    found = on_lattice(values, np.array([[6.0, 100.0]]), np.array([[4.0, 4.0]]))
    assert found.tolist() == [[4.0, 8.0]]


def test_the_truth_of_simulated_flights_is_the_difference_of_their_displacements():
    plan = draw_plan(seed=11, side_m=60.0, pixel_m=0.3)
    flights = plan.flights[0], plan.flights[2]
    full = np.full((image_frame(plan, flights[0]).size,) * 2, GROUND, np.uint8)
    truth = FrozenTruth(plan=plan, flights=flights, shown=(full, full))
    x, y = np.meshgrid(plan.west_m + np.arange(15.0, 45.0), plan.south_m + np.arange(15.0, 45.0))
    d0, d1 = (displacement(flight, x, y) for flight in flights)
    known = truth.known(x + d0[0], y + d0[1], CRS.from_user_input(plan.crs))
    assert np.abs(known.east - (d1[0] - d0[0])).max() < 1e-3
    assert np.abs(known.north - (d1[1] - d0[1])).max() < 1e-3
    assert known.visible.all()


def test_a_plane_gives_its_pixels_back():
    plane = Plane(crs=CRS_NAME, left=435_600.0, top=2_556_500.0, pixel_m=0.1)
    crs = CRS.from_epsg(4326)
    cols, rows = np.array([[0.0, 500.0]]), np.array([[10.0, 900.0]])
    assert np.allclose(plane.pixels(*plane.xy(cols, rows, crs), crs), (cols, rows), atol=1e-4)


def test_the_draws_keep_apart():
    for family in set(FAMILIES) - {"fotbcd"}:
        tuning, judging = (cases_of(family, draw) for draw in (TUNING, JUDGING))
        assert len({case.name for case in tuning}) == len(tuning)
        assert not {case.seed for case in tuning} & {case.seed for case in judging}
        assert not any("kampala" in name for case in tuning for name in case.pictures)
    sizes = {"frozen": 40, "unrelated": 100, "overlap": 100, "hard": 200}
    assert {family: len(cases_of(family, JUDGING)) for family in sizes} == sizes  # type: ignore[arg-type]
    assert [case.other_seed is not None for case in frozen_draw(TUNING)][:5] == [False] * 4 + [True]


def test_a_told_residual_is_honest_within_a_factor_or_a_tenth_of_a_pixel():
    assert told_honestly({"told_p95": 0.15, "p95_visible": 0.06})
    assert told_honestly({"told_p95": 1.9, "p95_visible": 1.0})
    assert not told_honestly({"told_p95": 2.1, "p95_visible": 1.0})
    assert not told_honestly({"told_p95": 0.4, "p95_visible": 1.0})
    assert told_honestly({"p95_visible": 1.0}) is None


def test_tables_count_verdicts_and_bars():
    row = {
        "name": "warped-tuning-000 plain town", "kind": "plain", "picture": "town-1",
        "precision": "precise", "verdict": "verified", "pixel_m": 0.05, "cpu_s": 1.0, "p50": 0.08,
        "p95": 0.9, "rms_visible": 0.3, "p95_visible": 0.5, "told_p95": 0.4, "visible": 0.8,
        "within": 0.9, "nothing_done": 156.0, "evidence": 9.0, "why": "", "side_m": 100.0,
    }  # fmt: skip
    told = table_of("warped", [row])
    assert "p50          bar 0.10: 1 of 1 meet it" in told
    assert "rms_visible  bar 0.20: 0 of 1 meet it" in told
    assert "told p95 honest: 1 of 1" in told
    other = {key: value for key, value in row.items() if key != "p50"} | {"verdict": "refused"}
    assert "1 pairs, 0 verified, 0 unverified, 1 refused" in table_of("unrelated", [other])
