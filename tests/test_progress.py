"""``--progress``: what stderr says to a program that starts the command."""

import json
from functools import partial

import click
import pytest

import cli
from tests.command import call_here, installed
from tests.samples import CORNER, PERMITS, cut_pair, ortho


@pytest.fixture(scope="module")
def corner(tmp_path_factory):
    return cut_pair(tmp_path_factory.mktemp("corner"), bounds=CORNER)


@pytest.fixture
def call(monkeypatch, capsys):
    return partial(call_here, monkeypatch, capsys)


@pytest.fixture(scope="module")
def words(corner):
    surfaces = ["--dsm-before", corner["dsm_before"], "--dsm-after", corner["dsm_after"]]
    permits = ["--permits", PERMITS, "--workers", "1"]
    return ["detect", corner["before"], corner["after"], *surfaces, *permits]


def objects(answer):
    """Return what every line of stderr says; none may be anything else than an object."""
    # click ends the line that a terminal shows ^C in.
    return [json.loads(line) for line in answer.err.splitlines() if line]


def steps(told):
    return [(item["stage"], item["done"], item["total"]) for item in told if "stage" in item]


def test_every_line_is_an_object(call, words, tmp_path):
    answer = call(*words, "-o", tmp_path / "out", "--progress", "json")
    assert (answer.code, answer.out) == (0, "")
    told = objects(answer)
    assert {tuple(item) for item in told} == {("say",), ("stage", "done", "total")}
    plain = call(*words, "-o", tmp_path / "out", "--progress", "none")
    assert [item["say"] for item in told if "say" in item] == plain.err.splitlines()
    assert "2 suspects" in plain.err


def test_steps_count_up_to_their_total(call, words, tmp_path):
    """Every stage is told to its end, and its steps one by one."""
    told = steps(objects(call(*words, "-o", tmp_path / "out", "--progress=json")))
    assert {stage for stage, *_ in told} >= {"aligning", "detecting", "measuring"}
    for (stage, done, total), follows in zip(told, [*told[1:], ("", 1, 1)], strict=True):
        assert 1 <= done <= total
        assert follows[1] == (1 if done == total else done + 1), (stage, follows)


@pytest.mark.parametrize("form", ["auto", "json", "none"])
def test_steps_in_each_form(form, monkeypatch, capsys):
    """A log gets a line for every tenth, a program every step, and who wants none gets none."""
    monkeypatch.setattr(cli, "_QUIET_S", 0.0)
    with click.Context(cli.orthowatch, obj=cli._Voice(form=form)):
        progress = cli._Progress()
        for done in range(1, 21):
            progress("reading", done, 20)
    lines = capsys.readouterr().err.splitlines()
    expected = {
        "auto": [f"reading: {10 * tenth} %" for tenth in range(1, 11)],
        "json": [json.dumps({"stage": "reading", "done": n, "total": 20}) for n in range(1, 21)],
        "none": [],
    }
    assert lines == expected[form]


def test_auto_is_the_default(call, words, tmp_path):
    common = [*words, "-o", tmp_path / "out"]
    assert call(*common).err == call(*common, "--progress", "auto").err


def test_quiet_says_nothing_but_errors(call, words, tmp_path):
    quiet = call(*words, "-o", tmp_path / "out", "--progress", "json", "--quiet")
    assert (quiet.code, quiet.err) == (0, "")
    wrong = call("detect", "none.tif", ortho(0), "--progress", "json", "--quiet")
    assert objects(wrong) == [{"error": "none.tif: no such file or folder"}]


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        pytest.param(["detect", "none.tif", "b.tif"], "none.tif: no such file", id="no file"),
        pytest.param(["inventory", "none.tif"], "none.tif: no such file", id="no flight"),
        pytest.param(["check", "none.tif"], "none.tif: no such file", id="nothing to check"),
        pytest.param(["align", "none.tif", "b.tif", "--image"], "--image needs -o", id="usage"),
        pytest.param(["detect", "one.tif"], "AFTER", id="an argument missing"),
        pytest.param(["detect", "a.tif", "b.tif", "--nope"], "--nope", id="an unknown option"),
        pytest.param(["inventory", "a.tif", "--min-area", "x"], "--min-area", id="no number"),
    ],
)
def test_errors_are_one_object(call, arguments, error):
    answer = call(*arguments, "--progress", "json")
    assert (answer.code, answer.out) == (2, "")
    (told,) = objects(answer)
    assert list(told) == ["error"]
    assert error in told["error"]
    assert not told["error"].startswith("Error")


def test_the_environment_asks_too(call):
    answer = call("detect", "none.tif", "b.tif", ORTHOWATCH_DETECT_PROGRESS="json")
    assert objects(answer) == [{"error": "none.tif: no such file or folder"}]


def test_an_unknown_form_is_refused(call):
    answer = call("detect", "a.tif", "b.tif", "--progress", "xml")
    assert answer.code == 2
    assert "--progress" in answer.err
    assert "Traceback" not in answer.err


def test_a_console_of_another_encoding_loses_no_character():
    """What a GBK console cannot write is replaced; whoever reads objects gets it all the same."""
    name = "图斑\U0001f3e0.tif"
    for encoding in ("gbk", "ascii", "utf-8"):
        answer = installed("detect", name, "b", "--progress", "json", PYTHONIOENCODING=encoding)
        assert objects(answer) == [{"error": f"{name}: no such file or folder"}]


def test_an_interrupt_is_an_object(call, monkeypatch):
    def stop(*_job, **_talk):
        raise KeyboardInterrupt

    monkeypatch.setattr("change.job.check_job", stop)
    answer = call("check", ortho(0), "--progress", "json")
    assert (answer.code, objects(answer)) == (130, [{"error": "interrupted"}])
