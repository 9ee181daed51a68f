"""The report of a run: everything is in it, nothing is fetched, no value is anything but text."""

import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from PIL import Image

from change.export.run_page import write_run_page
from tests.dossiers import HOSTILE, RECORD, made_up

ALLOWED = {"script": 0, "iframe": 0, "object": 0, "link": 0, "form": 0}
FULL = {
    "changes": 9,
    "judged_m2": 39609.4,
    "excluded_m2": 650.0,
    "permits": {"read": 70, "flawed_rows": [{}]},
    "heights": None,
}


class Seen(HTMLParser):
    """Collects tags, attributes and text."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.attributes, self.text = [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.attributes += attributes

    def handle_data(self, data):
        self.text.append(data)


def page(dossier, path, excluded=None, pictures=(), **record):
    told = replace(dossier, record={**RECORD, **FULL, **record})
    write_run_page(path, told, pictures, excluded or {})
    return path.read_text(encoding="utf-8")


def test_it_tells_what_was_found_and_what_was_not_looked_at(tmp_path):
    dossier = made_up(tmp_path, 30, pictures=True)
    said = page(dossier, tmp_path / "r.html", {"no_overlap": 640.0, "uncertain": 10.0})
    text = " ".join(Seen(said).text)
    assert "The alignment of the two flights is verified." in text
    for part in ("30", "70", "one flight does not cover it", "640 m²", "a" * 64):
        assert part in text
    assert said.count("data:image/jpeg;base64,") == 24, "the first twelve, before and after"
    for township in ("东风镇", "河西街道", "北岭镇"):
        assert township in text


def test_large_pictures_are_taken_in(tmp_path):
    Image.new("RGB", (40, 30), (9, 9, 9)).save(tmp_path / "o.png")
    pictures = [("Before and after", "a note", tmp_path / "o.png")]
    said = page(made_up(tmp_path, 2), tmp_path / "r.html", pictures=pictures)
    assert "a note" in said
    assert said.count("data:image/jpeg;base64,") == 1


@pytest.mark.parametrize("verdict", ["unverified", "refused"])
def test_a_doubtful_alignment_is_the_first_thing_said(tmp_path, verdict):
    alignment = {"verdict": verdict, "why": "no window agrees"}
    said = page(made_up(tmp_path, 1), tmp_path / "r.html", alignment=alignment)
    assert f'class="verdict {verdict}"' in said
    assert said.index("no window agrees") < said.index("<table>")


def test_nothing_is_fetched_and_no_value_becomes_markup(tmp_path):
    dossier = made_up(tmp_path, len(HOSTILE), pictures=True, texts=HOSTILE)
    said = page(dossier, tmp_path / "r.html", assumptions=list(HOSTILE))
    seen = Seen(said)
    assert {tag: seen.tags.count(tag) for tag in ALLOWED} == ALLOWED
    assert not [name for name, _value in seen.attributes if name.startswith("on")]
    sources = [value for name, value in seen.attributes if name in ("src", "href")]
    assert all(source.startswith("data:image/jpeg;base64,") for source in sources)
    policy = [value for name, value in seen.attributes if name == "content"]
    assert any(value.startswith("default-src 'none'; img-src data:") for value in policy)
    assert HOSTILE[0] in "".join(seen.text)


def test_an_inventory_tells_of_one_flight(tmp_path):
    record = {"standing": 12, "standing_m2": 900.0, "empty_permits": 3, "changes": None}
    dossier = made_up(tmp_path, 3)
    one = {**RECORD, **FULL, **record, "flight": RECORD["flights"]["after"]}
    told = {name: value for name, value in one.items() if name not in ("flights", "alignment")}
    write_run_page(tmp_path / "r.html", replace(dossier, record=told), (), {"not_seen": 5.0})
    said = (tmp_path / "r.html").read_text(encoding="utf-8")
    assert "What stands, and what no permit covers" in said
    assert "permits without a building" in said
    assert "the flight shows nothing there" in said
    assert re.search(r"2025-12-13_ortho\.tif", said)


def test_nobody_is_suspected(tmp_path):
    said = page(made_up(tmp_path, 0), tmp_path / "r.html")
    assert "The most severe from near" not in said
    assert "All of the ground that was to be looked at was judged." in said
