# SPDX-License-Identifier: GPL-2.0-or-later
"""What all the algorithms share: ask, run the command, tell, hand out."""

from __future__ import annotations

import os
import shlex
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from processing.core.ProcessingConfig import ProcessingConfig
from qgis.core import (
    QgsApplication,
    QgsProcessingAlgorithm,
    QgsProcessingContext,
    QgsProcessingException,
    QgsProcessingFeedback,
)
from qgis.PyQt.QtGui import QIcon

from .command import NAME, clean_environment, command_line, find_command
from .options import Asked, File, Option
from .runner import Bar, Listener, Outcome, Said, run_command
from .words import language_of, translate

__all__ = ["COMMAND_SETTING", "ICON", "CommandAlgorithm", "language", "say"]

ICON = Path(__file__).with_name("icon.svg")
COMMAND_SETTING = "ORTHOWATCH_COMMAND"
"""Under Settings, Options, Processing, Providers."""

_WHERE = File("COMMAND", "The command orthowatch, where it is not found by itself", advanced=True)


def language() -> str:
    """Return the language QGIS speaks, as the command names it."""
    return language_of(QgsApplication.locale())


def say(sentence: str) -> str:
    """Return a sentence in the language QGIS speaks."""
    return translate(sentence, language())


class CommandAlgorithm(QgsProcessingAlgorithm):
    """One command of orthowatch."""

    COMMAND = ""
    """Its name."""
    TITLE = ""
    HELP = ""
    OPTIONS: tuple[Option, ...] = ()
    """In the order QGIS shows them; arguments come in the order of the command."""
    STAGES = 1
    """How many stages of progress it usually tells of."""

    def __init__(self) -> None:
        super().__init__()
        self._line: list[str] = []
        self._saved: TemporaryDirectory[str] | None = None

    def createInstance(self) -> CommandAlgorithm:
        return type(self)()

    def name(self) -> str:
        return self.COMMAND

    def displayName(self) -> str:
        return say(self.TITLE)

    def shortHelpString(self) -> str:
        return say(self.HELP)

    def icon(self) -> QIcon:
        return QIcon(str(ICON))

    def initAlgorithm(self, configuration: dict[str, Any] | None = None) -> None:  # noqa: ARG002
        for option in (*self.OPTIONS, _WHERE):
            for definition in option.definitions(say):
                self.addParameter(definition)
        self.add_outputs()

    def add_outputs(self) -> None:
        """Declare what comes out."""

    def output_words(self, asked: Asked) -> list[str]:  # noqa: ARG002
        """Return the part of the command line that says where the output goes."""
        return []

    def outputs(self, outcome: Outcome, context: QgsProcessingContext) -> dict[str, Any]:
        """Return what came out of a run that ended well."""
        raise NotImplementedError

    def prepareAlgorithm(
        self,
        parameters: dict[str, Any],
        context: QgsProcessingContext,
        feedback: QgsProcessingFeedback,
    ) -> bool:
        # Here and not later: this is the thread that the layers of the project live in.
        self._saved = TemporaryDirectory(prefix="orthowatch_")
        asked = Asked(self, parameters, context, feedback, Path(self._saved.name), say)
        arguments, options = [], []
        for option in self.OPTIONS:
            (options if option.flag else arguments).extend(option.words(asked))
        words = [*options, *self.output_words(asked), *arguments]
        self._line = command_line(_command(asked), self.COMMAND, words, language())
        return True

    def processAlgorithm(
        self,
        parameters: dict[str, Any],  # noqa: ARG002
        context: QgsProcessingContext,
        feedback: QgsProcessingFeedback,
    ) -> dict[str, Any]:
        feedback.pushCommandInfo(shlex.join(self._line))
        ear = _Ear(feedback, Bar(self.STAGES))
        try:
            outcome = run_command(self._line, clean_environment(os.environ), ear)
        except OSError as error:
            sentence = say("The command could not be started: {reason}")
            raise QgsProcessingException(sentence.format(reason=error)) from error
        finally:
            if self._saved is not None:
                self._saved.cleanup()
        if outcome.canceled:
            feedback.pushInfo(say("Canceled: nothing half-written was left."))
            return {}
        self.require_success(outcome, feedback)
        return self.outputs(outcome, context)

    def require_success(self, outcome: Outcome, feedback: QgsProcessingFeedback) -> None:  # noqa: ARG002
        """Raise what went wrong, in the command's own line."""
        if outcome.code != 0:
            sentence = say("The command ended with code {code} and said nothing.")
            raise QgsProcessingException(outcome.error or sentence.format(code=outcome.code))


class _Ear(Listener):
    """Passes on to QGIS what the command says."""

    def __init__(self, feedback: QgsProcessingFeedback, bar: Bar) -> None:
        self.feedback = feedback
        self.bar = bar
        self.stage = ""

    def hear(self, said: Said) -> None:
        if said.kind == "progress":
            if said.text != self.stage:
                self.stage = said.text
                self.feedback.setProgressText(said.text)
            self.feedback.setProgress(self.bar.advance(said.text, said.percent))
        elif said.kind == "say":
            self.feedback.pushInfo(said.text)
        elif said.kind == "text":
            self.feedback.pushConsoleInfo(said.text)

    def unwanted(self) -> bool:
        return self.feedback.isCanceled()


def _command(asked: Asked) -> str:
    """Return where the command is: as this run says, else as the setting says, else by itself."""
    named = asked.read("File", _WHERE.name) or ProcessingConfig.getSetting(COMMAND_SETTING)
    found = find_command(named, os.environ)
    if found is None:
        sentence = (
            "The command {command} is not found: name it under Settings, Options, Processing,"
            " Providers, orthowatch."
        )
        raise asked.fail(sentence, command=named or NAME)
    return found
