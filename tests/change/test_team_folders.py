"""Team folders: everybody gets theirs, nobody what was dismissed."""

import csv
import json
from dataclasses import replace
from pathlib import Path

import openpyxl
import pytest

from change.export.handouts import FORMS, HandoutStyle
from change.export.team_folders import Order, require_free_teams, write_team_folders
from change.fieldwork import Decision
from survey.errors import OutputError
from survey.settings import ExportSettings
from tests.dossiers import HOSTILE, made_up

FAST = ("csv", "gpx")


def order(**other):
    told = {"forms": FAST, "style": HandoutStyle(settings=ExportSettings(language="en"))}
    return Order(**(told | other))


@pytest.fixture
def dossier(tmp_path):
    (tmp_path / "result").mkdir()
    return made_up(tmp_path / "result", 12, pictures=True)


def ids(path):
    with path.open(encoding="utf-8-sig", newline="") as stream:
        rows = list(csv.reader(stream))
    known = {f"{n:012x}" for n in range(12)}
    return [cell for row in rows for cell in row if cell in known]


def test_every_unit_gets_its_own_and_all_are_there(dossier, tmp_path):
    written = write_team_folders(dossier, tmp_path / "out", order(by="township"))
    folders = [path for path in written if path.is_dir()]
    assert len(folders) == 3
    told = {item.id: item.values["township"] for item in dossier.entries}
    seen = []
    for folder in folders:
        mine = ids(folder / "inspection.csv")
        assert len({told[name] for name in mine}) == 1
        assert folder.name.endswith(told[mine[0]])
        pictures = {path.name.partition("_")[0] for path in (folder / "chips").glob("*.jpg")}
        assert pictures == set(mine)
        seen += mine
    assert sorted(seen) == sorted(told)
    record = json.loads((tmp_path / "out" / "export.json").read_text(encoding="utf-8"))
    assert sorted(name for names in record["folders"].values() for name in names) == sorted(told)


def test_the_round_is_no_longer_than_the_order_of_severity(dossier, tmp_path):
    write_team_folders(dossier, tmp_path / "out", order())
    places = {item.id: item.outline.centroid for item in dossier.entries}

    def length(names):
        return sum(
            places[one].distance(two)
            for one, two in zip(names, [places[n] for n in names[1:]], strict=False)
        )

    walked = ids(tmp_path / "out" / "inspection.csv")
    assert sorted(walked) == sorted(places)
    assert length(walked) <= length([item.id for item in dossier.entries])


def test_what_was_dismissed_is_left_out_and_kept(dossier, tmp_path):
    gone, sure = dossier.entries[3].id, dossier.entries[4].id
    decisions = {
        gone: Decision(id=gone, answer="dismissed", dismissal="shadow", note="a tree's shadow"),
        sure: Decision(id=sure, answer="confirmed", by="Li"),
    }
    write_team_folders(dossier, tmp_path / "out", order(decisions=decisions))
    assert gone not in ids(tmp_path / "out" / "inspection.csv")
    assert ids(tmp_path / "out" / "dismissed.csv") == [gone]
    assert "a tree's shadow" in (tmp_path / "out" / "dismissed.csv").read_text("utf-8-sig")
    assert "confirmed" in (tmp_path / "out" / "inspection.csv").read_text("utf-8-sig")
    record = json.loads((tmp_path / "out" / "export.json").read_text(encoding="utf-8"))
    assert record["dismissed"] == {gone: {"reason": "shadow", "note": "a tree's shadow"}}


def test_every_form_can_be_handed_out(dossier, tmp_path):
    write_team_folders(dossier, tmp_path / "out", order(forms=FORMS))
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert names == {
        *("chips", "export.json", "inspection.csv", "inspection.xlsx", "review", "sheets.html"),
        *("sheets.pdf", "suspects.gpx", "suspects.kmz"),
    }
    book = openpyxl.load_workbook(tmp_path / "out" / "inspection.xlsx")
    assert book.worksheets[0].max_row >= 13


def test_again_replaces_what_was_ours_and_drops_units_that_are_done(dossier, tmp_path):
    out = tmp_path / "out"
    write_team_folders(dossier, out, order(by="township"))
    first = {path.name for path in out.iterdir()}
    left = [item for item in dossier.entries if item.values["township"] == "东风镇"]
    write_team_folders(dossier.only(left), out, order(by="township"))
    second = {path.name for path in out.iterdir()}
    assert len(first) == 4
    assert second == {"1_东风镇", "export.json"}


def test_somebody_elses_folder_is_left_alone(dossier, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "notes.txt").write_text("mine")
    with pytest.raises(OutputError, match="not written by orthowatch"):
        write_team_folders(dossier, tmp_path / "out", order())
    with pytest.raises(OutputError, match="the results themselves"):
        require_free_teams(dossier.folder, dossier.folder)
    with pytest.raises(OutputError, match="is a file"):
        require_free_teams(tmp_path / "out" / "notes.txt", dossier.folder)
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["notes.txt"]


def test_names_of_units_cannot_leave_the_folder(tmp_path):
    (tmp_path / "result").mkdir()
    dossier = made_up(tmp_path / "result", len(HOSTILE) + 1, texts=(*HOSTILE, "../../up"))
    write_team_folders(dossier, tmp_path / "out", order(by="township"))
    assert {path.name for path in tmp_path.iterdir()} == {"result", "out"}
    for path in (tmp_path / "out").iterdir():
        assert path.name == "export.json" or path.name[0].isdigit()
        assert len(path.name.encode()) < 255
    assert any("unassigned" in path.name for path in (tmp_path / "out").iterdir())


def test_no_suspects_at_all(dossier, tmp_path):
    nobody = replace(dossier, entries=())
    write_team_folders(nobody, tmp_path / "out", order(forms=FORMS))
    write_team_folders(nobody, tmp_path / "by", order(by="team"))
    assert (tmp_path / "out" / "review" / "index.html").is_file()
    assert [path.name for path in (tmp_path / "by").iterdir()] == ["export.json"]


@pytest.mark.parametrize(
    "outputs",
    [[".."], ["."], [""], ["/"], ["mine"], ["../../mine"], None, 5, [5], [["a"]], ["a\0b"]],
)
def test_a_record_that_lies_deletes_nothing(dossier, tmp_path, outputs):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "precious.txt").write_text("mine")
    (tmp_path / "out" / "mine").mkdir(parents=True)
    (tmp_path / "out" / "mine" / "precious.txt").write_text("mine")
    told = {"generator": "orthowatch", "outputs": outputs}
    (tmp_path / "out" / "export.json").write_text(json.dumps(told))
    write_team_folders(dossier, tmp_path / "out", order())
    assert (tmp_path / "mine" / "precious.txt").is_file()
    assert (tmp_path / "out" / "mine" / "precious.txt").is_file()
    assert (tmp_path / "out" / "inspection.csv").is_file()
    assert (tmp_path / "result").is_dir()


def contents(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("by", [None, "township"])
def test_a_list_that_somebody_filled_in_is_never_replaced(dossier, tmp_path, by):
    write_team_folders(dossier, tmp_path / "out", order(by=by))
    filled = next((tmp_path / "out").rglob("inspection.csv"))
    filled.write_bytes(filled.read_bytes() + b"confirmed")
    before = contents(tmp_path / "out")
    for again in (order(by=by), order(by="team")):
        with pytest.raises(OutputError, match=r"inspection\.csv: was changed"):
            write_team_folders(dossier, tmp_path / "out", again)
    assert contents(tmp_path / "out") == before


def test_a_photo_in_a_units_folder_is_never_lost(dossier, tmp_path):
    write_team_folders(dossier, tmp_path / "out", order(by="township"))
    unit = next(path for path in (tmp_path / "out").iterdir() if path.is_dir())
    (unit / "photo.jpg").write_bytes(b"mine")
    before = contents(tmp_path / "out")
    with pytest.raises(OutputError, match=r"photo\.jpg: is not ours"):
        write_team_folders(dossier, tmp_path / "out", order(by="township"))
    assert contents(tmp_path / "out") == before


def test_a_file_of_somebody_else_is_not_overwritten_by_another_form(dossier, tmp_path):
    write_team_folders(dossier, tmp_path / "out", order())
    (tmp_path / "out" / "sheets.html").write_text("mine")
    with pytest.raises(OutputError, match=r"sheets\.html: exists"):
        write_team_folders(dossier, tmp_path / "out", order(forms=("html",)))
    assert (tmp_path / "out" / "sheets.html").read_text() == "mine"


def test_a_failure_in_the_midst_leaves_the_earlier_export(dossier, tmp_path, monkeypatch):
    write_team_folders(dossier, tmp_path / "out", order(by="township"))
    before = contents(tmp_path / "out")
    real, calls = Path.rename, []

    def fail(self, target):
        calls.append(self)
        if len(calls) == 4:
            raise OSError(28, "No space left on device")
        return real(self, target)

    monkeypatch.setattr(Path, "rename", fail)
    with pytest.raises(OutputError, match="No space left"):
        write_team_folders(dossier, tmp_path / "out", order(by="township", forms=("gpx",)))
    assert contents(tmp_path / "out") == before


def test_the_drafts_of_a_killed_export_stand_in_nobodys_way(dossier, tmp_path):
    (tmp_path / "out" / ".orthowatch-abc").mkdir(parents=True)
    write_team_folders(dossier, tmp_path / "out", order())
    assert (tmp_path / "out" / "inspection.csv").is_file()
