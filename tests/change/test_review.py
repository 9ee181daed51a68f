"""The folder of the review page: what is written, and that nothing in it can break out."""

import hashlib
import json
import math
import re
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest

from change.export.dossier import Profile
from change.export.headings import SLUG_WORDS
from change.export.review import write_review
from change.export.review.wording import PAGE_WORDS
from change.fieldwork import ANSWERS, DISMISSALS, Decision
from survey.errors import SettingsError
from tests.dossiers import HOSTILE, RECORD, made_up

HERE = Path(__file__).parent.parent.parent / "change/export/review"


def written(dossier, tmp_path, **options):
    """Return the folder of the page, and what its data script holds."""
    folder = tmp_path / "review"
    write_review(dossier, folder, **options)
    script = (folder / "data.js").read_text(encoding="utf-8")
    found = re.fullmatch(r"window\.orthowatch = (\{.*\});\n", script, re.DOTALL)
    assert found is not None
    return folder, json.loads(found[1])


def test_everything_the_page_names_lies_beside_it(tmp_path):
    folder, _content = written(made_up(tmp_path, 2), tmp_path)
    page = (folder / "index.html").read_text(encoding="utf-8")
    named = re.findall(r'(?:src|href)="([^"]*)"', page)
    assert all((folder / name).is_file() for name in named)
    present = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert present == {*named, "index.html", "leaflet/LICENSE"}
    assert {path.name for path in (HERE / "js").iterdir()} == {
        name.removeprefix("js/") for name in named if name.startswith("js/")
    }


def test_the_page_asks_nothing_of_a_network(tmp_path):
    folder, _content = written(made_up(tmp_path, 2), tmp_path)
    for path in [folder / "index.html", folder / "style.css", *(folder / "js").iterdir()]:
        text = path.read_text(encoding="utf-8")
        # The name of a namespace is no address, and a pattern for addresses neither.
        addresses = re.findall(r"https?:[^\s\"']*", text.replace("http://www.w3.org/2000/svg", ""))
        assert addresses == (["https:\\/\\/|geo:)/;"] if path.name == "facts.js" else [])
        assert not re.search(r"\b(fetch|XMLHttpRequest|WebSocket|import\()|type=.module", text)


def test_scripts_only_ever_make_text():
    for path in (HERE / "js").iterdir():
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(", text)
        assert "'use strict';" in text


def test_leaflet_is_as_it_was_released():
    """Hashes of leaflet@1.9.4 in the npm registry; lines may end otherwise in a checkout."""
    found = {
        path.name: hashlib.sha256(path.read_bytes().replace(b"\r\n", b"\n")).hexdigest()
        for path in (HERE / "vendor/leaflet").iterdir()
    }
    assert found == {
        "LICENSE": "bbc959aaef7488b38942e7f05cfd1244351f8bce54261951ea17dd7cf60f894b",
        "leaflet.css": "337bfca5cabd03b39815b2700febe2b3b7edf55921c59cd49f88ecb328212303",
        "leaflet.js": "db49d009c841f5ca34a888c96511ae936fd9f5533e90d8b2c4d57596f4e5641a",
    }


def test_data_hold_the_suspects(tmp_path):
    dossier = made_up(tmp_path, 3, pictures=True)
    _folder, content = written(dossier, tmp_path, navigation="geo", pictures="../tiles/")
    assert content["run_id"] == RECORD["run_id"]
    assert content["pictures"] == "../tiles/"
    assert content["answers"] == list(ANSWERS)
    assert content["dismissals"] == list(DISMISSALS)
    assert [item["id"] for item in content["suspects"]] == [item.id for item in dossier.entries]
    for told, entry in zip(content["suspects"], dossier.entries, strict=True):
        assert told["values"]["area_m2"] == entry.values["area_m2"]
        assert told["why"] == {"en": entry.values["why_en"], "zh_CN": entry.values["why_zh"]}
        assert told["link"].startswith(f"geo:{entry.lat:.7f},")
        assert None not in told["values"].values()


def test_outlines_are_in_pixels_of_the_pictures(tmp_path):
    dossier = made_up(tmp_path, 4, pictures=True)
    _folder, content = written(dossier, tmp_path)
    for told, entry in zip(content["suspects"], dossier.entries, strict=True):
        (ring,) = told["outline"]
        corners = np.asarray(entry.outline.exterior.coords)[:-1]
        x = entry.chip.left + np.asarray(ring)[:, 0] * entry.chip.pixel_m
        y = entry.chip.top - np.asarray(ring)[:, 1] * entry.chip.pixel_m
        assert np.allclose(np.column_stack([x, y]), corners, atol=0.06 * entry.chip.pixel_m)


def test_a_suspect_without_pictures_is_drawn_whole(tmp_path):
    _folder, content = written(made_up(tmp_path, 5), tmp_path)
    for told in content["suspects"]:
        ring = np.asarray(told["outline"][0])
        assert told["roles"] == []
        assert ring.min() >= 0
        assert ring.max() <= told["side_px"]


def test_all_words_are_there_in_every_language(tmp_path):
    _folder, content = written(made_up(tmp_path, 1), tmp_path)
    assert list(content["words"]) == ["en", "zh_CN"]
    for words in content["words"].values():
        assert set(words["page"]) == set(PAGE_WORDS)
        assert {name: set(told) for name, told in words["slugs"].items()} == {
            name: set(told) for name, told in SLUG_WORDS.items()
        }
        assert set(content["columns"]) <= set(words["columns"])
    assert content["words"]["en"]["page"] == PAGE_WORDS


def test_every_word_the_scripts_ask_for_is_there():
    page = (HERE / "index.html").read_text(encoding="utf-8")
    asked = set(re.findall(r'data-(?:word|label|placeholder)="(\w+)"', page))
    for path in (HERE / "js").iterdir():
        text = path.read_text(encoding="utf-8")
        asked |= set(re.findall(r"\bword\('(\w+)'", text))
        asked |= set(re.findall(r"\], '(\w+)'\],", text))
    # These are chosen between in the script: after a condition, or by a role.
    chosen = {"language", "before", "after", "flight", "none_shown", "none_at_all", "broken"}
    assert asked | chosen == set(PAGE_WORDS)


def test_the_page_opens_in_the_language_asked_for(tmp_path):
    folder, content = written(made_up(tmp_path, 1), tmp_path, language="zh_CN")
    assert content["language"] == "zh_CN"
    assert '<html lang="zh-CN">' in (folder / "index.html").read_text(encoding="utf-8")


def test_an_unknown_language_is_refused(tmp_path):
    with pytest.raises(SettingsError, match="tlh"):
        write_review(made_up(tmp_path, 1), tmp_path / "review", language="tlh")
    assert not (tmp_path / "review").exists()


def test_same_inputs_same_bytes(tmp_path):
    written_twice = []
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
        folder, _content = written(made_up(tmp_path / name, 3), tmp_path / name)
        files = sorted(path for path in folder.rglob("*") if path.is_file())
        written_twice.append([(path.relative_to(folder), path.read_bytes()) for path in files])
    assert written_twice[0] == written_twice[1]


def test_hostile_texts_stay_inside_the_data(tmp_path):
    folder, content = written(made_up(tmp_path, len(HOSTILE), texts=HOSTILE), tmp_path)
    script = (folder / "data.js").read_text(encoding="utf-8")
    assert not set("<>&\u2028\u2029\x00\x0b") & set(script)
    assert len(script.splitlines()) == 1
    told = [item["values"].get("community", "") for item in content["suspects"]]
    assert told[0] == HOSTILE[0]
    assert told[HOSTILE.index("a\x00b\x0bc")] == "a\ufffdb\ufffdc"
    longest = told[[len(text) for text in HOSTILE].index(10_000)]
    assert longest == "长" * 1999 + "…"


def test_text_that_is_no_text_is_written_all_the_same(tmp_path):
    dossier = made_up(tmp_path, 1, texts=("\ud800 \u2028 x",))
    _folder, content = written(dossier, tmp_path)
    assert content["suspects"][0]["values"]["township"] == "\ufffd \u2028 x"


def test_values_of_other_types_are_told_as_json_has_them(tmp_path):
    dossier = made_up(tmp_path, 1, pictures=True)
    (entry,) = dossier.entries
    values = {**entry.values, "flown_before": datetime(2025, 3, 15), "score": math.nan}  # noqa: DTZ001
    flat = Profile(distance_m=(0.0, 1.0), before_m=(math.nan, None), after_m=(1.004, 2.0))
    entry = replace(entry, values=values, chip=replace(entry.chip, profile=flat))
    _folder, content = written(dossier.only([entry]), tmp_path)
    (told,) = content["suspects"]
    assert told["values"]["flown_before"] == "2025-03-15"
    assert "score" not in told["values"]
    assert told["profile"]["before_m"] == [None, None]
    assert told["profile"]["after_m"] == [1.0, 2.0]


def test_decisions_go_along(tmp_path):
    dossier = made_up(tmp_path, 2)
    said = Decision(id=dossier.entries[0].id, answer="dismissed", dismissal="shadow", by="Li")
    _folder, content = written(dossier.decided({said.id: said}), tmp_path)
    first, second = content["suspects"]
    assert first["decision"]["dismissal"] == "shadow"
    assert "decision" not in second


def test_a_run_without_alignment_or_days(tmp_path):
    dossier = made_up(tmp_path, 1)
    flights = {"before": {"name": "one.tif", "flown_on": None}}
    record = {**{k: v for k, v in RECORD.items() if k != "alignment"}, "flights": flights}
    _folder, content = written(replace(dossier, record=record), tmp_path)
    assert content["alignment"] is None
    assert content["flights"] == {"before": {"name": "one.tif", "flown_on": None}}
