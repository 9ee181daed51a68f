"""Coordinate reference systems: told apart by their coordinates, not by how they are written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyproj import CRS
from pyproj.enums import WktVersion

from survey.crs import (
    describe_crs,
    epsg_code,
    horizontal,
    is_earth,
    same_crs,
    transformer,
    zone_prefixed_twin,
)

ZONE = CRS.from_epsg(4547)
# Guangzhou's plane as bureaus use it: another meridian and origin, on the same ellipsoid.
CITY = CRS("+proj=tmerc +lon_0=113.2833333 +x_0=41000 +y_0=-2329000 +ellps=GRS80 +units=m")
ZONE_WITHOUT_DATUM = CRS("+proj=tmerc +lon_0=114 +k=1 +x_0=500000 +ellps=GRS80 +units=m")


@pytest.mark.parametrize("code", [4547, 4526, 4490, 32650, 2154, 3857, 4326, 2263])
def test_a_crs_is_itself_in_the_words_of_esri(code):
    crs = CRS.from_epsg(code)
    esri = CRS.from_wkt(crs.to_wkt(WktVersion.WKT1_ESRI))
    assert same_crs(crs, esri)
    assert describe_crs(esri) == f"EPSG:{code}"


def test_crs_are_told_apart_by_their_coordinates():
    assert same_crs(ZONE, ZONE_WITHOUT_DATUM)
    assert same_crs(ZONE, CRS("EPSG:4547+5737"))
    assert not same_crs(CITY, ZONE_WITHOUT_DATUM)
    assert not same_crs(ZONE, CRS.from_epsg(4526))
    assert not same_crs(ZONE, CRS.from_epsg(4546))
    assert not same_crs(CRS.from_epsg(4490), CRS.from_epsg(4326))
    assert not same_crs(ZONE, CRS.from_epsg(4490))


def test_a_city_system_is_not_given_a_code():
    assert epsg_code(CITY) is None
    assert describe_crs(CITY).startswith("+proj=tmerc")
    assert epsg_code(horizontal(CRS("EPSG:4547+5737"))) == 4547


@given(st.integers(4513, 4533))
def test_twins_differ_by_the_zone_number_alone(code):
    prefixed = CRS.from_epsg(code)
    twin = zone_prefixed_twin(prefixed)
    assert twin is not None
    assert zone_prefixed_twin(twin) == prefixed
    zone = code - 4488
    x, y = transformer(prefixed, twin).transform(zone * 1e6 + 450_000, 2.5e6)
    assert (x, y) == pytest.approx((450_000, 2.5e6), abs=1e-3)


def test_only_chinese_zones_have_twins():
    assert zone_prefixed_twin(CRS.from_epsg(32649)) is None
    assert zone_prefixed_twin(CITY) is None


def test_the_earth_is_told_from_mars():
    mars = "+proj=eqc +a=3396190 +b=3396190 +units=m"
    assert is_earth(ZONE)
    assert not is_earth(CRS(mars))
