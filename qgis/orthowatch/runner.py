# SPDX-License-Identifier: GPL-2.0-or-later
"""A run of the command: started, listened to, ended early where nobody wants it any more."""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import IO

__all__ = ["Bar", "Listener", "Outcome", "Said", "parse_line", "run_command"]

# How often a run asks whether it is still wanted, s.
_LOOK_S = 0.2
# What the command gets to take its workers down and remove what it has half written, s.
_GRACE_S = 15.0


@dataclass(frozen=True)
class Said:
    """One line of the command's stderr."""

    kind: str
    """``progress``, ``say``, ``error``, or ``text`` for what is no JSON, such as a traceback."""
    text: str
    """The sentence, or the name of the stage."""
    percent: float = 0.0
    """How much of the stage is done, for ``progress``."""


@dataclass(frozen=True)
class Outcome:
    """How a run ended."""

    code: int
    """The exit code."""
    out: str
    """Everything on stdout."""
    error: str
    """The command's one line on what went wrong, else the last line it wrote; may be empty."""
    canceled: bool
    """Whether it was ended because nobody wanted it any more."""


class Listener:
    """Who hears what a run says; this one hears nothing and lets it go on."""

    def hear(self, said: Said) -> None:
        """Take one line, in the thread that called `run_command`."""

    def unwanted(self) -> bool:
        """Whether the run is to end."""
        return False


class Bar:
    """How far a run is: its stages side by side, each as long as the next, and never backwards."""

    def __init__(self, stages: int) -> None:
        self._expected = stages
        self._seen: list[str] = []
        self._shown = 0.0

    def advance(self, stage: str, percent: float) -> float:
        """Return how much of the whole is done, %, when a stage has come so far."""
        if stage not in self._seen:
            self._seen.append(stage)
        whole = max(self._expected, len(self._seen))
        here = (100.0 * self._seen.index(stage) + percent) / whole
        self._shown = max(self._shown, here)
        return self._shown


def parse_line(line: str) -> Said:
    """Return what a line of stderr says; whatever does not fit the protocol is text."""
    try:
        told = json.loads(line)
    except (ValueError, RecursionError):
        told = None
    if not isinstance(told, dict):
        return Said("text", _inert(line))
    for kind in ("say", "error"):
        if isinstance(told.get(kind), str):
            return Said(kind, _inert(told[kind]))
    stage, done, total = told.get("stage"), told.get("done"), told.get("total")
    if isinstance(stage, str) and type(done) is int and type(total) is int and 0 <= done <= total:
        return Said("progress", _inert(stage), 100.0 * done / max(total, 1))
    return Said("text", _inert(line))


def _inert(text: str) -> str:
    """Return a text that does nothing to the terminal or the log it is shown in."""
    return "".join(sign if sign.isprintable() else " " for sign in text)


def run_command(line: Sequence[str], environment: Mapping[str, str], listener: Listener) -> Outcome:
    """Run a command to its end.

    Parameters
    ----------
    line
        The command and its arguments.
    environment
        All it sees of the environment.
    listener
        Hears every line of stderr as it comes, and may end the run.

    Raises
    ------
    OSError
        The command cannot be started.
    """
    with subprocess.Popen(
        list(line),
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        out: list[bytes] = []
        reader = threading.Thread(target=lambda: out.extend(process.stdout or ()), daemon=True)
        reader.start()
        last, canceled = {"error": "", "text": ""}, False
        for said in _heard(process):
            if said is None:
                if not canceled and listener.unwanted():
                    canceled = True
                    _end(process)
                continue
            if said.kind in last and said.text.strip():
                last[said.kind] = said.text.strip()
            listener.hear(said)
        reader.join()
        code = process.wait()
    text = b"".join(out).decode("utf-8", "replace")
    return Outcome(code, text, last["error"] or last["text"], canceled)


def _heard(process: subprocess.Popen[bytes]) -> Iterator[Said | None]:
    """Yield each line of stderr as it comes, and None now and then to look up."""
    lines: queue.Queue[bytes | None] = queue.Queue()
    threading.Thread(target=_drain, args=(process.stderr, lines.put), daemon=True).start()
    while True:
        try:
            line = lines.get(timeout=_LOOK_S)
        except queue.Empty:
            yield None
            continue
        if line is None:
            return
        yield parse_line(line.decode("utf-8", "replace").rstrip("\r\n"))
        # A command that never stops talking can be ended, too.
        yield None


def _drain(stream: IO[bytes], put: Callable[[bytes | None], None]) -> None:
    for line in stream:
        put(line)
    put(None)


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a run as Ctrl-C does, which leaves nothing half-written, and by force where it stays."""
    if process.poll() is not None:
        return
    if os.name == "nt":
        process.terminate()
    else:
        process.send_signal(signal.SIGINT)
    force = threading.Timer(_GRACE_S, process.kill)
    force.daemon = True
    force.start()
