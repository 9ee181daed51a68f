"""Detection: known structures found whole, and nothing found where nothing changed."""

import math
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date

import numpy as np
import pytest
import rasterio
import shapely
from affine import Affine
from rasterio.warp import Resampling, calculate_default_transform, reproject
from shapely import box

from change.changes import KINDS, Change
from change.detection import detect
from survey.examination import examine
from survey.flight import open_flight
from survey.light import without_colours
from survey.pair import make_pair
from survey.settings import Settings
from survey.simulation import draw_plan, seen_from_afar
from survey.simulation.camera.mosaic import lean_at
from tests.flown_area import picture, write_flight
from tests.samples import cut, cut_pair, dsm, ortho, run_pair
from tests.survey.rasters import blurred, north_up, scene, write

SETTINGS = Settings()


def flight(path, **options):
    return examine(open_flight(path, **options))


def found(before, after, settings=SETTINGS, **options):
    return detect(make_pair(before, after, settings), settings, **options)


def appeared(detection):
    return [c for c in detection.changes if not c.vanished]


@pytest.fixture(scope="module")
def corner(tmp_path_factory):
    """A corner of the sample flights with all that is in it."""
    return cut_pair(tmp_path_factory.mktemp("corner"))


@pytest.mark.parametrize("number", range(4))
@pytest.mark.parametrize("heights", [True, False])
def test_an_identical_pair_has_no_changes(number, heights):
    same = flight(ortho(number), dsm=dsm(number) if heights else None)
    detection = found(same, same)
    assert detection.changes == ()
    assert detection.judged_m2 > 30_000


# The same pixels, or what is left of them, in another dress. Each takes the file and the new one.


def rewritten(source, target, bands=None, transform=None, overviews=False, **profile):
    with rasterio.open(source) as dataset:
        bands = dataset.read() if bands is None else bands
        crs, place = dataset.crs, transform or dataset.transform
    return write(
        target,
        bands,
        crs=crs,
        transform=place,
        photometric="rgb",
        overviews=(2, 4) if overviews else (),
        **profile,
    )


def as_jpeg(source, target):
    tiled = {"tiled": True, "blockxsize": 256, "blockysize": 256}
    return rewritten(source, target, compress="jpeg", jpeg_quality=80, **tiled)


def as_stripes(source, target):
    return rewritten(source, target, compress="lzw", blockysize=7, tiled=False)


def with_overviews(source, target):
    return rewritten(source, target, overviews=True, tiled=True, blockxsize=512, blockysize=512)


def as_16_bits(source, target):
    with rasterio.open(source) as dataset:
        return rewritten(source, target, dataset.read().astype(np.uint16) * 200 + 900)


def warped(source, target, crs, pixel=None):
    with rasterio.open(source) as dataset:
        transform, width, height = calculate_default_transform(
            dataset.crs, crs, dataset.width, dataset.height, *dataset.bounds, resolution=pixel
        )
        bands = np.zeros((3, height, width), np.uint8)
        reproject(
            dataset.read(),
            bands,
            src_transform=dataset.transform,
            src_crs=dataset.crs,
            dst_transform=transform,
            dst_crs=crs,
            resampling=Resampling.bilinear,
        )
        return write(target, bands, crs=crs, transform=transform, photometric="rgb", nodata=0)


def in_utm(source, target):
    return warped(source, target, "EPSG:32649")


def in_degrees(source, target):
    return warped(source, target, "EPSG:4326")


def in_web_mercator(source, target):
    return warped(source, target, "EPSG:3857")


def at_13_cm(source, target):
    return warped(source, target, "EPSG:4547", 0.13)


def brighter(source, target):
    with rasterio.open(source) as dataset:
        bands = np.clip(dataset.read() * 1.15 + 6, 0, 255).astype(np.uint8)
        return rewritten(source, target, bands)


def in_grey(source, target):
    with rasterio.open(source) as dataset:
        return rewritten(source, target, without_colours(dataset.read([1, 2, 3])))


DRESSES = [
    as_jpeg,
    as_stripes,
    with_overviews,
    as_16_bits,
    in_utm,
    in_degrees,
    in_web_mercator,
    at_13_cm,
    brighter,
    in_grey,
]


@pytest.mark.filterwarnings("ignore::PendingDeprecationWarning")  # rasterio with affine 3
@pytest.mark.parametrize("dress", DRESSES)
def test_the_same_picture_in_another_dress_shows_nothing(corner, tmp_path, dress):
    before = corner["before"]
    after = flight(dress(before, tmp_path / "20250601.tif"))
    detection = found(flight(before), after)
    assert detection.changes == ()
    assert detection.judged_m2 > 7000
    back = found(after, flight(before))
    assert back.changes == ()


def made_pair(tmp_path, houses, side=1300, pixel=0.2):
    """Return two flights over textured ground; houses, (left, top, right, bottom) px, are new."""
    place = north_up(pixel)
    picture = blurred(scene(side, side), 0.8)
    rng = np.random.default_rng(3)
    heights = (20 + rng.normal(0, 0.03, (1, side, side))).astype(np.float32)
    flights = []
    for day, built in (("20250101", ()), ("20250601", houses)):
        colours, surface = picture.copy(), heights.copy()
        for left, top, right, bottom in built:
            colours[:, top:bottom, left:right] = 205
            surface[:, top:bottom, left:right] += 6
        image = write(tmp_path / f"{day}.tif", colours, transform=place, photometric="rgb")
        model = write(tmp_path / f"{day}_dsm.tif", surface, transform=place, nodata=-9999)
        flights.append(flight(image, dsm=model))
    return flights, [box(*(place @ (x0, y1)), *(place @ (x1, y0))) for x0, y0, x1, y1 in houses]


# rasterio silences this warning of its own in a way that threads undo for each other.
@pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
@pytest.mark.parametrize("pixel", [0.2, 0.2437])
def test_a_structure_across_tile_seams_comes_out_as_one(tmp_path, pixel):
    """The tiles of the lattice meet at pixels 512 and 1024; one house lies on a corner of four."""
    houses = [(480, 480, 560, 570), (990, 100, 1080, 160), (100, 1000, 180, 1060)]
    houses += [(700, 700, 760, 750)]
    (before, after), outlines = made_pair(tmp_path, houses, pixel=pixel)
    detection = found(before, after)
    assert len(detection.changes) == len(outlines)
    for outline in outlines:
        (change,) = [c for c in detection.changes if c.outline.intersects(outline)]
        shared = change.outline.intersection(outline).area
        assert shared / change.outline.union(outline).area > 0.85
        assert change.kind == "building"
        assert change.height_gain_m == pytest.approx(6, abs=0.3)
    # Neither the size of the blocks nor who works on them changes anything.
    small = SETTINGS.changed("blocks", side_m=100.0)
    with ThreadPoolExecutor(2) as executor:
        again = detect(make_pair(before, after, small), small, executor=executor)
    assert again == detection


def test_changes_are_told_in_full():
    detection = run_pair(0, 1).detection
    assert len({change.id for change in detection.changes}) == len(detection.changes)
    tops = [change.outline.bounds[3] for change in detection.changes]
    assert tops == sorted(tops, reverse=True), "from north to south"
    for change in detection.changes:
        assert change.kind in KINDS
        assert change.origin == "new"
        assert change.outline.is_valid
        assert change.area_m2 == pytest.approx(change.outline.area, abs=0.01)
        assert change.area_raw_m2 >= 10
        assert 0.5 <= change.score <= 1
        assert 0.1 <= change.tolerance_m < 1
        assert (change.height_gain_m < 0) == change.vanished


def test_turning_the_pair_round_turns_gain_into_loss(corner):
    flights = [flight(corner[role], dsm=corner[f"dsm_{role}"]) for role in ("before", "after")]
    there, back = found(*flights), found(*flights[::-1])
    assert len(appeared(there)) >= 2
    assert len(back.changes) == len(there.changes)
    assert len(appeared(back)) == len(there.changes) - len(appeared(there))
    areas = sorted(c.area_raw_m2 for c in there.changes)
    assert sorted(c.area_raw_m2 for c in back.changes) == pytest.approx(areas, rel=0.15)


def test_within_restricts_and_thresholds_cut(corner):
    flights = [flight(corner[role], dsm=corner[f"dsm_{role}"]) for role in ("before", "after")]
    pair = make_pair(*flights, SETTINGS)
    everything = detect(pair, SETTINGS).changes
    largest = max(everything, key=lambda c: c.area_raw_m2)
    only = detect(pair, SETTINGS, within=largest.outline.centroid.buffer(1)).changes
    assert only == (largest,)
    assert detect(pair, SETTINGS, within=box(0, 0, 1, 1)).changes == ()
    least_m2 = largest.area_raw_m2 - 1.0
    kept = detect(pair, SETTINGS.changed("detect", min_area_m2=least_m2)).changes
    assert 0 < len(kept) < len(everything)
    assert min(c.area_raw_m2 for c in kept) >= least_m2
    assert detect(pair, SETTINGS.changed("detect", min_height_m=30.0)).changes == ()


def test_ground_that_only_one_flight_shows_is_excluded(tmp_path):
    west = flight(cut(ortho(0), tmp_path / "west.tif", (2, 10, 130, 150)))
    east = flight(cut(ortho(1), tmp_path / "east.tif", (50, 10, 198, 150)))
    pair = make_pair(west, east, SETTINGS)
    detection = detect(pair, SETTINGS)
    outside = shapely.union_all([e.outline for e in detection.excluded if e.reason == "no_overlap"])
    # West of the shared rectangle 48 m, east of it 68 m, each 140 m high.
    assert outside.area == pytest.approx((48 + 68) * 140, rel=0.05)
    every = shapely.union_all([e.outline for e in detection.excluded])
    assert detection.judged_m2 + every.area == pytest.approx(196 * 140, rel=0.03)
    for change in detection.changes:
        assert not change.outline.intersects(outside.buffer(-1))


def test_ground_under_the_mask_is_excluded_and_the_rest_judged(corner, tmp_path):
    with rasterio.open(corner["after"]) as dataset:
        bands, transform = dataset.read(), dataset.transform
    shown = np.ones(bands.shape[1:], bool)
    shown[:, : bands.shape[2] // 3] = False
    masked = write(
        tmp_path / "20250601.tif", bands, transform=transform, photometric="rgb", mask=shown
    )
    pair = make_pair(flight(corner["before"]), flight(masked), SETTINGS)
    detection = detect(pair, SETTINGS)
    hidden = sum(e.outline.area for e in detection.excluded if e.reason == "not_seen_after")
    assert hidden == pytest.approx(90 * 90 / 3, rel=0.15)
    bounds = pair.grid.bounds
    whole = (bounds.right - bounds.left) * (bounds.top - bounds.bottom)
    assert hidden + detection.judged_m2 == pytest.approx(whole, rel=0.03)


def test_ground_too_uncertain_is_excluded_and_never_clean(corner):
    strict = SETTINGS.changed("detect", max_tolerance_m=0.01)
    detection = found(flight(corner["before"]), flight(corner["after"]), strict)
    assert detection.changes == ()
    assert detection.judged_m2 == 0
    assert {e.reason for e in detection.excluded} >= {"uncertain"}


def test_excluded_ground_does_not_overlap_judged_structures():
    detection = run_pair(0, 1).detection
    hidden = shapely.union_all([e.outline for e in detection.excluded])
    for change in detection.changes:
        assert change.outline.intersection(hidden).area < 0.2 * change.outline.area


def test_a_flight_without_surface_model_says_nothing_of_heights():
    detection = run_pair(0, 1, heights=False).detection
    assert all(change.height_gain_m is None for change in detection.changes)


def test_roofs_seen_from_another_side_are_not_reported(tmp_path):
    """Nothing was built; houses of up to eight storeys lean as they do in single pictures."""
    plan = draw_plan(
        seed=73_000, side_m=130.0, pixel_m=0.4, flights=2, setting="urban_village",
        pace=0.0, offset_m=0.5,
    )  # fmt: skip
    leaning = [
        replace(
            flight,
            shift_east_m=0.0,
            shift_north_m=0.0,
            mosaic=replace(flight.mosaic, lean=1.0, altitude_m=120.0),
        )
        for flight in plan.flights
    ]
    plan = replace(plan, flights=tuple(leaning))
    before, after = (
        flight(write_flight(tmp_path, plan, date(2025, 1 + index, 1), picture(plan, index)))
        for index in (0, 1)
    )
    detection = found(before, after, SETTINGS.changed("detect", min_score=0.0))
    assert detection.share_displaced > 0.1
    likely = [c for c in detection.changes if dict(c.evidence).get("score_alone", 0.0) >= 0.5]
    reported = [c for c in detection.changes if c.score >= 0.5]
    assert len(likely) >= 8
    assert len(reported) <= 0.3 * len(likely)


def test_the_way_in_which_pictures_from_afar_draw_roofs_off_is_told(tmp_path):
    """Nothing was built; the whole of each flight is one picture, taken from one side."""
    plan = draw_plan(
        seed=73_000, side_m=130.0, pixel_m=0.4, flights=2, setting="urban_village",
        pace=0.0, offset_m=0.5,
    )  # fmt: skip
    plan = seen_from_afar(plan, np.random.default_rng(3))
    before, after = (
        flight(write_flight(tmp_path, plan, date(2025, 1 + index, 1), picture(plan, index)))
        for index in (0, 1)
    )
    detection = found(before, after, SETTINGS.changed("detect", min_score=0.0))
    earlier, later = (np.array(lean_at(one, 65.0, 65.0)) for one in plan.flights)
    east, north = later - earlier
    way = math.degrees(math.atan2(east, north))
    assert detection.displaced_way_deg is not None
    assert abs((detection.displaced_way_deg - way + 180) % 360 - 180) < 10
    sought = [e for e in (dict(c.evidence) for c in detection.changes) if "along_alike" in e]
    assert len(sought) >= 8
    assert sum(c.score >= 0.5 for c in detection.changes) <= 0.3 * len(sought)


@pytest.mark.parametrize("wrong", [{"kind": "castle"}, {"score": 1.2}])
def test_an_impossible_change_is_refused(wrong):
    change = run_pair(0, 1).detection.changes[0]
    assert isinstance(change, Change)
    with pytest.raises(ValueError, match=r"castle|1\.2"):
        replace(change, **wrong)


def test_a_turned_file_finds_the_same(tmp_path, corner):
    """A flight whose rows run at 30 degrees shows the same structures in the same places."""
    with rasterio.open(corner["after"]) as dataset:
        bands, place = dataset.read(), dataset.transform
    height, width = bands.shape[1:]
    turn = Affine.translation(width / 2, height / 2) @ Affine.rotation(30)
    turn = turn @ Affine.translation(-width / 2, -height / 2)
    turned = np.zeros_like(bands)
    reproject(
        bands,
        turned,
        src_transform=place,
        src_crs="EPSG:4547",
        dst_transform=place @ turn,
        dst_crs="EPSG:4547",
        resampling=Resampling.bilinear,
    )
    path = write(tmp_path / "t.tif", turned, transform=place @ turn, photometric="rgb", nodata=0)
    heights = {role: corner[f"dsm_{role}"] for role in ("before", "after")}
    before = flight(corner["before"], dsm=heights["before"])
    straight = found(before, flight(corner["after"], dsm=heights["after"]))
    other = found(before, flight(path, dsm=heights["after"]))
    inside = shapely.union_all([e.outline for e in other.excluded])
    for change in straight.changes:
        if not change.outline.intersects(inside):
            match = [c for c in other.changes if c.outline.intersects(change.outline)]
            assert len(match) == 1
            assert match[0].kind == change.kind
