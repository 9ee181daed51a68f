"""One thing is called one name, in every output: in Chinese, and where stock is not change."""

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

from change.export.headings import VERDICT_WORDS, in_languages
from change.export.qgis.wording import alias
from change.export.review.content import content_script
from change.export.run_page.page import write_run_page
from change.export.sheets.facts import facts_of_suspect
from change.export.sheets.style import SheetStyle
from survey.words import _, spoken_in
from tests.dossiers import RECORD, made_up

CATALOGUE = Path(__file__).parent.parent.parent / "survey/locale/zh_CN/LC_MESSAGES/messages.po"
CHINESE = ("zh_CN",)
GAINED, STANDS = "增高（米）", "高出地面（米）"


@pytest.fixture(scope="module")
def told():
    """Return all that is said in Chinese, by the English."""
    with CATALOGUE.open("rb") as file:
        catalogue = read_po(file)
    return {
        message.id if isinstance(message.id, str) else message.id[0]: form
        for message in catalogue
        if message.id
        for form in ([message.string] if isinstance(message.string, str) else message.string)
    }


def of_origins(folder, *origins):
    dossier = made_up(folder, len(origins))
    entries = [
        replace(entry, values={**entry.values, "origin": origin, "height_gain_m": 3.0})
        for entry, origin in zip(dossier.entries, origins, strict=True)
    ]
    return replace(dossier, entries=tuple(entries))


@pytest.mark.parametrize(
    "other",
    ["核实", "整治", "违建面积", "小组", "队伍", "分值", "概率", "理由", "同涉", "航片", "分幅"],
)
def test_what_has_a_name_has_no_other(told, other):
    assert [text for text in told.values() if other in text] == []


def test_units_are_signs_after_numbers_and_words_in_headings(told):
    wrong = [
        text
        for text in told.values()
        if re.search(r"[}\d] ?(?:平方米|公里|毫米|米)|(?<=[}\d]) ?m2\b|（m²?）", text)
    ]
    assert wrong == []


@pytest.mark.parametrize("slug", VERDICT_WORDS)
def test_a_verdict_is_one_word_wherever_it_stands(told, slug):
    word = in_languages(VERDICT_WORDS[slug], CHINESE)
    start = {"verified": r"(?:V|alignment v)erified", "unverified": r"(?:N|alignment N)OT|UNV"}
    for english, chinese in told.items():
        if re.match(start.get(slug, r"alignment (?:REFUSED|refused)"), english):
            assert word in chinese, english


@pytest.mark.parametrize(
    ("table", "column", "called"),
    [
        ("permits", "height_m", "批准高度（米）"),
        ("empty_permits", "height_m", "实测高度（米）"),
        ("suspects", "area_m2", "占地面积（平方米）"),
        ("excluded", "area_m2", "面积（平方米）"),
        ("flawed_rows", "why", "问题"),
        ("flawed_rows", "detail", "说明"),
    ],
)
def test_a_column_of_one_name_is_called_what_it_means_in_its_layer(table, column, called):
    assert alias(table, column, CHINESE) == called


@pytest.mark.parametrize(
    ("origins", "called"),
    [(("stock", "stock"), STANDS), (("new", "new"), GAINED), (("new", "stock"), GAINED)],
)
def test_the_height_of_stock_is_no_gain_on_the_review_page(tmp_path, origins, called):
    dossier = of_origins(tmp_path, *origins)
    script = content_script(dossier, language="zh_CN", navigation="none", pictures="")
    content = json.loads(script.removeprefix("window.orthowatch = ").rstrip(";\n"))
    assert content["words"]["zh_CN"]["columns"]["height_gain_m"] == called


@pytest.mark.parametrize(("origin", "called"), [("stock", STANDS), ("new", GAINED)])
def test_the_height_of_stock_is_no_gain_on_a_sheet(tmp_path, origin, called):
    style = SheetStyle(languages=CHINESE, navigation="none")
    (entry,) = of_origins(tmp_path, origin).entries
    assert {fact.name: fact.value for fact in facts_of_suspect(entry, style)}[called] == "3.0"


def test_the_report_says_what_each_file_was(tmp_path):
    roles = {
        "dsm_before": "前期表面模型",
        "townships": "镇街",
        "protected:<b>": "保护用地（&lt;b&gt;）",
        "a role of later": "a role of later",
    }
    inputs = [{"role": role, "name": "f", "size": 1, "sha256": "0"} for role in roles]
    dossier = made_up(tmp_path, 0)
    with spoken_in("zh_CN"):
        written = replace(dossier, record={**RECORD, "inputs": inputs})
        write_run_page(tmp_path / "report.html", written, pictures=(), excluded={})
        assert _("township") == "镇街"
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert re.findall(r"<th>(.*?)</th><td>f \(", page) == list(roles.values())
