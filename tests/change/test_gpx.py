"""Waypoints, read back by GDAL and held against the order the schema asks for."""

import xml.etree.ElementTree as ET
from dataclasses import replace

import numpy as np
import pyogrio
import pytest

from change.export.gpx import write_gpx
from change.export.table import ListStyle
from tests.dossiers import HOSTILE, made_up

ENGLISH = ListStyle(languages=("en",), navigation="amap", pictures=True)
NAMESPACE = "{http://www.topografix.com/GPX/1/1}"
# The sequence of wptType in gpx.xsd, version 1.1.
SEQUENCE = [
    "ele",
    "time",
    "magvar",
    "geoidheight",
    "name",
    "cmt",
    "desc",
    "src",
    "link",
    "sym",
    "type",
    "fix",
    "sat",
    "hdop",
    "vdop",
    "pdop",
    "ageofdgpsdata",
    "dgpsid",
    "extensions",
]


def written(dossier, folder, style=ENGLISH) -> ET.Element:
    write_gpx(dossier, folder / "suspects.gpx", style)
    return ET.parse(folder / "suspects.gpx").getroot()


def test_gdal_reads_the_ids_and_places(tmp_path):
    dossier = made_up(tmp_path, 40)
    written(dossier, tmp_path)
    frame = pyogrio.read_dataframe(tmp_path / "suspects.gpx", layer="waypoints")
    assert [name.split()[1] for name in frame["name"]] == [entry.id for entry in dossier.entries]
    assert list(frame["type"]) == [entry.values["reason"] for entry in dossier.entries]
    places = [(entry.lon, entry.lat) for entry in dossier.entries]
    assert np.allclose(np.c_[frame.geometry.x, frame.geometry.y], places, atol=1e-7, rtol=0)
    assert frame.crs.to_epsg() == 4326
    assert frame["link1_href"].str.contains("coordinate=wgs84").all()


@pytest.mark.parametrize("texts", [(), HOSTILE])
def test_order_of_the_schema(tmp_path, texts):
    root = written(made_up(tmp_path, len(HOSTILE), texts=texts), tmp_path)
    assert root.tag == f"{NAMESPACE}gpx"
    assert (root.get("version"), root.get("creator")) == ("1.1", "orthowatch")
    parts = [part.tag.removeprefix(NAMESPACE) for part in root]
    assert parts == ["metadata"] + ["wpt"] * len(HOSTILE)
    assert [part.tag.removeprefix(NAMESPACE) for part in root[0]] == ["name", "bounds"]
    for waypoint in root[1:]:
        tags = [part.tag.removeprefix(NAMESPACE) for part in waypoint]
        assert tags == sorted(tags, key=SEQUENCE.index)
        assert len(set(tags)) == len(tags)
        assert -90 <= float(waypoint.get("lat")) <= 90
        assert -180 <= float(waypoint.get("lon")) < 180


def test_hostile_text_is_text(tmp_path):
    root = written(made_up(tmp_path, len(HOSTILE), texts=HOSTILE), tmp_path)
    assert {part.tag.removeprefix(NAMESPACE) for part in root.iter()} == {
        "gpx", "metadata", "bounds", "wpt", "name", "desc", "link", "type",
    }  # fmt: skip
    told = [waypoint.findtext(f"{NAMESPACE}desc") for waypoint in root[1:]]
    assert "<script>alert(1)</script>" in told[0]
    assert all(len(text) <= 1000 for text in told)


def test_what_a_handheld_shows(tmp_path):
    root = written(made_up(tmp_path, 2), tmp_path)
    desc = root[2].findtext(f"{NAMESPACE}desc").splitlines()
    assert desc[:3] == [
        "kind: shed",
        "relation to the permit: grown beyond its permit",
        "area (m²): 116.3",
    ]
    assert desc[-1].startswith("No permit covers this")


def test_nobody_asked_for_links(tmp_path):
    root = written(made_up(tmp_path, 2), tmp_path, replace(ENGLISH, navigation="none"))
    assert not list(root.iter(f"{NAMESPACE}link"))


def test_no_suspects(tmp_path):
    root = written(made_up(tmp_path, 1).only([]), tmp_path)
    assert [part.tag for part in root] == [f"{NAMESPACE}metadata"]


def test_the_same_bytes_each_time(tmp_path):
    dossier = made_up(tmp_path, 5)
    for name in ("one", "other"):
        write_gpx(dossier, tmp_path / name, ENGLISH)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "other").read_bytes()
