"""Decisions of a review page: read exactly, or refused in one line."""

import json

import pytest

from change.decisions import read_decisions
from change.fieldwork import ANSWERS, DISMISSALS, Decision
from survey.errors import LayerError

RUN = "0123456789abcdef"


def saved(path, rows, **other):
    content = {"format": "orthowatch-decisions", "version": 1, "run_id": RUN, "decisions": rows}
    path.write_text(json.dumps(content | other), encoding="utf-8")
    return path


def row(**other):
    told = {"id": "a" * 12, "answer": "dismissed", "dismissal": "shadow", "note": "n"}
    return told | {"by": "Li", "at": "2026-01-02T03:04:05Z"} | other


def test_what_was_said_is_read(tmp_path):
    told = read_decisions(saved(tmp_path / "d.json", [row()]), RUN)
    assert told == {
        "a" * 12: Decision(
            id="a" * 12,
            answer="dismissed",
            dismissal="shadow",
            note="n",
            by="Li",
            at="2026-01-02T03:04:05Z",
        )
    }


def test_the_last_word_counts_and_open_takes_nothing_up(tmp_path):
    rows = [row(), row(answer="confirmed", dismissal=None), row(id="b" * 12, answer="open")]
    told = read_decisions(saved(tmp_path / "d.json", rows), RUN)
    assert {name: item.answer for name, item in told.items()} == {"a" * 12: "confirmed"}


@pytest.mark.parametrize("answer", ANSWERS[1:])
@pytest.mark.parametrize("dismissal", DISMISSALS)
def test_every_answer_can_be_read(tmp_path, answer, dismissal):
    rows = [row(answer=answer, dismissal=dismissal)]
    told = read_decisions(saved(tmp_path / "d.json", rows), RUN)["a" * 12]
    assert told.dismissal == (dismissal if answer == "dismissed" else None)


@pytest.mark.parametrize(
    ("rows", "why"),
    [
        ([row(answer="guilty")], "no such answer"),
        ([row(dismissal="because")], "no such answer"),
        ([row(dismissal=None)], "no such answer"),
        ([{"answer": "confirmed"}], "names no suspect"),
        (["a"], "names no suspect"),
        ({"a": 1}, "no list"),
        (None, "no list"),
    ],
)
def test_what_nobody_can_say_is_refused(tmp_path, rows, why):
    with pytest.raises(LayerError, match=why):
        read_decisions(saved(tmp_path / "d.json", rows), RUN)


def test_of_another_run(tmp_path):
    with pytest.raises(LayerError, match="of run feed"):
        read_decisions(saved(tmp_path / "d.json", [], run_id="feed"), RUN)


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"format": "x"}', "[" * 100_000, "\x00", '"' + "a" * 100]
)
def test_no_file_of_a_review_page(tmp_path, text):
    path = tmp_path / "d.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(LayerError, match="no decisions to read"):
        read_decisions(path, RUN)


def test_missing_and_another_version(tmp_path):
    with pytest.raises(LayerError, match="no decisions to read"):
        read_decisions(tmp_path / "none.json", RUN)
    with pytest.raises(LayerError, match="version"):
        read_decisions(saved(tmp_path / "d.json", [], version=2), RUN)


def test_long_and_odd_texts_are_cut_and_dropped(tmp_path):
    rows = [row(note="n" * 9000, by=7)]
    told = read_decisions(saved(tmp_path / "d.json", rows), RUN)["a" * 12]
    assert len(told.note) == 2000
    assert told.by == ""


def test_a_decision_is_valid_or_none():
    with pytest.raises(ValueError, match="no such answer"):
        Decision(id="a", answer="open")
    with pytest.raises(ValueError, match="needs a reason"):
        Decision(id="a", answer="dismissed")
    with pytest.raises(ValueError, match="needs a reason"):
        Decision(id="a", answer="confirmed", dismissal="shadow")
    with pytest.raises(ValueError, match="no such reason"):
        Decision(id="a", answer="dismissed", dismissal="x")
