"""The command line called from tests, in this process or in one of its own."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

import cli

__all__ = ["COMMAND", "Answer", "call_here", "installed", "outlives", "refused"]

COMMAND = Path(sys.executable).with_name("orthowatch")


class Answer:
    """Exit code, stdout and stderr."""

    def __init__(self, code, out, err):
        self.code, self.out, self.err = code, out, err

    @property
    def features(self):
        return json.loads(self.out)["features"]


def call_here(monkeypatch, capsys, *arguments, **environment):
    """Run the command in this process, as the installed script would."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys, "argv", ["orthowatch", *map(str, arguments)])
    with pytest.raises(SystemExit) as caught:
        cli.main()
    said = capsys.readouterr()
    return Answer(caught.value.code, said.out, said.err)


def installed(*arguments, cwd=None, **environment):
    """Run the installed command in a process of its own."""
    done = subprocess.run(
        [COMMAND, *map(str, arguments)],
        capture_output=True,
        encoding="utf-8",
        cwd=cwd,
        env={**os.environ, **environment},
        check=False,
        timeout=120,
    )
    return Answer(done.returncode, done.stdout, done.stderr)


def refused(answer, *says):
    """Whether a mistake was told in one line, with nothing on stdout."""
    assert answer.code == 2, answer.err
    assert answer.out == ""
    assert len(answer.err.strip().splitlines()) == 1, answer.err
    assert answer.err.startswith("Error: ")
    assert "Traceback" not in answer.err
    for part in says:
        assert part in answer.err
    return True


def outlives(process, seconds):
    """Whether a process still does anything after some time; a zombie only waits to be counted."""
    for _ in range(int(seconds / 0.1)):
        try:
            if process.status() == psutil.STATUS_ZOMBIE:
                return False
        except psutil.NoSuchProcess:
            return False
        time.sleep(0.1)
    return True
