"""Folders that are made: whatever is in the way is found before the work, and nothing is left."""

import os
import stat

import pytest
from rasterio.errors import RasterioIOError

from survey.errors import OutputError
from survey.simulation.new_folder import new_folder, require_room


def write(draft):
    (draft / "made.txt").write_text("made")
    (draft / "inner").mkdir()
    (draft / "inner" / "more.txt").write_text("more")


def make_and_fail(folder, failure):
    with new_folder(folder) as draft:
        write(draft)
        raise failure


def make_and_be_disturbed(folder):
    with new_folder(folder) as draft:
        write(draft)
        (folder / "made.txt").write_text("mine")


def test_a_folder_appears_with_all_that_was_drafted(tmp_path):
    with new_folder(tmp_path / "new" / "area") as draft:
        write(draft)
        assert not (tmp_path / "new" / "area" / "made.txt").exists()
    names = sorted(path.name for path in (tmp_path / "new" / "area").iterdir())
    assert names == ["inner", "made.txt"]


@pytest.mark.parametrize("name", ["a" * 255, "with space", "链接", "a?b"])
def test_unusual_names_are_taken(tmp_path, name):
    if len(name.encode()) > 200:
        name = name[: os.pathconf(tmp_path, "PC_NAME_MAX")]
    with new_folder(tmp_path / name) as draft:
        write(draft)
    assert (tmp_path / name / "made.txt").exists()


@pytest.mark.parametrize("name", ["tab\there", "line\nbreak", "a.zip!", "b.tar!x", "\udcff"])
def test_names_that_gdal_cannot_write_are_refused_at_once(tmp_path, name):
    with pytest.raises(OutputError, match="plain letters"), new_folder(tmp_path / name):
        pytest.fail("too late")
    assert list(tmp_path.iterdir()) == []


def test_a_name_too_long_is_refused_at_once(tmp_path):
    with pytest.raises(OutputError, match="too long"), new_folder(tmp_path / "new" / ("a" * 256)):
        pytest.fail("too late")
    assert list(tmp_path.iterdir()) == []


def test_links_are_followed_or_refused(tmp_path):
    (tmp_path / "there").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "there")
    (tmp_path / "nowhere").symlink_to(tmp_path / "gone")
    with new_folder(tmp_path / "link") as draft:
        write(draft)
    assert (tmp_path / "there" / "made.txt").exists()
    assert (tmp_path / "link").is_symlink()
    with pytest.raises(OutputError, match="leads nowhere"), new_folder(tmp_path / "nowhere"):
        pytest.fail("too late")


def test_two_runs_do_not_share_a_folder(tmp_path):
    with new_folder(tmp_path / "area") as draft:
        write(draft)
        with pytest.raises(OutputError, match="another run"), new_folder(tmp_path / "area"):
            pytest.fail("too late")
    assert (tmp_path / "area" / "made.txt").exists()


@pytest.mark.parametrize(
    "failure",
    [
        OSError(28, "No space left on device"),
        RasterioIOError("Write failed"),
        RasterioIOError("None"),
    ],
)
def test_a_full_disk_is_told_and_nothing_left(tmp_path, failure):
    with pytest.raises(OutputError, match=r"new/area.*is the disk full\?.*free"):
        make_and_fail(tmp_path / "new" / "area", failure)
    assert list(tmp_path.iterdir()) == []


def test_what_was_there_stays(tmp_path):
    (tmp_path / "area").mkdir()
    with pytest.raises(KeyboardInterrupt):
        make_and_fail(tmp_path / "area", KeyboardInterrupt())
    assert list((tmp_path / "area").iterdir()) == []
    with pytest.raises(OutputError, match="cannot be written"):
        make_and_be_disturbed(tmp_path / "area")
    assert [path.name for path in (tmp_path / "area").iterdir()] == ["made.txt"]
    assert (tmp_path / "area" / "made.txt").read_text() == "mine"


@pytest.mark.skipif(os.geteuid() == 0, reason="the administrator may write anywhere")
def test_a_folder_that_may_not_be_written_is_told(tmp_path):
    tmp_path.chmod(stat.S_IRUSR | stat.S_IXUSR)
    with pytest.raises(OutputError, match="cannot be written"), new_folder(tmp_path / "area"):
        pytest.fail("too late")
    tmp_path.chmod(stat.S_IRWXU)


def test_room_is_told_in_a_unit_that_shows_it(tmp_path):
    with pytest.raises(OutputError, match=r"about 1000000\.0 GB, and .* are free: take less"):
        require_room(tmp_path / "new", 1e15, "less")
