"""The file for phones, read back by GDAL, the zip module and an HTML parser."""

import xml.etree.ElementTree as ET
from dataclasses import replace
from html.parser import HTMLParser
from zipfile import ZIP_STORED, ZipFile

import geopandas as gpd
import pyogrio
import pytest
import shapely
from shapely import Polygon

from change.export.kmz import write_kmz
from change.export.table import ListStyle
from tests.dossiers import HOSTILE, made_up

ENGLISH = ListStyle(languages=("en",), navigation="amap", pictures=True)
KML = "{http://www.opengis.net/kml/2.2}"
# The sequences of ogckml22.xsd, as far as they are used.
SEQUENCES = {
    "Document": ["name", "open", "Style", "Folder"],
    "Folder": ["name", "Placemark"],
    "Placemark": ["name", "Snippet", "description", "styleUrl", "ExtendedData", "MultiGeometry"],
    "Style": ["IconStyle", "LabelStyle", "LineStyle", "PolyStyle", "BalloonStyle"],
    "IconStyle": ["color", "scale", "Icon"],
    "LineStyle": ["color", "width"],
    "Polygon": ["tessellate", "outerBoundaryIs", "innerBoundaryIs"],
}


class Shown(HTMLParser):
    """What a balloon shows: its tags with their attributes, and its text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags, self.links, self.sources, self.text = set(), [], [], ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        values = dict(attrs)
        assert not [name for name in values if name.startswith("on")]
        self.links += [values["href"]] if "href" in values else []
        self.sources += [values["src"]] if "src" in values else []

    def handle_data(self, data):
        self.text += data


def written(dossier, folder, style=ENGLISH) -> ET.Element:
    write_kmz(dossier, folder / "suspects.kmz", style)
    with ZipFile(folder / "suspects.kmz") as packed:
        assert packed.testzip() is None
        assert packed.namelist()[0] == "doc.kml"
        return ET.fromstring(packed.read("doc.kml"))


def placemarks(root: ET.Element) -> list[ET.Element]:
    return list(root.iter(f"{KML}Placemark"))


def balloons(root: ET.Element) -> list[Shown]:
    return [Shown(item.findtext(f"{KML}description")) for item in placemarks(root)]


def read_by_gdal(path) -> dict[str, gpd.GeoDataFrame]:
    layers = [name for name, _kind in pyogrio.list_layers(path)]
    return {name: pyogrio.read_dataframe(path, layer=name) for name in layers}


def test_gdal_reads_ids_slugs_and_outlines(tmp_path):
    dossier = made_up(tmp_path, 30)
    written(dossier, tmp_path)
    frames = read_by_gdal(tmp_path / "suspects.kmz")
    assert set(frames) == {"东风镇", "河西街道", "北岭镇"}
    entries = {entry.id: entry for entry in dossier.entries}
    for township, frame in frames.items():
        for told in frame.to_crs(dossier.crs).itertuples():
            entry = entries.pop(told.id)
            assert told.Name == f"{entry.number} {entry.id}"
            assert (told.kind, told.reason) == (entry.values["kind"], entry.values["reason"])
            assert float(told.area_m2) == entry.values["area_m2"]
            assert entry.values["township"] == township
            place, outline = told.geometry.geoms
            assert entry.outline.contains(place)
            assert entry.outline.hausdorff_distance(outline) < 0.02
    assert not entries


def test_order_of_the_schema(tmp_path):
    root = written(made_up(tmp_path, 6, pictures=True), tmp_path)
    for tag, sequence in SEQUENCES.items():
        for part in root.iter(f"{KML}{tag}"):
            tags = [child.tag.removeprefix(KML) for child in part]
            assert tags == sorted(tags, key=sequence.index)
    looks = {part.get("id") for part in root.iter(f"{KML}Style")}
    assert {item.findtext(f"{KML}styleUrl")[1:] for item in placemarks(root)} <= looks
    ids = [part.get("id") for part in root.iter() if part.get("id")]
    assert len(set(ids)) == len(ids)


def test_outer_rings_run_counter_clockwise_and_courts_stay_open(tmp_path):
    dossier = made_up(tmp_path, 1)
    left, bottom, right, top = 537_000, 2_556_000, 537_030, 2_556_030
    outer = [(left, bottom), (left, top), (right, top), (right, bottom)]
    court = [(left + 10, bottom + 10), (right - 10, bottom + 10), (right - 10, top - 10)]
    entry = replace(dossier.entries[0], outline=Polygon(outer, [court]))
    root = written(dossier.only([entry]), tmp_path)
    rings = [
        [tuple(map(float, pair.split(","))) for pair in ring.findtext(f"{KML}coordinates").split()]
        for ring in root.iter(f"{KML}LinearRing")
    ]
    assert [shapely.LinearRing(ring).is_ccw for ring in rings] == [True, False]
    assert all(ring[0] == ring[-1] for ring in rings)


def test_pictures_stand_in_the_file_and_in_the_balloons(tmp_path):
    dossier = made_up(tmp_path, 4, pictures=True)
    missing = dossier.entries[1].picture("before", marked=True)
    (tmp_path / missing).unlink()
    root = written(dossier, tmp_path)
    with ZipFile(tmp_path / "suspects.kmz") as packed:
        held = {info.filename: info for info in packed.infolist()}
        for entry in dossier.entries:
            name = f"files/{entry.id}_after.jpg"
            source = tmp_path / entry.picture("after", marked=True)
            assert packed.read(name) == source.read_bytes()
            assert held[name].compress_type == ZIP_STORED
    used = {source for balloon in balloons(root) for source in balloon.sources}
    used |= {href.text for href in root.iter(f"{KML}href")}
    assert used == set(held) - {"doc.kml"}
    assert len(used) == 8


def test_without_pictures(tmp_path):
    style = replace(ENGLISH, pictures=False, navigation="none")
    root = written(made_up(tmp_path, 3, pictures=True), tmp_path, style)
    with ZipFile(tmp_path / "suspects.kmz") as packed:
        assert packed.namelist() == ["doc.kml", "files/dot.png"]
    assert all("img" not in balloon.tags and not balloon.links for balloon in balloons(root))


@pytest.mark.parametrize("pictures", [False, True])
def test_hostile_text_is_text(tmp_path, pictures):
    texts = (*HOSTILE, "$[id]", "&lt;script&gt;", "\ud800")
    dossier = made_up(tmp_path, len(texts), pictures=pictures, texts=texts)
    root = written(dossier, tmp_path)
    found = balloons(root)
    assert {tag for balloon in found for tag in balloon.tags} <= {
        "table", "tr", "th", "td", "br", "p", "a", "div", "img",
    }  # fmt: skip
    assert all(link.startswith("https://uri.amap.com/") for b in found for link in b.links)
    assert all(source.startswith("files/") for b in found for source in b.sources)
    told = "".join(balloon.text for balloon in found)
    assert "<script>alert(1)</script>" in told
    assert "&lt;script&gt;" in told
    # A viewer would put an attribute in its place.
    assert all("$[" not in item.findtext(f"{KML}description") for item in placemarks(root))
    assert not list(root.iter(f"{KML}script"))
    frames = read_by_gdal(tmp_path / "suspects.kmz").values()
    assert sum(map(len, frames)) == len(texts)


def test_no_suspects(tmp_path):
    assert placemarks(written(made_up(tmp_path, 1).only([]), tmp_path)) == []


def test_the_same_bytes_each_time(tmp_path):
    dossier = made_up(tmp_path, 5, pictures=True)
    for name in ("one", "other"):
        write_kmz(dossier, tmp_path / name, ENGLISH)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "other").read_bytes()
    with ZipFile(tmp_path / "one") as packed:
        assert {info.date_time for info in packed.infolist()} == {(2025, 12, 13, 0, 0, 0)}
