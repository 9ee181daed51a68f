# SPDX-License-Identifier: GPL-2.0-or-later
"""The algorithms: which command each runs, what it asks for, and what comes out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from qgis.core import (
    QgsProcessingContext,
    QgsProcessingException,
    QgsProcessingFeedback,
    QgsProcessingOutputNumber,
    QgsProcessingOutputVectorLayer,
    QgsProcessingParameterBoolean,
    QgsProcessingParameterFileDestination,
    QgsProcessingParameterFolderDestination,
)

from .base import CommandAlgorithm, language, say
from .findings import LEVELS, Finding, findings_page, read_findings
from .folder import Shown, alignment_layers, count_suspects, result_layers, suspects_source
from .loading import is_open, load_layers
from .options import (
    Asked,
    Choice,
    Crs,
    Day,
    File,
    Number,
    Option,
    Protected,
    Raster,
    Switch,
    Text,
    Vector,
)
from .runner import Outcome

__all__ = ["ALGORITHMS", "Align", "Check", "Detect", "Export", "Inventory"]

_BEFORE = Raster("BEFORE", "Earlier flight", needed=True)
_AFTER = Raster("AFTER", "Later flight", needed=True)
_DSMS = (
    Raster("DSM_BEFORE", "Surface model of the earlier flight", "--dsm-before"),
    Raster("DSM_AFTER", "Surface model of the later flight", "--dsm-after"),
)
_DATES = (
    Day("FLOWN_BEFORE", "Day of the earlier flight", "--flown-before", advanced=True),
    Day("FLOWN_AFTER", "Day of the later flight", "--flown-after", advanced=True),
)
_READING = (
    Crs("CRS", "CRS of files that state none", "--crs", advanced=True),
    Number("NODATA", "Value that means no picture", "--nodata", advanced=True),
)
_GROUND = (
    Vector("PERMITS", "Permits", "--permits", polygons=False),
    Vector("TOWNSHIPS", "Townships and streets", "--townships"),
    Vector("COMMUNITIES", "Communities and villages", "--communities"),
    Vector("CELLS", "Cells of the unit grid", "--cells"),
    Protected("PROTECTED", "Protected ground", "--protected"),
    Vector("WITHIN", "Area to report on", "--within"),
    Number("MIN_AREA", "Smallest area reported, square metres", "--min-area", least=0.0),
    File(
        "CONTROL_POINTS",
        "Points that carry the permits to the ground",
        "--control-points",
        advanced=True,
    ),
    Crs(
        "LAYERS_CRS",
        "CRS of the layers, whatever they say of themselves",
        "--layers-crs",
        advanced=True,
    ),
    Text("ENCODING", "Encoding of the layers' text, such as GBK", "--encoding", advanced=True),
    Switch("STRICT", "Refuse layers with flawed rows", "--strict", advanced=True),
)
_ALIGNING = (
    Choice(
        "PRECISION",
        "How exactly to align",
        "--precision",
        advanced=True,
        choices=(
            ("", "As in the settings"),
            ("standard", "As detection needs it (standard)"),
            ("precise", "As exactly as the pictures allow (precise)"),
        ),
    ),
    Number(
        "SEARCH",
        "Largest offset to look for, metres",
        "--search",
        advanced=True,
        least=0.0,
        most=200.0,
    ),
    File("ALIGNMENT", "Saved alignment (field.tif)", "--alignment", advanced=True),
    Switch(
        "ACCEPT_ALIGNMENT",
        "Go on although alignment is refused",
        "--accept-alignment",
        advanced=True,
    ),
)
_RUNNING = (
    File("CONFIG", "Settings file (TOML)", "--config", advanced=True),
    Number("WORKERS", "Processes", "--workers", advanced=True, least=1, most=256, whole=True),
    Number(
        "ASSUMED_ERROR",
        "Tolerance where nothing can be measured, metres",
        "--assumed-error",
        advanced=True,
        least=0.0,
        most=50.0,
    ),
)


class FolderAlgorithm(CommandAlgorithm):
    """A command that writes a folder."""

    LOADS = True
    """Whether it holds layers that belong on the map."""

    def __init__(self) -> None:
        super().__init__()
        self._folder = Path()
        self._load = False

    def add_outputs(self) -> None:
        if self.LOADS:
            title = say("Load the results into the project")
            self.addParameter(QgsProcessingParameterBoolean("LOAD", title, True))
        self.addParameter(QgsProcessingParameterFolderDestination("OUTPUT", say("Output folder")))

    def output_words(self, asked: Asked) -> list[str]:
        self._folder = Path(asked.read("String", "OUTPUT")).absolute()
        # Beside an open GeoPackage lies a log that would be taken for the new one's; and what was
        # noted down in the old one would be lost.
        if is_open(self._folder, asked.context.project()):
            sentence = (
                "Layers of {path} are open in the project: name another folder, or remove them"
                " from the project first."
            )
            raise asked.fail(sentence, path=self._folder)
        self._load = self.LOADS and asked.read("Boolean", "LOAD")
        self._folder.parent.mkdir(parents=True, exist_ok=True)
        return [f"--output={self._folder}"]

    def layers(self) -> Sequence[Shown]:
        """Return the layers it wrote, topmost first."""
        return ()

    def outputs(self, outcome: Outcome, context: QgsProcessingContext) -> dict[str, Any]:  # noqa: ARG002
        if self._load:
            load_layers(self.layers(), self._folder.name, context)
        return {"OUTPUT": str(self._folder)}


class SuspectsAlgorithm(FolderAlgorithm):
    """A command that finds suspects."""

    def add_outputs(self) -> None:
        super().add_outputs()
        self.addOutput(QgsProcessingOutputVectorLayer("SUSPECTS", say("Suspects")))
        self.addOutput(QgsProcessingOutputNumber("COUNT", say("Number of suspects")))

    def layers(self) -> Sequence[Shown]:
        return result_layers(self._folder)

    def outputs(self, outcome: Outcome, context: QgsProcessingContext) -> dict[str, Any]:
        found = {"SUSPECTS": suspects_source(self._folder), "COUNT": count_suspects(self._folder)}
        project = self._folder / "project.qgz"
        if project.is_file() and context.feedback() is not None:
            sentence = say("{path} opens the whole result with its pictures.")
            context.feedback().pushInfo(sentence.format(path=project))
        return {**super().outputs(outcome, context), **found}


class Check(CommandAlgorithm):
    """``orthowatch check``."""

    COMMAND = "check"
    TITLE = "Check flights"
    HELP = (
        "Says what is wrong or doubtful with one flight or two: each finding goes to the log, and"
        " to the report. Fails where a flight cannot be used."
    )
    OPTIONS: tuple[Option, ...] = (
        _BEFORE,
        Raster("AFTER", "Later flight"),
        *_DSMS,
        *_DATES,
        *_READING,
    )

    def __init__(self) -> None:
        super().__init__()
        self._report: Path | None = None

    def add_outputs(self) -> None:
        self.addParameter(
            QgsProcessingParameterFileDestination(
                "REPORT", say("Report"), "HTML (*.html)", None, optional=True
            )
        )

    def output_words(self, asked: Asked) -> list[str]:
        path = asked.read("FileOutput", "REPORT") if asked.given("REPORT") else ""
        self._report = Path(path).absolute() if path else None
        return ["--json"]

    def require_success(self, outcome: Outcome, feedback: QgsProcessingFeedback) -> None:
        try:
            findings = read_findings(outcome.out)
        except ValueError:
            # No list was printed: the command could not even look.
            super().require_success(outcome, feedback)
            raise
        for finding in findings:
            _tell(finding, feedback)
        if self._report is not None:
            words = {level: say(word) for level, word in LEVELS.items()}
            page = findings_page(findings, say("Findings"), words, language())
            self._report.write_text(page, encoding="utf-8")
        if outcome.code != 0:
            refused = [finding.says for finding in findings if finding.level == "refuse"]
            raise QgsProcessingException(refused[0] if refused else outcome.error)

    def outputs(self, outcome: Outcome, context: QgsProcessingContext) -> dict[str, Any]:  # noqa: ARG002
        return {} if self._report is None else {"REPORT": str(self._report)}


class Align(FolderAlgorithm):
    """``orthowatch align``."""

    COMMAND = "align"
    TITLE = "Align two flights"
    HELP = (
        "Measures how the later flight lies against the earlier one and writes a report, the"
        " displacement field and the ties; the later flight moved onto the earlier one, too, if"
        " wanted."
    )
    OPTIONS: tuple[Option, ...] = (
        _BEFORE,
        _AFTER,
        Switch("IMAGE", "Write the aligned image too", "--image"),
        *_READING,
        *_ALIGNING,
        *_RUNNING,
    )
    STAGES = 2

    def layers(self) -> Sequence[Shown]:
        return alignment_layers(self._folder)


class Detect(SuspectsAlgorithm):
    """``orthowatch detect``."""

    COMMAND = "detect"
    TITLE = "Detect suspects between two flights"
    HELP = (
        "Compares two flights over the same ground and lists the structures that appeared or grew"
        " and that no permit covers."
    )
    OPTIONS: tuple[Option, ...] = (
        _BEFORE,
        _AFTER,
        *_DSMS,
        *_GROUND,
        *_DATES,
        *_READING,
        *_ALIGNING,
        File("DETECTOR", "Other detector (ONNX model)", "--detector", advanced=True),
        Raster("EVIDENCE", "Evidence made elsewhere", "--evidence", advanced=True, tiles=False),
        *_RUNNING,
    )
    STAGES = 5


class Inventory(SuspectsAlgorithm):
    """``orthowatch inventory``."""

    COMMAND = "inventory"
    TITLE = "Inventory of one flight"
    HELP = (
        "Lists what stands in one flight and no permit covers, and the permits on which nothing"
        " stands."
    )
    OPTIONS: tuple[Option, ...] = (
        Raster("ORTHO", "Flight", needed=True),
        Raster("DSM", "Surface model of the flight", "--dsm"),
        *_GROUND,
        Day("FLOWN_ON", "Day of the flight", "--flown-on", advanced=True),
        *_READING,
        *_RUNNING,
    )
    STAGES = 4


class Export(FolderAlgorithm):
    """``orthowatch export``."""

    LOADS = False
    COMMAND = "export"
    TITLE = "Export lists by township or team"
    HELP = (
        "Makes the lists, sheets and files for the field out of a folder of results, one bundle"
        " for each township, community, cell or team."
    )
    OPTIONS: tuple[Option, ...] = (
        File("RESULT", "Folder of results", needed=True, folder=True),
        Choice(
            "BY",
            "One bundle for each",
            "--by",
            choices=(
                ("", "No bundles: everything together"),
                ("township", "Township or street"),
                ("community", "Community or village"),
                ("cell", "Cell of the unit grid"),
                ("team", "Team"),
            ),
        ),
        File(
            "DECISIONS", "Decisions saved by the review page", "--decisions", filter="JSON (*.json)"
        ),
        Choice(
            "LANGUAGE",
            "Language of lists and sheets",
            "--language",
            choices=(
                ("", "As in QGIS"),
                ("en", "English"),
                ("zh_CN", "Chinese"),
                ("both", "Both languages"),
            ),
        ),
        Choice(
            "NAVIGATION",
            "Whose map the links open",
            "--navigation",
            advanced=True,
            choices=(
                ("", "As in the settings"),
                ("amap", "Amap"),
                ("tencent", "Tencent Maps"),
                ("geo", "The phone's own (geo:)"),
                ("none", "No links"),
            ),
        ),
        File("CONFIG", "Settings file (TOML)", "--config", advanced=True),
    )


ALGORITHMS = (Check, Align, Detect, Inventory, Export)


def _tell(finding: Finding, feedback: QgsProcessingFeedback) -> None:
    line = f"{say(LEVELS[finding.level])}: {finding.says}"
    if finding.level == "info":
        feedback.pushInfo(line)
    elif finding.level == "warning":
        feedback.pushWarning(line)
    else:
        feedback.reportError(line)
