"""The catalogues: complete, compiled, and used by click too."""

import re
import string
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import click
import pytest
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_file
from babel.messages.mofile import read_mo
from babel.messages.pofile import read_po
from click.testing import CliRunner

from survey import words
from survey.errors import SettingsError

ROOT = Path(words.__file__).parent.parent
TRANSLATED = words.LANGUAGES[1:]


def catalogue(language, suffix):
    path = ROOT / "survey" / "locale" / language / "LC_MESSAGES" / f"messages.{suffix}"
    with path.open("rb") as file:
        return read_po(file, locale=language) if suffix == "po" else read_mo(file)


def sentences(catalog):
    """Map the id (English, or English forms) to the translation's forms."""
    found = {}
    for message in catalog:
        forms = (message.string,) if isinstance(message.string, str) else tuple(message.string)
        if message.id and all(forms) and not message.fuzzy:
            found[message.id if isinstance(message.id, str) else tuple(message.id)] = forms
    return found


def source_files():
    for package in ("survey", "change"):
        yield from sorted((ROOT / package).rglob("*.py"))
    yield from ROOT.glob("cli.py")


def placeholders(sentence):
    """Return what is filled into a sentence, in braces or in click's one per cent form."""
    braces = {name for _, name, _, _ in string.Formatter().parse(sentence) if name is not None}
    return braces | set(re.findall(r"%\(\w+\)s", sentence))


@pytest.mark.parametrize("language", TRANSLATED)
def test_every_sentence_is_translated(language):
    known = sentences(catalogue(language, "po"))
    missing = [
        f"{path.relative_to(ROOT)}:{line}: {message!r}"
        for path in source_files()
        for line, message, _, _ in extract_from_file("python", path, keywords=DEFAULT_KEYWORDS)
        if message not in known
    ]
    assert not missing, "run `make words` and translate:\n" + "\n".join(missing)


@pytest.mark.parametrize("language", TRANSLATED)
def test_compiled_catalogue_is_the_written_one(language):
    assert sentences(catalogue(language, "mo")) == sentences(catalogue(language, "po")), (
        "make words"
    )


@pytest.mark.parametrize("language", TRANSLATED)
def test_translations_fill_in_the_same_values(language):
    for english, forms in sentences(catalogue(language, "po")).items():
        # Where a language has one form only, it stands for the plural.
        expected = placeholders(english if isinstance(english, str) else english[-1])
        assert [placeholders(form) for form in forms] == [expected] * len(forms), english


def test_words_change_with_the_language():
    words.use_language("zh_CN")
    assert words.current_language() == "zh_CN"
    assert words._("Options") == "选项"
    words.use_language("en")
    assert words._("Options") == "Options"


def test_marked_and_empty_sentences_pass_through():
    words.use_language("zh_CN")
    assert words.N_("Options") == "Options"
    assert words._("") == ""
    assert words._("never written") == "never written"


@pytest.mark.parametrize(("number", "english"), [(0, "many"), (1, "one"), (2, "many")])
def test_plural(number, english):
    assert words.ngettext("one", "many", number) == english


def test_unknown_language_is_the_users_mistake():
    with pytest.raises(SettingsError, match="zh_CN"):
        words.use_language("tlh")


@pytest.mark.parametrize(
    ("environment", "language"),
    [
        ({}, "en"),
        ({"LANG": "C.UTF-8"}, "en"),
        ({"LANG": "zh_CN.UTF-8"}, "zh_CN"),
        ({"LANG": "zh_CN.UTF-8", "LC_ALL": "en_GB.UTF-8"}, "en"),
        ({"LANG": "en_GB.UTF-8", "LANGUAGE": "fr:zh"}, "zh_CN"),
        ({"LANG": "zh_CN.UTF-8", "LANGUAGE": ""}, "zh_CN"),
    ],
)
def test_language_is_the_one_the_environment_asks_for(monkeypatch, environment, language):
    for variable in ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(variable, raising=False)
    for variable, value in environment.items():
        monkeypatch.setenv(variable, value)
    words.use_language(None)
    assert words.current_language() == language


def test_workers_inherit_the_language():
    words.use_language("zh_CN")
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        assert pool.submit(words._, "Options").result() == "选项"


def test_click_speaks_the_language():
    words.use_language("zh_CN")

    @click.command()
    @click.argument("before", type=click.Path(exists=True))
    def command(before): ...

    result = CliRunner().invoke(command, ["nowhere"], prog_name="orthowatch")
    assert result.exit_code == 2
    assert "错误：参数 'BEFORE' 的值无效：路径 'nowhere' 不存在。" in result.output


def test_a_library_user_keeps_their_own_domain():
    script = "import gettext, survey.words; assert not gettext._localedirs"
    subprocess.run([sys.executable, "-c", script], check=True, cwd=ROOT)
