"""Relations to layers as they are read: what their CRS, order and parts must not change."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from shapely import affinity, box

from change.permits import open_permits
from change.suspicion import Circumstances, compare
from survey.grid import Bounds
from survey.settings import Settings
from tests.strategies import CRS_114E, ORIGIN, make_change


class Ground:
    """An area of 300 m."""

    crs = CRS_114E
    bounds = Bounds(left=ORIGIN[0], bottom=ORIGIN[1], right=ORIGIN[0] + 300, top=ORIGIN[1] + 300)


def houses(rng, count=40):
    """Return turned houses on a grid of 40 m, each on ground of its own."""
    for index in range(count):
        x, y = ORIGIN[0] + 20 + 40 * (index % 7), ORIGIN[1] + 20 + 40 * (index // 7)
        width, depth = rng.uniform(6, 18, 2)
        house = box(x - width / 2, y - depth / 2, x + width / 2, y + depth / 2)
        yield affinity.rotate(house, rng.uniform(0, 90))


@pytest.fixture(scope="module")
def scene():
    """Return permits, and changes on, beyond and beside them."""
    rng = np.random.default_rng(5)
    permits = list(houses(rng))
    changes = [
        make_change(
            affinity.translate(
                affinity.scale(permit, rng.uniform(0.8, 1.5), rng.uniform(0.8, 1.5)),
                *rng.normal(0, 2, 2),
            ),
            kind=["building", "annex", "shed", "storey"][index % 4],
            id=str(index),
        )
        for index, permit in enumerate(permits)
    ]
    numbers = [f"粤规建字〔2024〕{index}号" for index in range(len(permits))]
    return gpd.GeoDataFrame({"许可证号": numbers}, geometry=permits, crs=CRS_114E), changes


def told(frame, changes, folder, name="permits.gpkg"):
    frame.to_file(folder / name)
    permits = open_permits(folder / name, area=Ground())
    return compare(changes, permits, Settings(), Circumstances())


def same(some, others, apart_m2):
    assert [item.reason for item in some] == [item.reason for item in others]
    assert [item.permit_number for item in some] == [item.permit_number for item in others]
    for one, other in zip(some, others, strict=True):
        assert one.excess_m2 == pytest.approx(other.excess_m2, abs=apart_m2)


@pytest.mark.parametrize("epsg", [4526, 4490, 4326, 32649, 3857])
def test_reprojection_changes_nothing_beyond_centimetres(scene, tmp_path, epsg):
    """The zone-prefixed twin, degrees of two names, UTM and Web Mercator: centimetres by 60 m."""
    frame, changes = scene
    plain = told(frame, changes, tmp_path)
    assert len({item.reason for item in plain}) >= 3
    same(plain, told(frame.to_crs(epsg), changes, tmp_path, "other.gpkg"), 0.6)


def test_the_order_of_rows_changes_nothing(scene, tmp_path):
    frame, changes = scene
    shuffled = frame.sample(frac=1.0, random_state=3)
    same(told(frame, changes, tmp_path), told(shuffled, changes, tmp_path, "other.gpkg"), 1e-6)


def test_splitting_rows_into_parts_changes_nothing(scene, tmp_path):
    """Parts of one permit share its number, as they do where registers are cut at map sheets."""
    frame, changes = scene
    x = frame.geometry.centroid.x
    west = gpd.GeoSeries([box(c - 100, 0, c, 1e8) for c in x], index=frame.index, crs=frame.crs)
    parts = [frame.geometry.intersection(west), frame.geometry.difference(west)]
    halves = [frame.assign(geometry=part) for part in parts]
    split = gpd.GeoDataFrame(pd.concat(halves, ignore_index=True), crs=frame.crs)
    same(told(frame, changes, tmp_path), told(split, changes, tmp_path, "other.gpkg"), 1e-3)


def test_shifting_layer_and_changes_together_changes_nothing(scene, tmp_path):
    frame, changes = scene
    moved = frame.assign(geometry=frame.translate(7.0, -11.0))
    there = [
        make_change(affinity.translate(c.outline, 7.0, -11.0), kind=c.kind, id=c.id)
        for c in changes
    ]
    same(told(frame, changes, tmp_path), told(moved, there, tmp_path, "other.gpkg"), 1e-3)
