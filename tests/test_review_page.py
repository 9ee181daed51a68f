"""The review page as it is seen, clicked and listened to, in a real browser."""

import shutil
from dataclasses import replace

import pytest

from change.decisions import read_decisions
from change.export.review.wording import PAGE_WORDS
from tests.dossiers import HOSTILE, RECORD, made_up

pytestmark = pytest.mark.browser

RUN = RECORD["run_id"]


def test_a_key_held_down_answers_once(visit):
    there = visit()
    for _ in range(3):
        there.page.keyboard.down("1")
    there.page.keyboard.up("1")
    assert "1 of 6 decided" in there.text("#counts")


def test_writing_a_note_answers_nothing(visit):
    there = visit()
    there.press("m")
    there.page.keyboard.type("123 cdu zo")
    assert there.page.input_value("#note") == "123 cdu zo"
    assert "0 of 6 decided" in there.text("#counts")
    there.press("Escape", "j", "k")
    assert there.page.input_value("#note") == "123 cdu zo"


def test_a_click_leaves_no_button_to_press_again(visit):
    there = visit()
    there.page.click("#confirm")
    there.press(" ")
    assert "1 of 6 decided" in there.text("#counts")
    assert there.page.get_attribute("#flip", "aria-pressed") == "true"


def test_filters_and_sorting(visit, tmp_path):
    there = visit(made_up(tmp_path, 90))
    first = "#list .row:not([hidden]) .number"
    there.page.select_option("#sort", "area_m2")
    areas = there.page.eval_on_selector_all(
        "#list .row:not([hidden]) .size", "rows => rows.map(row => parseFloat(row.textContent))"
    )
    assert areas == sorted(areas, reverse=True)
    there.page.select_option("#sort", "number")
    there.page.fill("#search", "gh-2025-0007")
    assert [there.text("#shown"), there.text(first)] == ["1 of 90 shown", "8"]
    there.page.fill("#search", "42")
    assert "42" in there.page.eval_on_selector_all(
        first, "rows => rows.map(row => row.textContent)"
    )
    there.page.fill("#search", "no such thing")
    assert there.page.is_visible("#none")
    there.page.click("#show-all")
    there.page.click("summary >> nth=0")
    there.page.select_option("#by-kind", "shed")
    there.page.select_option("#by-township", label="北岭镇")
    assert there.text("#shown").startswith("0 of") or "shed" in there.text("#name")
    there.page.select_option("#by-township", "")
    there.page.fill("#least-score", "90")
    count = int(there.text("#shown").split()[0])
    entries = made_up(tmp_path, 90).entries
    assert count == sum(
        entry.values["kind"] == "shed" and entry.values["score"] >= 0.9 for entry in entries
    )


def test_only_open_ones_shown_leave_the_list_one_by_one(visit):
    there = visit()
    there.page.select_option("#by-answer", "open")
    there.press("Escape", "1", "1")
    assert there.text("#shown") == "4 of 6 shown"
    assert there.number == 3


def test_rows_exist_only_where_they_are_seen(visit, tmp_path):
    there = visit(made_up(tmp_path, 800))
    assert there.page.locator("#list .row").count() < 40
    there.page.evaluate("document.querySelector('#list').scrollTop = 1e6")
    there.page.wait_for_selector("#list .row:not([hidden]) .number >> text=800")
    there.page.click("#list .row:not([hidden]) .number >> text=800")
    assert there.number == 800


def test_the_divider_moves_by_keys_and_by_hand(visit):
    there = visit()
    divider = there.page.locator("#divider")
    there.press("ArrowRight", "ArrowRight")
    assert divider.get_attribute("aria-valuenow") == "54"
    divider.focus()
    there.press("Home")
    assert divider.get_attribute("aria-valuenow") == "0"
    there.press("End")
    assert divider.get_attribute("aria-valuenow") == "100"
    box, room = divider.bounding_box(), there.page.locator("#frame").bounding_box()
    there.page.mouse.move(box["x"] + box["width"] / 2 - 1, box["y"] + 90)
    there.page.mouse.down()
    there.page.mouse.move(room["x"] + room["width"] / 4, box["y"] + 90)
    there.page.mouse.up()
    assert divider.get_attribute("aria-valuenow") == "25"


def test_flip_flicker_and_outline(visit):
    there = visit()
    seen = (
        "getComputedStyle(document.querySelector('.leaflet-after-pane')).visibility === 'visible'"
    )
    there.press(" ")
    assert there.text("#left-day") == "before · 2025-03-15"
    assert not there.page.evaluate(seen)
    there.press(" ")
    assert there.page.evaluate(seen)
    assert there.page.locator("#map path").count() == 2
    there.press("o")
    assert there.page.locator("#map path").count() == 0
    there.press("f")
    there.until(f"!({seen})")
    there.until(seen)
    there.press("s")
    assert there.page.is_visible("#divider")


def test_nothing_moves_for_those_who_want_no_motion(visit):
    there = visit(reduced_motion="reduce")
    there.press("f")
    assert there.page.get_attribute("#flicker", "aria-pressed") == "false"
    assert there.text("#left-day") == "before · 2025-03-15"


def test_pictures_and_outline_lie_on_each_other(visit):
    there = visit()
    loaded = "image => image.complete && image.naturalWidth === 480"
    there.until(f"[...document.querySelectorAll('img.chip')].every({loaded})")
    before, after, outline = (
        there.page.locator(which).first.bounding_box()
        for which in ("img.chip >> nth=0", "img.chip >> nth=1", "#map path")
    )
    assert before == after
    # These pictures have the middle of the outline in their own middle.
    assert _middle(outline) == pytest.approx(_middle(before), abs=2)


def _middle(box):
    return [box["x"] + box["width"] / 2, box["y"] + box["height"] / 2]


def test_one_flight_alone_is_shown_without_a_divider(visit, tmp_path):
    dossier = made_up(tmp_path, 2, pictures=True)
    shutil.rmtree(tmp_path / "chips/marked")
    entries = [
        replace(entry, chip=replace(entry.chip, roles=("before",))) for entry in dossier.entries
    ]
    record = {key: value for key, value in RECORD.items() if key != "alignment"}
    record["flights"] = {"before": RECORD["flights"]["before"]}
    there = visit(replace(dossier.only(entries), record=record))
    assert there.text("#left-day") == "flight · 2025-03-15"
    assert not there.page.is_visible("#divider")
    assert not there.page.is_visible("#modes")
    assert there.page.locator("img.chip").count() == 1


def test_without_pictures_the_outline_is_shown(visit, tmp_path):
    there = visit(made_up(tmp_path, 2))
    assert there.text("#picture-note") == PAGE_WORDS["no_picture"]
    assert there.page.locator("#map path").count() == 2


def test_a_picture_that_is_gone_is_said(visit, tmp_path):
    dossier = made_up(tmp_path, 1, pictures=True)
    (tmp_path / "chips" / f"{dossier.entries[0].id}_after.jpg").unlink()
    there = visit(dossier)
    there.page.wait_for_selector("#picture-note:not([hidden])")
    assert there.text("#picture-note") == PAGE_WORDS["picture_missing"]
    assert all("_after.jpg" in line or "ERR_FILE_NOT_FOUND" in line for line in there.wrong)
    there.wrong.clear()


def test_a_run_without_suspects(visit, tmp_path):
    there = visit(made_up(tmp_path, 1).only([]))
    assert there.text("#none") == PAGE_WORDS["none_at_all"]
    there.press("1", "j", "z", " ", "f")


def test_doubtful_alignment_is_said_at_the_top(visit, tmp_path):
    record = {**RECORD, "alignment": {"verdict": "unverified", "why": "3 of 90 windows agree"}}
    there = visit(replace(made_up(tmp_path, 1), record=record))
    assert "NOT verified" in there.text("#hint-only")
    assert "3 of 90 windows agree" in there.text("#hint-only")


def test_the_language_is_switched_and_remembered(visit, tmp_path):
    there = visit()
    english = there.text("body")
    there.page.click("#language")
    assert there.page.get_attribute("html", "lang") == "zh-CN"
    assert there.text("#why").startswith("无许可覆盖")
    assert there.text("body") != english
    there.open(tmp_path)
    assert there.page.get_attribute("html", "lang") == "zh-CN"
    there.page.click("#language")
    assert there.text("#why").startswith("No permit covers this")


def test_links_lead_where_they_should(visit):
    there = visit(writing={"navigation": "amap"})
    link = there.page.locator("#place a")
    assert link.get_attribute("href").startswith("https://uri.amap.com/marker?position=114.")
    assert link.get_attribute("rel") == "noopener noreferrer"


def test_on_a_phone_list_and_picture_take_turns(visit):
    there = visit(viewport={"width": 390, "height": 844}, has_touch=True)
    assert not there.page.is_visible("#map")
    there.page.tap("#list .row >> nth=2")
    assert there.page.is_visible("#map")
    assert there.page.is_visible("#confirm")
    wide = there.page.evaluate("document.documentElement.scrollWidth")
    assert wide <= 390
    there.page.tap("#confirm")
    assert there.number == 4
    there.press(" ")
    assert there.number == 4
    there.page.tap("#to-list")
    assert there.page.is_visible("#list")


def test_everything_has_a_name_for_those_who_listen(visit):
    there = visit()
    nameless = there.page.evaluate(
        """() => [...document.querySelectorAll('button, input, select, textarea, [role]')]
        .filter(part => part.offsetParent && part.role !== 'presentation' && part.type !== 'file')
        .filter(part => !(part.getAttribute('aria-label') || part.textContent.trim()
            || (part.labels && part.labels.length && part.labels[0].textContent.trim())))
        .map(part => part.id || part.className)"""
    )
    assert set(nameless) <= {"said", "picture-note"}
    active = there.page.get_attribute("#list", "aria-activedescendant")
    assert there.page.get_attribute(f"#{active}", "aria-selected") == "true"
    there.press("1")
    assert there.text("#said").startswith("No. 1: confirmed. Now no. 2")
    assert there.page.get_attribute("#said", "aria-live") == "polite"


def test_hostile_texts_are_shown_and_do_nothing(visit, tmp_path):
    folder = tmp_path
    dossier = made_up(folder, len(HOSTILE), texts=HOSTILE)
    hostile = {**RECORD, "alignment": {"verdict": "<b>x</b>", "why": HOSTILE[1]}}
    hostile["flights"] = {"before": {"name": HOSTILE[0], "flown_on": HOSTILE[16]}}
    there = visit(replace(dossier, record=hostile), script="window.__alerts = 0;")
    tags = there.page.locator("script, img, b, x").count()
    for n, text in enumerate(HOSTILE):
        told = there.page.evaluate("document.querySelector('#all').textContent")
        shown = text.replace("\x00", "\ufffd").replace("\x0b", "\ufffd")
        assert shown[:1999] in told, n
        there.press("j")
    there.page.fill("#note", HOSTILE[0])
    there.press("Escape")
    there.page.fill("#reviewer", HOSTILE[1])
    there.press("Escape", "1")
    assert there.page.locator("script, img, b, x").count() == tags
    assert there.page.evaluate("document.querySelectorAll('[onerror], [onload]').length") == 0
    there.page.click("summary >> nth=0")
    there.page.select_option("#by-township", label=HOSTILE[0])
    assert there.text("#shown").startswith("1 of")
    saved = read_decisions(there.save(tmp_path / "saved.json"), RUN)
    assert [(said.note, said.by) for said in saved.values()] == [(HOSTILE[0], HOSTILE[1])]
