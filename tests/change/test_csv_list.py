"""The list as CSV: read back by the csv module and by GDAL."""

import csv
from dataclasses import replace

import pyogrio
import pytest

from change.export.cell_text import clean_text, guard_formula
from change.export.csv_list import write_csv
from change.export.dossier import Dossier
from change.export.table import ListStyle, make_ledger
from change.fieldwork import Decision
from tests.dossiers import HOSTILE, made_up

ENGLISH = ListStyle(languages=("en",), navigation="geo", pictures=True)
BEGINNINGS = ("=", "+", "-", "@", "＝", "＋", "－", "＠")


def written(dossier: Dossier, folder, style=ENGLISH) -> list[dict[str, str]]:
    write_csv(dossier, folder / "list.csv", style)
    with (folder / "list.csv").open(encoding="utf-8-sig", newline="") as stream:
        rows = list(csv.reader(stream))
    columns = [column.name for column in make_ledger(style).without("picture").columns]
    assert all(len(row) == len(columns) for row in rows)
    return [dict(zip(columns, row, strict=True)) for row in rows[1:]]


def test_bytes_a_spreadsheet_in_china_understands(tmp_path):
    write_csv(made_up(tmp_path, 3), tmp_path / "list.csv", ENGLISH)
    content = (tmp_path / "list.csv").read_bytes()
    assert content.startswith(b"\xef\xbb\xbf")
    assert content.count(b"\r\n") == content.count(b"\n") == 4


def test_every_suspect_by_its_id(tmp_path):
    dossier = made_up(tmp_path, 50)
    assert [row["id"] for row in written(dossier, tmp_path)] == [e.id for e in dossier.entries]


def test_values_and_words(tmp_path):
    row = written(made_up(tmp_path, 2), tmp_path)[1]
    assert (row["kind"], row["origin"], row["found_on"]) == ("shed", "new", "2025-12-13")
    assert row["reasons"] == "higher than permitted; permit for a temporary building"
    assert float(row["height_gain_m"]) == 3.5
    assert row["navigation"] == f"geo:{float(row['latitude']):.7f},{float(row['longitude']):.7f}"


def test_no_field_calculates(tmp_path):
    rows = written(made_up(tmp_path, len(HOSTILE), texts=HOSTILE), tmp_path)
    texts = {text for row in rows for text in row.values()}
    assert not [text for text in texts if text.lstrip().startswith(BEGINNINGS)]
    assert "'=1+1" in texts
    told = [clean_text(text) for text in HOSTILE]
    guarded = [f"'{text}" if text.startswith(BEGINNINGS) else text for text in told]
    assert [row["township"] for row in rows] == guarded


def test_a_number_below_zero_stays_a_number(tmp_path):
    dossier = made_up(tmp_path, 1)
    entry = replace(dossier.entries[0], values={**dossier.entries[0].values, "area_m2": -3.5})
    assert written(dossier.only([entry]), tmp_path)[0]["area_m2"] == "-3.5"


def test_what_somebody_decided(tmp_path):
    dossier = made_up(tmp_path, 2)
    said = Decision(
        id=dossier.entries[0].id,
        answer="dismissed",
        dismissal="shadow",
        note="=1+1",
        at="2026-01-02T03:04:05Z",
    )
    row = written(dossier.decided({said.id: said}), tmp_path)[0]
    assert row["desk"] == "dismissed; shadow or light; =1+1; 2026-01-02"
    assert (row["answer"], row["dismissal"], row["inspected_on"]) == ("", "", "")


def test_gdal_reads_it(tmp_path):
    dossier = made_up(tmp_path, 10)
    write_csv(dossier, tmp_path / "list.csv", ENGLISH)
    frame = pyogrio.read_dataframe(tmp_path / "list.csv", read_geometry=False)
    assert list(frame["suspect"]) == [entry.id for entry in dossier.entries]
    assert list(frame["longitude"].astype(float)) == [round(e.lon, 7) for e in dossier.entries]


def test_nobody_asked_for_links(tmp_path):
    style = replace(ENGLISH, navigation="none")
    assert "navigation" not in written(made_up(tmp_path, 1), tmp_path, style)[0]


@pytest.mark.parametrize("beginning", ["", " ", "\n"])
def test_guard_looks_behind_white_space(beginning):
    assert guard_formula(f"{beginning}=1") == f"'{beginning}=1"


def test_clean_text_cuts_by_what_a_cell_counts():
    assert len(clean_text("🏗" * 20_000).encode("utf-16-le")) <= 2 * 32_767
    assert clean_text("\ud800a\ufffe") == "a"
