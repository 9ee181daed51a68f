"""Answers given on the review page: saved, kept, loaded, taken back; in a real browser."""

import json

import pytest

from change.decisions import read_decisions
from change.export.review.wording import PAGE_WORDS
from change.fieldwork import DISMISSALS, Decision
from tests.dossiers import RECORD, made_up

pytestmark = pytest.mark.browser

RUN = RECORD["run_id"]


def test_answers_are_saved_as_the_reader_takes_them(visit, tmp_path):
    there = visit()
    there.page.fill("#reviewer", "李 Inspector")
    there.page.fill("#note", "seen from the road")
    there.press("Escape", "1")
    assert there.number == 2
    there.press("d", str(1 + DISMISSALS.index("vehicle")))
    there.press("u")
    decisions = read_decisions(there.save(tmp_path / "saved.json"), RUN)
    ids = [f"{n:012x}" for n in range(3)]
    assert {name: (said.answer, said.dismissal) for name, said in decisions.items()} == {
        ids[0]: ("confirmed", None),
        ids[1]: ("dismissed", "vehicle"),
        ids[2]: ("unsure", None),
    }
    first = decisions[ids[0]]
    assert (first.by, first.note) == ("李 Inspector", "seen from the road")
    assert first.at[:10] == there.page.evaluate(
        "new Date(Date.now() - 60000 * new Date().getTimezoneOffset()).toISOString().slice(0, 10)"
    )


def test_every_reason_has_its_key(visit, tmp_path):
    there = visit(made_up(tmp_path, len(DISMISSALS)))
    for key in "1234567890":
        there.press("2", key)
    decisions = read_decisions(there.save(tmp_path / "saved.json"), RUN)
    assert [said.dismissal for said in decisions.values()] == list(DISMISSALS)


def test_answers_survive_a_reload(visit, tmp_path):
    there = visit()
    there.press("1", "3")
    there.open(tmp_path)
    assert there.number == 3
    assert "2 of 6 decided" in there.text("#counts")


def test_undo_brings_back_what_was_said_before(visit, tmp_path):
    there = visit()
    there.press("1", "1", "z")
    assert there.number == 2
    assert "1 of 6 decided" in there.text("#counts")
    there.press("z", "z")
    assert there.number == 1
    assert there.text("#said") == PAGE_WORDS["nothing_to_undo"]
    assert read_decisions(there.save(tmp_path / "saved.json"), RUN) == {}


def test_an_answer_given_before_can_be_taken_back(visit, tmp_path):
    dossier = made_up(tmp_path, 3)
    said = Decision(id=dossier.entries[1].id, answer="confirmed", by="Wang", at="2025-12-20")
    there = visit(dossier.decided({said.id: said}))
    assert "1 of 3 decided" in there.text("#counts")
    there.press("j")
    assert there.text("#answer") == "confirmed"
    there.press("0")
    path = there.save(tmp_path / "saved.json")
    assert [row["answer"] for row in json.loads(path.read_bytes())["decisions"]] == ["open"]
    there.open(tmp_path)
    assert "0 of 3 decided" in there.text("#counts")


def test_a_saved_file_is_loaded_elsewhere(visit, tmp_path):
    there = visit()
    there.press("1", "2", "4")
    path = there.save(tmp_path / "saved.json")
    elsewhere = visit(again=True)
    assert "0 of 6 decided" in elsewhere.text("#counts")
    elsewhere.page.set_input_files("#file", path)
    elsewhere.until("document.querySelector('#said').textContent !== ''")
    assert "2 of 6 decided · confirmed 1 · dismissed 1" in elsewhere.text("#counts")
    assert read_decisions(elsewhere.save(tmp_path / "twice.json"), RUN) == read_decisions(path, RUN)


def test_what_was_said_later_stands(visit, tmp_path):
    there = visit()
    there.press("1")
    older = {"id": "0" * 12, "answer": "unsure", "at": "2020-01-01T00:00:00+08:00"}
    there.page.set_input_files("#file", _file(tmp_path, decisions=[older]))
    there.until("document.querySelector('#said').textContent.includes('newer')")
    assert "confirmed 1 · dismissed 0 · unsure 0" in there.text("#counts")


def _file(tmp_path, text=None, **told):
    usual = {"format": "orthowatch-decisions", "version": 1, "run_id": RUN, "decisions": []}
    path = tmp_path / "given.json"
    path.write_text(text or json.dumps({**usual, **told}), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ({"run_id": "fedcba9876543210"}, "are of run fedcba9876543210"),
        ({"version": 2}, "another format or version"),
        ({"text": "<script>alert(1)</script>"}, "it is not JSON"),
        ({"decisions": [{"id": "a", "answer": "maybe"}]}, "decision 1 holds no answer"),
        ({"decisions": [{"id": "a", "answer": "dismissed"}]}, "decision 1 holds no answer"),
        ({"decisions": {}}, "another format or version"),
        ({"text": "null"}, "another format or version"),
    ],
)
def test_a_wrong_file_is_refused_in_words(visit, tmp_path, told, said):
    there = visit()
    there.page.set_input_files("#file", _file(tmp_path, **told))
    there.page.wait_for_selector("#said.warning")
    assert said in there.text("#said")
    assert "0 of 6 decided" in there.text("#counts")


def test_without_storage_the_page_says_so_and_goes_on(visit, tmp_path):
    blocked = "Object.defineProperty(window, 'localStorage', {get() { throw new Error('no'); }});"
    there = visit(script=blocked)
    assert there.page.is_visible("#in-memory")
    there.press("1")
    assert len(read_decisions(there.save(tmp_path / "saved.json"), RUN)) == 1


def test_full_storage_is_said(visit):
    full = "Storage.prototype.setItem = () => { throw new DOMException('full'); };"
    there = visit(script=full)
    there.press("1")
    assert there.page.is_visible("#in-memory")
    assert "1 of 6 decided" in there.text("#counts")


def test_two_windows_do_not_undo_each_other(visit, tmp_path):
    there = visit()
    second = there.context.new_page()
    second.goto((tmp_path / "review/index.html").as_uri())
    second.keyboard.press("j")
    second.keyboard.press("3")
    there.until("document.querySelector('#counts').textContent.startsWith('1')")
    there.press("1")
    assert len(read_decisions(there.save(tmp_path / "saved.json"), RUN)) == 2
