"""Pictures turned back: what is said to have changed has, and lies where it is said to lie."""

import datetime as dt
import json

import geopandas as gpd
import numpy as np
import pytest
import rasterio
import shapely
from pyproj import CRS, Transformer
from rasterio.enums import ColorInterp
from scipy import ndimage
from shapely import affinity, box

from survey.errors import FlightError, LayerError, OutputError, SettingsError
from survey.flight import open_flight
from survey.grid import Grid
from survey.simulation.flights import Displacement, Wave, displacement
from survey.simulation.turning.changes import Turning
from survey.simulation.turning.relighting import (
    RELIGHT_HALO_PX,
    Relighting,
    draw_relighting,
    relight,
)
from survey.simulation.turning.shading import Shadow
from survey.simulation.turning.turned_back_files import turn_back_file
from survey.simulation.turning.warping import Warp, earlier_flight, sample, span_of
from survey.windows import Window

# A small pixel in each CRS, as (width, height) of a pixel in its units, and a place.
PLACES = {
    "EPSG:32644": (500_000.0, 3_000_000.0, 0.25),
    "EPSG:3857": (9_519_000.0, 3_203_000.0, 0.28),
    "EPSG:4326": (85.5, 27.6, 2.5e-6),
}
SIDE = 560


def village(seed: int = 0) -> tuple[np.ndarray, list[shapely.Polygon]]:
    """Return a picture of houses on a meadow, and their outlines as (col, row)."""
    rng = np.random.default_rng(seed)
    patches = ndimage.gaussian_filter(rng.normal(size=(SIDE, SIDE)), 8) * 120
    tufts = ndimage.gaussian_filter(rng.normal(size=(SIDE, SIDE)), 1.2) * 30
    image = 110 + patches + tufts + rng.normal(0, 3, (3, SIDE, SIDE))
    houses = []
    for row in range(60, SIDE - 60, 90):
        for col in range(60, SIDE - 60, 90):
            height, width = rng.integers(20, 40, 2)
            image[0, row : row + height, col : col + width] = 200 + rng.normal(
                0, 3, (height, width)
            )
            image[1:, row : row + height, col : col + width] = 70
            houses.append(box(col, row, col + width, row + height))
    return np.clip(np.rint(image), 0, 255).astype(np.uint8), houses


def write_village(folder, crs="EPSG:32644"):
    """Write the village as an orthophoto with a transparent corner, and its outlines."""
    image, houses = village()
    west, north, pixel = PLACES[crs]
    place = rasterio.Affine(pixel, 0, west, 0, -pixel, north)
    valid = np.full((SIDE, SIDE), 255, np.uint8)
    valid[:40, :30] = 0
    path = folder / "2025-06-01_ortho.tif"
    with rasterio.open(
        path,
        "w",
        driver="GTiff",
        width=SIDE,
        height=SIDE,
        count=4,
        dtype="uint8",
        crs=crs,
        transform=place,
        photometric="RGB",
        alpha="UNSPECIFIED",
    ) as raster:
        raster.write(np.concatenate([image, valid[None]]))
    shapes = [affinity.affine_transform(h, [pixel, 0, 0, -pixel, west, north]) for h in houses]
    return path, gpd.GeoDataFrame(geometry=shapes, crs=crs)


def read(path):
    with rasterio.open(path) as raster:
        assert raster.block_shapes[0] == (512, 512)
        assert raster.overviews(1)
        return raster.read(), raster.dataset_mask() > 0, raster.transform, raster.crs


@pytest.fixture(scope="module", params=list(PLACES))
def pair(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("pair")
    ortho, outlines = write_village(folder, request.param)
    facts = turn_back_file(
        ortho,
        outlines,
        folder / "made",
        seed=4,
        turning=Turning(share=0.4, flown_on=dt.date(2024, 5, 1)),
    )
    return folder / "made", ortho, facts


def in_pixels(path, layer, transform, crs):
    """Return a layer's outlines as (col, row) of a picture."""
    table = gpd.read_file(path / "truth.gpkg", layer=layer).to_crs(crs)
    back = ~transform
    terms = [back.a, back.b, back.d, back.e, back.c, back.f]
    return table, [affinity.affine_transform(shape, terms) for shape in table.geometry]


def burnt(shapes):
    if not shapes:
        return np.zeros((SIDE, SIDE), bool)
    return rasterio.features.rasterize(shapes, out_shape=(SIDE, SIDE)) > 0


def test_the_folder_holds_what_is_promised(pair):
    made, _ortho, facts = pair
    names = sorted(path.name for path in made.iterdir())
    assert names == ["after.tif", "before.tif", "truth.gpkg", "truth.json"]
    assert json.loads((made / "truth.json").read_text(encoding="utf-8")) == facts
    counts = facts["counts"]
    assert counts["appeared"] >= 4
    assert counts["decoys_before"] + counts["decoys_after"] == counts["appeared"]
    assert abs(counts["decoys_before"] - counts["decoys_after"]) <= 1
    assert open_flight(made / "before.tif").flown_on == dt.date(2024, 5, 1)
    assert open_flight(made / "after.tif").flown_on == dt.date(2025, 6, 1)


def test_the_later_picture_is_the_real_one_but_for_its_decoys(pair):
    made, ortho, facts = pair
    after, valid, transform, crs = read(made / "after.tif")
    with rasterio.open(ortho) as raster:
        real, seen = raster.read([1, 2, 3]), raster.dataset_mask() > 0
    assert np.array_equal(valid, seen)
    changed = (after != real).any(axis=0) & seen
    decoys, shapes = in_pixels(made, "decoys", transform, crs)
    later = [s for s, date in zip(shapes, decoys["date"], strict=True) if date == "after"]
    # Margin, lean and skirt of a hole, with a pixel or two for rounding.
    reach = (0.7 + 2.4 + 1.6) / facts["pixel_m"] + 2
    assert later
    assert not (changed & ~burnt([shape.buffer(reach) for shape in later])).any()
    for shape in later:
        assert changed[burnt([shape.buffer(-1)])].mean() > 0.9


def test_decoys_touch_no_building(pair):
    made, _ortho, _facts = pair
    tables = {
        name: gpd.read_file(made / "truth.gpkg", layer=name)
        for name in ("appeared", "standing", "decoys")
    }
    buildings = shapely.union_all([*tables["appeared"].geometry, *tables["standing"].geometry])
    assert len(tables["decoys"]) == len(tables["appeared"])
    assert tables["decoys"].distance(buildings).min() > 0.8
    assert sorted(tables["decoys"]["row"]) == sorted(tables["appeared"]["row"])
    by_row = tables["appeared"].set_index("row")["area_m2"]
    for row, area in zip(tables["decoys"]["row"], tables["decoys"]["area_m2"], strict=True):
        assert area == pytest.approx(by_row[row], rel=0.01)


def test_areas_are_in_true_square_metres(pair):
    made, _ortho, facts = pair
    _image, houses = village()
    table = gpd.read_file(made / "truth.gpkg", layer="appeared")
    for row, area in zip(table["row"], table["area_m2"], strict=True):
        assert area == pytest.approx(houses[row - 1].area * facts["pixel_m"] ** 2, rel=0.01)


def plan_of(facts):
    known = dict(facts["displacement_of_before"])
    known["waves"] = tuple(Wave(**wave) for wave in known["waves"])
    shadow = Shadow(**facts["shadow"])
    return earlier_flight(Displacement(**known), flown_on=None, shadow=shadow, seed=0)


def test_houses_stand_in_the_earlier_picture_where_the_displacement_says(pair):
    made, _ortho, facts = pair
    before, valid, transform, crs = read(made / "before.tif")
    redness = before[0].astype(int) - before[1]
    onto = Transformer.from_crs(CRS.from_wkt(facts["crs_wkt"]), crs, always_xy=True)
    plan, back = plan_of(facts), ~transform

    def shown(shape):
        def move(points):
            dx, dy = displacement(plan, points[:, 0], points[:, 1])
            xs, ys = onto.transform(points[:, 0] + dx, points[:, 1] + dy)
            return np.stack(back @ (np.asarray(xs), np.asarray(ys)), axis=1)

        return shapely.transform(shape, move)

    for layer, there in (("standing", True), ("appeared", False)):
        for shape in gpd.read_file(made / "truth.gpkg", layer=layer).geometry:
            inner = burnt([shown(shape).buffer(-2)]) & valid
            if inner.sum() > 50:
                assert (np.median(redness[inner]) > 40) == there


def test_the_truth_is_the_same_for_the_same_seed(tmp_path):
    ortho, outlines = write_village(tmp_path)
    for name, seed in (("first", 7), ("second", 7), ("other", 8)):
        turn_back_file(ortho, outlines, tmp_path / name, seed=seed)
    for name in ("before.tif", "after.tif", "truth.gpkg", "truth.json"):
        first, second = ((tmp_path / n / name).read_bytes() for n in ("first", "second"))
        assert first == second, name
    first, other = ((tmp_path / n / "before.tif").read_bytes() for n in ("first", "other"))
    assert first != other


@pytest.mark.parametrize("crs", list(PLACES))
def test_a_mark_appears_where_the_displacement_says(crs):
    west, north, pixel = PLACES[crs]
    grid = Grid(
        crs=CRS(crs),
        transform=rasterio.Affine(pixel, 0, west, 0, -pixel, north),
        width=SIDE,
        height=SIDE,
    )
    metric = CRS("EPSG:32644") if crs == "EPSG:32644" else CRS("EPSG:32645")
    to_metres = Transformer.from_crs(grid.crs, metric, always_xy=True)
    x, y = to_metres.transform(*grid.center)
    waves = (Wave(east_m=0.2, north_m=-0.2, length_m=80, bearing_deg=30, phase_deg=10),)
    known = Displacement(
        east_m=4.3,
        north_m=-3.1,
        rotation_deg=0.08,
        scale_ppm=400,
        centre_x=float(x),
        centre_y=float(y),
        waves=waves,
    )
    plan = earlier_flight(known, flown_on=None, shadow=Shadow(down=0, across=0, contrast=0), seed=0)
    warp = Warp(grid, metric, plan, 0.25)
    marks = [(100.0, 120.0), (280.0, 300.5), (431.25, 60.0), (60.0, 470.0)]
    rows, cols = np.mgrid[0:SIDE, 0:SIDE] + 0.5
    image = sum(200 * np.exp(-((cols - c) ** 2 + (rows - r) ** 2) / 18) for c, r in marks)
    picture = type(
        "P",
        (),
        {
            "colour": np.repeat(np.uint8(np.rint(image))[None], 3, 0),
            "valid": np.ones((SIDE, SIDE), bool),
        },
    )
    whole = Window(row=0, col=0, height=SIDE, width=SIDE)
    shown = sample(picture, whole, *warp.maps(whole)).colour[0].astype(float)
    for col, row in marks:
        true_x, true_y = to_metres.transform(*grid.xy(np.array([col]), np.array([row])))
        dx, dy = displacement(plan, true_x, true_y)
        there = to_metres.transform(true_x + dx, true_y + dy, direction="INVERSE")
        c, r = (float(v[0]) for v in grid.colrow(*map(np.asarray, there)))
        near = np.hypot(cols - c, rows - r) < 10
        weight = shown * near
        assert (cols * weight).sum() / weight.sum() == pytest.approx(c, abs=0.1)
        assert (rows * weight).sum() / weight.sum() == pytest.approx(r, abs=0.1)


def test_blocks_are_warped_as_the_whole():
    crs = CRS("EPSG:3857")
    west, north, pixel = PLACES["EPSG:3857"]
    grid = Grid(
        crs=crs,
        transform=rasterio.Affine(pixel, 0, west, 0, -pixel, north),
        width=SIDE,
        height=SIDE,
    )
    plan = earlier_flight(
        Displacement(east_m=2.0), flown_on=None, shadow=Shadow(down=0, across=1, contrast=9), seed=0
    )
    warp = Warp(grid, CRS("EPSG:32645"), plan, 0.25)
    whole = Window(row=0, col=0, height=SIDE, width=SIDE)
    part = Window(row=101, col=57, height=40, width=60)
    for all_of_it, some in zip(warp.maps(whole), warp.maps(part), strict=True):
        assert np.allclose(all_of_it[part.slices_in(whole)], some, rtol=0, atol=1e-9)
    span = span_of(*warp.maps(part))
    assert span.height < 50


def test_light_does_not_depend_on_the_window():
    rng = np.random.default_rng(3)
    image = rng.integers(0, 256, (3, 90, 90), dtype=np.uint8)
    light = draw_relighting(rng)
    whole = Window(row=5, col=9, height=90, width=90)
    part = Window(row=25, col=29, height=50, width=50)
    cut = part.slices_in(whole)
    inner = slice(RELIGHT_HALO_PX, -RELIGHT_HALO_PX)
    once = relight(image, light, whole)[:, *cut][:, inner, inner]
    assert np.array_equal(once, relight(image[:, *cut], light, part)[:, inner, inner])


def test_every_light_does_what_it_says():
    window = Window(row=0, col=0, height=8, width=8)
    leaf = np.repeat(np.array([70, 110, 50], np.uint8)[:, None], 64, 1).reshape(3, 8, 8)
    plain = relight(leaf, Relighting(), window)
    assert relight(leaf, Relighting(exposure=1.3), window).mean() > plain.mean() + 5
    dry = relight(leaf, Relighting(dryness=0.8), window)
    assert dry[0].mean() > plain[0].mean() + 5
    assert relight(leaf, Relighting(haze=0.05), window).min() > plain.min()
    assert np.ptp(relight(leaf, Relighting(saturation=0.5), window), axis=0).max() < 45


def test_hostile_outlines_are_repaired_or_left_out(tmp_path):
    ortho, outlines = write_village(tmp_path)
    good = list(outlines.geometry)
    x, y = good[8].exterior.coords[0]
    bow = shapely.Polygon([(x, y), (x + 9, y + 9), (x + 9, y), (x, y + 9)])
    far = affinity.translate(good[0], 1e6, 0)
    rows = [*good[:8], bow, None, shapely.Point(x, y), far, shapely.Polygon()]
    table = gpd.GeoDataFrame(geometry=rows, crs=outlines.crs).to_crs("EPSG:4326")
    table.to_file(tmp_path / "rows.geojson", driver="GeoJSON")
    facts = turn_back_file(ortho, table, tmp_path / "made", seed=1)
    assert facts["counts"]["outlines"] == 8 + 2
    assert facts["counts"]["repaired_rows"] == 1
    assert facts["counts"]["unusable_rows"] == 3
    assert facts["counts"]["rows_outside_the_picture"] == 1


def hostile(outlines):
    away = outlines.translate(1e5, 0)
    return {
        "no crs": outlines.set_crs(None, allow_override=True),
        "away": gpd.GeoDataFrame(geometry=away, crs=outlines.crs),
        "points": gpd.GeoDataFrame(geometry=outlines.centroid, crs=outlines.crs),
        "empty": outlines.iloc[:0],
        "mislabelled": outlines.set_crs("EPSG:4326", allow_override=True),
        "infinite": gpd.GeoDataFrame(geometry=outlines.scale(1e300, 1e300), crs=outlines.crs),
    }


@pytest.mark.parametrize("kind", ["no crs", "away", "points", "empty", "infinite", "mislabelled"])
def test_unusable_outlines_are_refused_and_nothing_is_written(tmp_path, kind):
    ortho, outlines = write_village(tmp_path)
    given = hostile(outlines)[kind]
    there = sorted(tmp_path.iterdir())
    with pytest.raises(LayerError):
        turn_back_file(ortho, given, tmp_path / "made", seed=1)
    assert sorted(tmp_path.iterdir()) == there


def test_what_is_there_is_not_overwritten(tmp_path):
    ortho, outlines = write_village(tmp_path)
    with pytest.raises(OutputError):
        turn_back_file(ortho, outlines, tmp_path, seed=1)


def test_what_was_repainted_is_told(pair):
    made, ortho, _facts = pair
    after, valid, transform, crs = read(made / "after.tif")
    with rasterio.open(ortho) as raster:
        changed = (after != raster.read([1, 2, 3])).any(axis=0) & valid
    table, shapes = in_pixels(made, "repainted", transform, crs)
    assert list(table.columns) == ["row", "date", "decoy", "area_m2", "geometry"]
    assert set(table.loc[table["date"] == "after", "decoy"]) == {True}
    later = [s for s, date in zip(shapes, table["date"], strict=True) if date == "after"]
    assert not (changed & ~burnt([shape.buffer(0.1) for shape in later])).any()
    gone, _shapes = in_pixels(made, "appeared", transform, crs)
    for row, shape in zip(gone["row"], gone.geometry, strict=True):
        laid = table.loc[(table["row"] == row) & ~table["decoy"]].to_crs(gone.crs).union_all()
        assert shape.intersection(laid).area > 0.99 * shape.area


def test_all_outlines_lie_within_the_picture(tmp_path):
    ortho, outlines = write_village(tmp_path)
    west, north, pixel = PLACES["EPSG:32644"]
    over = box(west - 3, north - 60, west + 6, north - 50)
    table = gpd.GeoDataFrame(geometry=[*outlines.geometry, over], crs=outlines.crs)
    facts = turn_back_file(ortho, table, tmp_path / "made", seed=1, turning=Turning(share=1.0))
    frame = box(west, north - SIDE * pixel, west + SIDE * pixel, north).buffer(1e-6)
    for layer in ("appeared", "standing", "decoys", "repainted"):
        rows = gpd.read_file(tmp_path / "made" / "truth.gpkg", layer=layer)
        assert rows.within(frame).all()
    assert facts["left_standing"]["at_the_edge"] >= 1
    standing = gpd.read_file(tmp_path / "made" / "truth.gpkg", layer="standing")
    (cut,) = standing.loc[standing["row"] == len(table), "area_m2"]
    assert cut == pytest.approx(60, abs=0.1)


def test_reasons_are_counted(tmp_path):
    ortho, outlines = write_village(tmp_path)
    good = list(outlines.geometry)
    twice = [*good, good[0], good[0].buffer(-0.2)]
    table = gpd.GeoDataFrame(geometry=twice, crs=outlines.crs)
    facts = turn_back_file(ortho, table, tmp_path / "made", seed=1, turning=Turning(share=1.0))
    counts, left = facts["counts"], facts["left_standing"]
    assert counts["wanted"] == counts["outlines"] == counts["appeared"] + sum(left.values())
    assert left["outlined_twice"] == 3
    turning = Turning(share=1.0, least_m2=800.0, most_m2=900.0)
    with pytest.raises(LayerError, match=f"{len(twice)} too small"):
        turn_back_file(ortho, table, tmp_path / "none", seed=1, turning=turning)
    assert not (tmp_path / "none").exists()


def test_the_earlier_flight_must_be_earlier(tmp_path):
    ortho, outlines = write_village(tmp_path)
    for day in (dt.date(2025, 6, 1), dt.date(2026, 1, 1)):
        with pytest.raises(SettingsError, match="2025-06-01"):
            turn_back_file(
                ortho, outlines, tmp_path / "made", seed=1, turning=Turning(flown_on=day)
            )


def test_day_and_hour_are_kept(tmp_path):
    ortho, outlines = write_village(tmp_path)
    with rasterio.open(ortho, "r+") as raster:
        raster.update_tags(TIFFTAG_DATETIME="2025:06:01 09:41:07")
    turn_back_file(
        ortho, outlines, tmp_path / "made", seed=1, turning=Turning(flown_on=dt.date(987, 5, 1))
    )
    for name, stamp in (("after", "2025:06:01 09:41:07"), ("before", "0987:05:01 12:00:00")):
        with rasterio.open(tmp_path / "made" / f"{name}.tif") as raster:
            assert raster.tags()["TIFFTAG_DATETIME"] == stamp


def test_a_pixel_of_a_millimetre_is_refused(tmp_path):
    ortho, outlines = write_village(tmp_path)
    with rasterio.open(ortho, "r+") as raster:
        raster.transform = rasterio.Affine(0.001, 0, 500_000, 0, -0.001, 3_000_000)
    with pytest.raises(FlightError, match=r"1\.0 mm"):
        turn_back_file(ortho, outlines, tmp_path / "made", seed=1)


def test_a_picture_without_picture_is_refused(tmp_path):
    ortho, outlines = write_village(tmp_path)
    with rasterio.open(ortho, "r+") as raster:
        raster.colorinterp = [*raster.colorinterp[:3], ColorInterp.alpha]
        raster.write(np.zeros((SIDE, SIDE), np.uint8), 4)
    with pytest.raises(LayerError, match="at the edge of the picture, or of what is valid"):
        turn_back_file(ortho, outlines, tmp_path / "made", seed=1, turning=Turning(share=1.0))


def test_progress_is_told(tmp_path):
    ortho, outlines = write_village(tmp_path)
    told = []
    turn_back_file(
        ortho, outlines, tmp_path / "made", seed=1, progress=lambda *step: told.append(step)
    )
    stages = list(dict.fromkeys(stage for stage, _done, _total in told))
    assert stages == ["looking for shadows", "taking buildings off", "after", "before"]


def test_an_impossible_share_is_refused():
    with pytest.raises(ValueError, match=r"share=1\.5"):
        Turning(share=1.5)


@pytest.mark.real
@pytest.mark.slow
def test_a_real_town_is_turned_back(real_data, tmp_path):
    folder = real_data / "kampala"
    facts = turn_back_file(
        folder / "kampala_ne_z21.tif",
        gpd.read_file(folder / "buildings.geojson"),
        tmp_path / "made",
        seed=1,
    )
    assert facts["counts"]["appeared"] >= 10
    assert facts["shadow"]["contrast"] > 0
    with (
        rasterio.open(tmp_path / "made/after.tif") as after,
        rasterio.open(folder / "kampala_ne_z21.tif") as real,
    ):
        assert np.array_equal(after.dataset_mask() > 0, real.dataset_mask() > 0)
        same = (after.read() == real.read([1, 2, 3])).all(axis=0)
    assert 0.9 < same.mean() < 1.0
