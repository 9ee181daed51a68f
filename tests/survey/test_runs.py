"""Runs: an identity that depends on what matters, and files whole or not at all."""

import errno
import hashlib
import json
import os
import tempfile
from pathlib import Path

import pytest

from survey.errors import OutputError
from survey.runs import (
    hash_inputs,
    read_record,
    record_beside,
    record_writer,
    require_ours,
    require_writable,
    start_run,
    write_all,
    write_whole,
)
from survey.settings import Settings


@pytest.fixture
def inputs(tmp_path):
    (tmp_path / "a.tif").write_bytes(b"before" * 1000)
    (tmp_path / "b.tif").write_bytes(b"after" * 1000)
    return [("before", tmp_path / "a.tif"), ("after", tmp_path / "b.tif")]


def everything(folder):
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*"))


def test_inputs_are_hashed_in_order(inputs):
    hashed = hash_inputs(inputs)
    assert [(i.role, i.name, i.size) for i in hashed] == [
        ("before", "a.tif", 6000),
        ("after", "b.tif", 5000),
    ]
    assert hashed[0].sha256 == hashlib.sha256(b"before" * 1000).hexdigest()


def test_a_folder_stands_for_its_files(tmp_path):
    folder = tmp_path / "tiles"
    (folder / "deep").mkdir(parents=True)
    for name in ("b.tif", "a.tif", "deep/c.tif"):
        (folder / name).write_text(name)
    assert [i.name for i in hash_inputs([("before", folder)])] == ["a.tif", "b.tif", "c.tif"]


def test_a_run_is_known_by_what_decides_its_result(inputs, tmp_path):
    hashed, settings = hash_inputs(inputs), Settings()
    run = start_run(hashed, settings, {"crs": None})
    assert start_run(hashed, settings, {}).id == run.id
    faster = settings.changed("blocks", workers=7, side_m=100.0)
    assert start_run(hashed, faster, {}).id == run.id
    moved = tmp_path / "elsewhere.tif"
    moved.write_bytes(inputs[0][1].read_bytes())
    assert start_run(hash_inputs([("before", moved), inputs[1]]), settings, {}).id == run.id
    others = [
        start_run(hashed[::-1], settings, {}),
        start_run(hashed, settings.changed("detect", min_area_m2=11.0), {}),
        start_run(hashed, settings, {"crs": "EPSG:4547"}),
    ]
    (inputs[0][1]).write_bytes(b"other")
    others.append(start_run(hash_inputs(inputs), settings, {}))
    assert len({run.id, *(other.id for other in others)}) == 5


def test_a_record_tells_everything_but_where_the_files_lie(inputs, tmp_path):
    record = start_run(hash_inputs(inputs), Settings(), {"crs": "EPSG:4547"}).record(found=3)
    record_writer(record)(tmp_path / "run.json")
    text = (tmp_path / "run.json").read_text(encoding="utf-8")
    assert str(tmp_path) not in text
    read = read_record(tmp_path / "run.json")
    assert read is not None
    assert read["found"] == 3
    assert read["settings"]["detect"]["min_area_m2"] == Settings().detect.min_area_m2
    assert read["options"] == {"crs": "EPSG:4547"}
    assert read["started"] <= read["finished"]


def test_a_run_is_finished_when_its_record_is_written(inputs, tmp_path):
    record = start_run(hash_inputs(inputs), Settings(), {}).record() | {"finished": "2020-01-01"}
    write = record_writer(record)
    write(tmp_path / "run.json")
    read = read_record(tmp_path / "run.json")
    assert read is not None
    assert read["finished"] >= read["started"] > "2020-01-01"


@pytest.mark.parametrize("text", ["", "{", "[]", '"orthowatch"', "{}", '{"generator": "other"}'])
def test_other_peoples_json_is_no_record(tmp_path, text):
    path = tmp_path / "run.json"
    assert read_record(path) is None
    path.write_text(text)
    assert read_record(path) is None


def test_files_appear_together(tmp_path):
    seen = []

    def write(path):
        seen.append([p.name for p in tmp_path.iterdir() if not p.name.startswith(".")])
        path.write_text(path.name)

    write_all(tmp_path, {"a.txt": write, "b.txt": write})
    assert seen == [[], []]
    assert everything(tmp_path) == ["a.txt", "b.txt"]
    assert (tmp_path / "b.txt").read_text() == "b.txt"


@pytest.mark.parametrize("error", [RuntimeError("bug"), KeyboardInterrupt()])
def test_nothing_appears_when_one_fails(tmp_path, error):
    (tmp_path / "a.txt").write_text("earlier")

    def fail(path):
        path.write_text("half")
        raise error

    with pytest.raises(type(error)):
        write_all(tmp_path, {"a.txt": lambda path: path.write_text("new"), "b.txt": fail})
    assert everything(tmp_path) == ["a.txt"]
    assert (tmp_path / "a.txt").read_text() == "earlier"


def test_a_full_disk_is_told_in_one_sentence(tmp_path):
    def fail(path):
        path.write_text("half")
        raise OSError(28, os.strerror(28))

    with pytest.raises(OutputError, match="No space left"):
        write_whole(tmp_path / "a.txt", fail)
    assert everything(tmp_path) == []


def test_a_folder_that_does_not_exist_is_told(tmp_path):
    with pytest.raises(OutputError, match="cannot be written"):
        write_whole(tmp_path / "none" / "a.txt", lambda path: path.write_text("x"))


def test_a_written_file_is_replaced(tmp_path):
    for text in ("one", "two"):
        write_whole(tmp_path / "a.txt", lambda path, text=text: path.write_text(text))
    assert (tmp_path / "a.txt").read_text() == "two"


class TestOurs:
    """Only what a record of ours names may be overwritten."""

    def target(self, folder: Path, outputs=None, content="{}"):
        target = folder / "suspects.geojson"
        target.write_text(content)
        if outputs is not None:
            record = {"generator": "orthowatch", "outputs": outputs}
            record_beside(target).write_text(json.dumps(record))
        return target

    def test_nothing_there(self, tmp_path):
        target = tmp_path / "suspects.geojson"
        require_ours(target, record_beside(target))

    def test_named_by_our_record(self, tmp_path):
        target = self.target(tmp_path, outputs=["suspects.geojson"])
        require_ours(target, record_beside(target))

    @pytest.mark.parametrize("outputs", [None, [], ["other.geojson"]])
    def test_not_named(self, tmp_path, outputs):
        target = self.target(tmp_path, outputs=outputs)
        with pytest.raises(OutputError, match="was not written by orthowatch"):
            require_ours(target, record_beside(target))

    def test_a_record_of_somebody_else(self, tmp_path):
        """The record is written too: one that is not ours is not overwritten either."""
        target = tmp_path / "suspects.geojson"
        record_beside(target).write_text('{"mine": true}')
        with pytest.raises(OutputError, match=r"run\.json"):
            require_ours(target, record_beside(target))


def test_a_folder_that_is_not_there_is_refused_before_the_work(tmp_path):
    with pytest.raises(OutputError, match="no such folder"):
        require_writable(tmp_path / "none")


def test_a_folder_that_takes_nothing_is_refused_before_the_work(tmp_path, monkeypatch):
    def refused(*_arguments, **_named):
        raise PermissionError(errno.EACCES, "Permission denied")

    require_writable(tmp_path)
    assert list(tmp_path.iterdir()) == []
    monkeypatch.setattr(tempfile, "mkdtemp", refused)
    with pytest.raises(OutputError, match="cannot be written"):
        require_writable(tmp_path)


def test_where_a_record_stands():
    assert record_beside(Path("a/b.c.geojson")) == Path("a/b.c.run.json")
