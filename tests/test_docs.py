"""What the documentation says is what the program does."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import click
import pytest

import cli

ROOT = Path(__file__).parent.parent
READMES = ("README.md", "README.zh.md")
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def commands(command=cli.orthowatch, words=("orthowatch",)):
    """Yield every command with the words that call it."""
    yield words, command
    for name, part in getattr(command, "commands", {}).items():
        yield from commands(part, (*words, name))


COMMANDS = dict(commands())


def read(name):
    return (ROOT / name).read_text(encoding="utf-8")


def blocks(name):
    """Return the code blocks of a file, each with its language."""
    return FENCE.findall(read(name))


def called(name):
    """Yield the words of every orthowatch command line in a file's shell blocks."""
    for language, text in blocks(name):
        if language in ("bash", "console", "sh", "shell"):
            for line in text.replace("\\\n", " ").splitlines():
                words = shlex.split(line.removeprefix("$ "), comments=True)
                if words[:1] == ["orthowatch"]:
                    yield words


def resolve(words):
    """Return the command a command line calls, and the words left for it."""
    command, rest = cli.orthowatch, words[1:]
    while rest and rest[0] in getattr(command, "commands", {}):
        command, rest = command.commands[rest[0]], rest[1:]
    return command, rest


def test_reference_is_what_the_commands_say():
    script = ROOT / "docs" / "generate_cli.py"
    done = subprocess.run(
        [sys.executable, script, "--check"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_everything_has_help(words):
    command = COMMANDS[words]
    assert command.help
    options = [p for p in command.params if isinstance(p, click.Option) and not p.hidden]
    assert [option.name for option in options if not option.help] == []


@pytest.mark.parametrize("name", READMES)
def test_commands_in_the_readme_exist(name):
    lines = list(called(name))
    assert lines, "the README shows how to call orthowatch"
    for words in lines:
        command, rest = resolve(words)
        known = {
            opt
            for owner in (cli.orthowatch, command)
            for p in owner.params
            for opt in (*p.opts, *p.secondary_opts)
        } | {"--help"}
        used = {word.split("=")[0] for word in rest if re.match(r"--?[a-z]", word)}
        assert used <= known, words
        if isinstance(command, click.Group):
            assert not [word for word in rest if not word.startswith("-")], words


@pytest.mark.parametrize("name", READMES)
def test_targets_in_the_readme_exist(name):
    targets = set(re.findall(r"^([a-z-]+):", read("Makefile"), re.MULTILINE))
    code = "\n".join(text for _, text in blocks(name)) + "\n".join(
        re.findall(r"`([^`\n]+)`", read(name))
    )
    assert set(re.findall(r"\bmake ([a-z][a-z-]*)", code)) <= targets


def test_both_readmes_say_the_same():
    english, chinese = READMES
    assert blocks(chinese) == blocks(english)
    levels = [re.findall(r"^(#+) ", FENCE.sub("", read(name)), re.MULTILINE) for name in READMES]
    assert levels[0] == levels[1]


@pytest.mark.parametrize("name", [*READMES, "CONTRIBUTING.md", "CHANGELOG.md"])
def test_links_inside_the_repository_lead_somewhere(name):
    targets = re.findall(r"\]\((?!https?:|mailto:|#)([^)#\s]+)", read(name))
    assert [target for target in targets if not (ROOT / target).exists()] == []
