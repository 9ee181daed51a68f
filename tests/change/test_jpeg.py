"""Pictures that somebody has put into a folder of results: damaged, or larger than any memory."""

import struct
from dataclasses import replace

import openpyxl
import pytest

from change.export.jpeg import open_jpeg
from change.export.sheets import SheetStyle, write_sheets_pdf
from change.export.table import ListStyle
from change.export.workbook import write_workbook
from tests.dossiers import made_up


def claim(path, side):
    """Have a JPEG file say that it is so many pixels wide and high."""
    content = bytearray(path.read_bytes())
    at = content.index(b"\xff\xc0")
    content[at + 5 : at + 9] = struct.pack(">HH", side, side)
    path.write_bytes(content)


@pytest.fixture
def dossier(tmp_path):
    return made_up(tmp_path, 2, pictures=True)


def first(dossier, *, marked):
    return dossier.folder / dossier.entries[0].picture("before", marked=marked)


def test_an_honest_picture_is_opened(dossier):
    with open_jpeg(first(dossier, marked=False)) as picture:
        assert picture.size == (480, 480)


# Pillow warns of the one and refuses the other.
@pytest.mark.parametrize("side", [10_000, 20_000])
def test_a_picture_larger_than_any_memory_is_damaged(dossier, side):
    path = first(dossier, marked=False)
    claim(path, side)
    with pytest.raises(OSError, match="decompression bomb"), open_jpeg(path):
        pass


@pytest.mark.parametrize("content", [b"", b"\x89PNG\r\n\x1a\n", b"%!PS-Adobe-3.0 EPSF-3.0\n"])
def test_what_is_no_jpeg_is_damaged(dossier, content):
    path = first(dossier, marked=False)
    path.write_bytes(content)
    with pytest.raises(OSError, match="cannot identify"), open_jpeg(path):
        pass


@pytest.mark.parametrize("side", [10_000, 20_000])
def test_the_list_goes_without_it(dossier, tmp_path, side):
    claim(first(dossier, marked=True), side)
    style = ListStyle(languages=("en",), navigation="none", pictures=True)
    write_workbook(dossier, tmp_path / "list.xlsx", style)
    sheet = openpyxl.load_workbook(tmp_path / "list.xlsx").worksheets[0]
    assert len(sheet._images) == 3


@pytest.mark.parametrize("side", [10_000, 20_000])
def test_the_sheets_go_without_it(dossier, tmp_path, side):
    claim(first(dossier, marked=False), side)
    pypdf = pytest.importorskip("pypdf", reason="needs the extra pdf")
    path = tmp_path / "sheets.pdf"
    # Chinese needs a font that not every computer has.
    named = {"township": "Xiayuan", "community": "Court 3"}
    entries = [replace(item, values={**item.values, **named}) for item in dossier.entries]
    write_sheets_pdf(dossier.only(entries), path, SheetStyle(languages=("en",), navigation="none"))
    told = [page.extract_text() for page in pypdf.PdfReader(path).pages]
    assert [text.count("no picture") for text in told] == [1, 0]
