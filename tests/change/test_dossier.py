"""Dossiers: the same from memory and from disk, and nothing believed that a file says."""

import json

import pytest

from change.export.dossier import CHIP_INDEX, CHIPS, make_dossier, open_dossier
from change.fieldwork import Decision
from survey.errors import LayerError
from tests.dossiers import HOSTILE, RECORD, draw_chips, made_up, suspects


def test_entries_are_numbered_and_lie_where_their_outlines_do(tmp_path):
    dossier = made_up(tmp_path, 7)
    assert [item.number for item in dossier.entries] == list(range(1, 8))
    for item in dossier.entries:
        assert 113.0 < item.lon < 115.0
        assert 22.0 < item.lat < 24.0
        assert item.picture("before", marked=True) is None
    assert dossier.run_id == RECORD["run_id"]


def test_what_is_unknown_is_none_and_numbers_are_numbers(tmp_path):
    for item in made_up(tmp_path, 12).entries:
        for name, value in item.values.items():
            assert value is None or isinstance(value, str | float | int), name


def test_pictures_are_found_by_role(tmp_path):
    dossier = made_up(tmp_path, 3, pictures=True)
    for item in dossier.entries:
        for role in ("before", "after"):
            for marked in (True, False):
                assert (tmp_path / item.picture(role, marked=marked)).is_file()
        assert item.picture("between", marked=True) is None
        assert item.chip.profile.before_m[2] is None


@pytest.mark.parametrize("name", ["../../etc/passwd", "", "A" * 12, "a" * 11, "a" * 13, None, 7])
def test_an_id_that_could_be_another_file_is_refused(tmp_path, name):
    frame = suspects(2)
    frame["id"] = frame["id"].astype(object)
    frame.loc[1, "id"] = name
    with pytest.raises(LayerError, match="no id of a suspect"):
        make_dossier(frame, RECORD, tmp_path)


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "{}", '{"chips": 1}', '{"chips": {"a": {}}}', '{"chips": {"a": 1}}']
)
def test_a_damaged_index_is_told(tmp_path, text):
    frame = suspects(2)
    draw_chips(frame, tmp_path)
    (tmp_path / CHIPS / CHIP_INDEX).write_text(text, encoding="utf-8")
    with pytest.raises(LayerError, match="cannot be read"):
        make_dossier(frame, RECORD, tmp_path)


def test_a_role_nobody_has_is_no_path(tmp_path):
    frame = suspects(1)
    draw_chips(frame, tmp_path)
    path = tmp_path / CHIPS / CHIP_INDEX
    told = json.loads(path.read_text(encoding="utf-8"))
    told["chips"][frame["id"][0]]["roles"] = ["before", "../../x"]
    path.write_text(json.dumps(told), encoding="utf-8")
    assert make_dossier(frame, RECORD, tmp_path).entries[0].chip.roles == ("before",)


def test_decisions_and_choices_make_another_dossier(tmp_path):
    dossier = made_up(tmp_path, 5)
    sure = dossier.entries[2].id
    decided = dossier.decided({sure: Decision(id=sure, answer="confirmed")})
    assert [item.decision is not None for item in decided.entries] == [
        False,
        False,
        True,
        *[False] * 2,
    ]
    assert dossier.entries[2].decision is None
    assert [item.id for item in decided.only(decided.entries[2:3]).entries] == [sure]


def test_hostile_texts_come_through_as_they_are(tmp_path):
    told = [
        item.values["township"] for item in made_up(tmp_path, len(HOSTILE), texts=HOSTILE).entries
    ]
    assert tuple(told) == HOSTILE


def test_no_folder_of_results(tmp_path):
    with pytest.raises(LayerError, match="not a folder of results"):
        open_dossier(tmp_path)
    (tmp_path / "run.json").write_text(json.dumps(RECORD | {"outputs": ["suspects.geojson"]}))
    with pytest.raises(LayerError, match="not a folder of results"):
        open_dossier(tmp_path)
    (tmp_path / "run.json").write_text(json.dumps(RECORD | {"outputs": ["results.gpkg"]}))
    with pytest.raises(LayerError, match=r"results\.gpkg"):
        open_dossier(tmp_path)
