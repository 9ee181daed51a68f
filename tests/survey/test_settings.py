"""Settings: what a TOML file may say, and what is refused."""

import dataclasses
import json

import pytest

from survey.errors import SettingsError
from survey.settings import Settings, read_settings


@pytest.fixture
def toml(tmp_path):
    def write(text):
        path = tmp_path / "settings.toml"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write


def all_settings():
    settings = Settings()
    for section in dataclasses.fields(settings):
        part = getattr(settings, section.name)
        for item in dataclasses.fields(part):
            yield section.name, item.name, getattr(part, item.name)


def test_without_a_file_there_are_the_defaults():
    assert read_settings(None) == Settings()


def test_a_file_replaces_what_it_names_and_nothing_else(toml):
    settings = read_settings(toml("[detect]\nmin_area_m2 = 25\n[align]\naccept = true\n"))
    assert settings.detect.min_area_m2 == 25
    assert settings.align.accept is True
    assert settings.detect.min_height_m == Settings().detect.min_height_m
    assert settings.permits == Settings().permits


def test_an_empty_file_says_nothing(toml):
    assert read_settings(toml("")) == Settings()


def other_than(name, default):
    """Return another value for a setting, as TOML writes it."""
    if isinstance(default, str):
        others = {"precision": "precise", "cell_code": "{serial:03d}"}
        return (others | {"navigation": "none", "language": "both"})[name]
    return (not default) if isinstance(default, bool) else (default * 1.5 or 1)


NUMBERS = [item for item in all_settings() if not isinstance(item[2], tuple)]
TABLES = [item for item in all_settings() if isinstance(item[2], tuple)]


@pytest.mark.parametrize(("section", "name", "default"), NUMBERS)
def test_every_setting_can_be_given(toml, section, name, default):
    value = other_than(name, default)
    text = value if isinstance(value, float) else json.dumps(value)
    settings = read_settings(toml(f"[{section}]\n{name} = {text}\n"))
    assert getattr(getattr(settings, section), name) == value


@pytest.mark.parametrize(("section", "name", "default"), TABLES)
def test_a_table_adds_to_the_default(toml, section, name, default):
    entry = 7.5 if default else "B"
    text = f'[{section}.{name}]\n"镇" = {json.dumps(entry)}\n'
    settings = read_settings(toml(text))
    assert getattr(getattr(settings, section), name) == (*default, ("镇", entry))
    with pytest.raises(SettingsError, match=f"{section}.{name}"):
        read_settings(toml(f"[{section}.{name}]\nx = true\n"))


@pytest.mark.parametrize(("section", "name", "default"), [*NUMBERS, *TABLES])
def test_no_number_takes_words(toml, section, name, default):
    wrong = "3" if name == "cell_code" else '"much"'
    with pytest.raises(SettingsError, match=f"{section}.{name}"):
        read_settings(toml(f"[{section}]\n{name} = {wrong}\n"))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[detect]\nmin_aera_m2 = 3\n", "min_aera_m2.*min_area_m2"),
        ("[detection]\n", r"\[detection\].*align, blocks, detect, dispatch, export, permits"),
        ("detect = 3\n", r"\[detect\]"),
        ("min_area_m2 = 3\n", r"\[min_area_m2\]"),
        ("[detect]\nmin_area_m2 = -1\n", "detect.min_area_m2 cannot be -1"),
        ("[detect]\nmin_area_m2 = nan\n", "cannot be nan"),
        ("[detect]\nmin_area_m2 = inf\n", "cannot be inf"),
        ("[detect]\nmin_area_m2 = true\n", "cannot be True"),
        ("[blocks]\nworkers = 1.5\n", "cannot be 1.5"),
        ("[align]\naccept = 1\n", "cannot be 1"),
        ("[detect\n", "TOML"),
        (b"\xff\xfe", "TOML"),
    ],
)
def test_what_no_run_can_use_is_refused_in_one_line(toml, text, says):
    with pytest.raises(SettingsError, match=says) as caught:
        read_settings(toml(text))
    assert "settings.toml" in str(caught.value) or "setting " in str(caught.value)


def test_a_missing_file_and_a_folder_are_refused(tmp_path):
    for path in (tmp_path / "none.toml", tmp_path):
        with pytest.raises(SettingsError, match="not a readable TOML settings file"):
            read_settings(path)


def test_changing_leaves_what_is_not_given():
    settings = Settings().changed("detect", min_area_m2=None, min_height_m=2.5)
    assert settings.detect.min_area_m2 == Settings().detect.min_area_m2
    assert settings.detect.min_height_m == 2.5
    with pytest.raises(SettingsError):
        Settings().changed("detect", min_area_m2=-5.0)


@pytest.mark.parametrize(
    ("section", "name", "value"),
    [("detect", "min_score", 1.01), ("permits", "min_cover", 50.0), ("detect", "pixel_m", 20.0)],
)
def test_values_that_would_find_nothing_are_refused(section, name, value):
    """A score no change can have finds nothing, and looks as if there were nothing."""
    with pytest.raises(SettingsError, match=f"{section}.{name}"):
        Settings().changed(section, **{name: value})
