"""The command line: parses, calls one function, prints.

Data goes to stdout, talk to stderr. Heavy packages are imported inside the commands, so that
``--help`` answers at once.
"""

import io
import json
import logging
import math
import os
import signal
import sys
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import click

_OURS = ("survey", "change")


def _blame(error: ImportError) -> str:
    """Return the sentence on a package of ours that another one stands in front of."""
    owners = metadata.packages_distributions()
    taken = [f"{name} ({', '.join(owners.get(name, ['?']))})" for name in _OURS]
    return (
        f"orthowatch cannot find its own modules: {error}. Packages in the way: {'; '.join(taken)}."
        " Install orthowatch into an environment of its own."
    )


try:
    from survey.errors import InputError, OrthowatchError, PartialError, SettingsError
    from survey.settings import LIST_LANGUAGES, NAVIGATIONS, PRECISIONS
    from survey.words import LANGUAGES, _, ngettext, use_language
except ImportError as broken:
    sys.exit(_blame(broken))

if TYPE_CHECKING:
    from change.ground_layers import LayerOptions
    from change.inventory_result import InventoryResult
    from change.job import Job
    from change.result import Result
    from survey.settings import Settings
    from survey.simulation import Order

__all__ = ["main", "orthowatch"]

_Found = TypeVar("_Found", "Result", "InventoryResult")

FAILED, BAD_INPUT, SUSPECTS, PARTLY, INTERRUPTED = 1, 2, 3, 4, 130
"""Exit codes beside 0."""


def _asked(arguments: list[str], option: str, choices: Sequence[str]) -> str | None:
    """Return which of its choices an option is given, before click has parsed anything."""
    for i, word in enumerate(arguments):
        if word == option and i + 1 < len(arguments):
            return arguments[i + 1] if arguments[i + 1] in choices else None
        if word.startswith(f"{option}="):
            asked = word.partition("=")[2]
            return asked if asked in choices else None
    return None


# Help texts are built as the commands are declared.
use_language(_asked(sys.argv[1:], "--lang", LANGUAGES))


_VOICES = ("auto", "json", "none")


@dataclass(slots=True, kw_only=True)
class _Voice:
    """How a run talks on stderr; click carries it from command to command."""

    form: str = "auto"
    """One of `_VOICES`."""

    def tell(self, kind: str, line: str) -> None:
        """Write a line as it is, or as an object whose only key is its kind."""
        if self.form == "json":
            line = json.dumps({kind: line})
        click.echo(line, err=True)

    def complain(self, message: str) -> None:
        """Write an error in one line."""
        line = " ".join(message.split())
        spoken = line if self.form == "json" else _("Error: {message}").format(message=line)
        self.tell("error", spoken)

    def refuse(self, error: click.ClickException) -> None:
        """Write what click says of a command line it cannot take."""
        if self.form == "json":
            self.complain(error.format_message())
        else:
            error.show()


def _voice() -> _Voice:
    """Return the voice of the command that runs."""
    return click.get_current_context().ensure_object(_Voice)


def _speak(context: click.Context, _option: click.Parameter, form: str) -> None:
    context.ensure_object(_Voice).form = form


def _tell(sentence: str) -> None:
    _voice().tell("say", sentence)


class _Day(click.ParamType[date]):
    """A calendar day, ISO 8601."""

    name = "date"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:
        if isinstance(value, date):
            return value
        try:
            return date.fromisoformat(value)
        except ValueError:
            self.fail(_("{value!r} is not a day like 2025-03-15").format(value=value), param, ctx)


def _parsed_crs(value: str | None) -> Any:
    """Return the CRS a user names: a code, WKT, PROJ text, or a file that holds one."""
    if value is None:
        return None
    from pyproj import CRS
    from pyproj.exceptions import CRSError

    try:
        path = Path(value)
        text = path.read_text(encoding="utf-8").strip() if path.is_file() else value
        return CRS.from_user_input(text)
    except (CRSError, OSError, UnicodeDecodeError) as error:
        raise SettingsError(
            _(
                "--crs {value}: not a coordinate reference system (EPSG code, WKT, or a file)"
            ).format(value=value)
        ) from error


def _options(*decorators: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Return one decorator out of several, the first on top."""

    def apply(command: Any) -> Any:
        for decorator in reversed(decorators):
            command = decorator(command)
        return command

    return apply


class _Named(click.Path):
    """A path that must have a name: an empty shell variable is not the current folder."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if value == "":
            self.fail(_("the name is empty"), param, ctx)
        return super().convert(value, param, ctx)


class _Fresh(_Named):
    """A folder that is made: it takes its place at the end, which the current one cannot."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        path = super().convert(value, param, ctx)
        if os.path.realpath(path) == os.path.realpath("."):
            self.fail(_("name a new folder, not the one you are in"), param, ctx)
        return path


class _Amount(click.FloatRange):
    """A number within limits; what is not a number is in none."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        number = super().convert(value, param, ctx)
        if not math.isfinite(number):
            text = _("{value!r} is not a valid {number_type}.")
            self.fail(text.format(value=value, number_type=self.name), param, ctx)
        return number


class _Protected(click.ParamType[tuple[str, str]]):
    """A layer with the name of what it protects, ``NAME=FILE``."""

    name = "name=file"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, str]:
        if isinstance(value, tuple):
            return value
        name, equals, layer = (part.strip() for part in value.partition("="))
        named = name.isprintable() and ";" not in name and len(name) <= 80
        if not (name and equals and layer and named):
            self.fail(_("{value!r} is not NAME=FILE").format(value=value), param, ctx)
        return name, layer


_SOURCE = _Named(path_type=Path)
_NEW_FOLDER = click.argument("folder", type=_Fresh(path_type=Path))
_LAYER = _Named(path_type=str)
_BEFORE_AFTER = _options(
    click.argument("before", type=_SOURCE),
    click.argument("after", type=_SOURCE),
)
_MEASURING = _options(
    click.option(
        "--precision",
        type=click.Choice(PRECISIONS),
        help=_("How exactly to align: as detection needs it, or as the pictures allow."),
    ),
    click.option(
        "--search",
        type=_Amount(0.0, 200.0),
        help=_("Largest offset between the flights to look for, metres; default: 20."),
    ),
)
_ALIGNING = _options(
    _MEASURING,
    click.option(
        "--alignment",
        type=_SOURCE,
        help=_("Go by a saved field.tif instead of measuring."),
    ),
    click.option(
        "--accept-alignment",
        is_flag=True,
        help=_("Go on although alignment is refused, or saved for other files."),
    ),
)
_DETECTING = _options(
    click.option(
        "--detector",
        type=_SOURCE,
        help=_("Another ONNX model to detect with, its manifest (.toml) beside it."),
    ),
    click.option(
        "--evidence",
        type=_SOURCE,
        help=_("Raster made elsewhere: how likely something appeared or went, by pixel."),
    ),
)
_DSMS = _options(
    click.option("--dsm-before", type=_SOURCE, help=_("Surface model of the earlier flight.")),
    click.option("--dsm-after", type=_SOURCE, help=_("Surface model of the later flight.")),
)
_DATES = _options(
    click.option("--flown-before", type=_Day(), help=_("Day of the earlier flight.")),
    click.option("--flown-after", type=_Day(), help=_("Day of the later flight.")),
)
_READING = _options(
    click.option("--crs", help=_("CRS of files that state none: EPSG code, WKT or a file.")),
    click.option("--nodata", type=float, help=_("Value that means no picture.")),
)
_GROUND = _options(
    click.option(
        "--permits",
        type=_LAYER,
        help=_("Layer of permitted buildings (FILE or FILE|layername=NAME)."),
    ),
    click.option(
        "--control-points",
        type=_SOURCE,
        help=_("Table of points that carry the permits to the ground."),
    ),
    click.option(
        "--protected",
        type=_Protected(),
        multiple=True,
        help=_("Layer of protected ground, NAME=FILE, such as farmland=red_line.gpkg; repeatable."),
    ),
    click.option("--townships", type=_LAYER, help=_("Layer of townships and streets.")),
    click.option("--communities", type=_LAYER, help=_("Layer of communities and villages.")),
    click.option("--cells", type=_LAYER, help=_("Layer of the unit grid.")),
    click.option("--layers-crs", help=_("CRS of the layers, whatever they say of themselves.")),
    click.option("--encoding", help=_("Encoding of the layers' text, such as GBK.")),
)
# As many as the settings allow.
_PROCESSES = click.IntRange(1, 256)
_TALK = _options(
    click.option("--json", "as_json", is_flag=True, help=_("Print the record as JSON.")),
    click.option("--quiet", is_flag=True, help=_("Say nothing but errors.")),
    click.option(
        "--progress",
        type=click.Choice(_VOICES),
        default="auto",
        is_eager=True,
        expose_value=False,
        callback=_speak,
        help=_("How stderr tells progress: as it suits, one JSON object a line, or not at all."),
    ),
    click.option("--lang", type=click.Choice(LANGUAGES), help=_("Language of the sentences.")),
)
_RUNNING = _options(
    click.option("--config", type=_SOURCE, help=_("Settings file (TOML).")),
    click.option("--workers", type=_PROCESSES, help=_("Processes; default: all cores.")),
    click.option(
        "--assumed-error",
        type=click.FloatRange(0.0, 50.0),
        help=_("Tolerance where nothing can be measured, metres."),
    ),
)


_SEED = click.option(
    "--seed",
    type=click.IntRange(0),
    default=1,
    show_default=True,
    help=_("The same seed gives the same pixels."),
)


# Written down again because the simulator brings heavy packages; a test compares.
_SETTINGS = ("fringe", "urban_village", "town", "industrial", "farmland", "hills", "greenhouses")
_COLLARS = ("none", "mask", "black", "white")
_SEVERITIES = ("mild", "usual", "bad")
_FORMS = ("gpkg", "shp", "geojson", "csv")
# Likewise, of what makes lists and sheets.
_UNITS = ("township", "community", "team", "cell")
_HANDOUTS = ("xlsx", "csv", "pdf", "html", "kmz", "gpx", "review")


@click.group(
    context_settings={"auto_envvar_prefix": "ORTHOWATCH", "help_option_names": ["-h", "--help"]},
    help=_("Compare drone flights over the same ground and list what no permit covers."),
)
@click.option(
    "--lang",
    type=click.Choice(LANGUAGES),
    expose_value=False,
    help=_("Language of the sentences."),
)
@click.version_option(package_name="orthowatch", message="%(prog)s %(version)s")
def orthowatch() -> None:
    pass


@orthowatch.command(
    short_help=_("List the structures that appeared, grew or vanished."),
    help=_(
        "Compare the orthophotos BEFORE and AFTER and list the structures that appeared or grew and"
        " that no permit covers. Each may be a file or a folder of tiles.\n\n"
        "Without -o the suspects are printed as GeoJSON. -o FILE.geojson writes them there, with"
        " FILE.run.json; -o FOLDER writes suspects, changes, excluded ground, a picture and the run"
        " record."
    ),
)
@_BEFORE_AFTER
@_GROUND
@_DSMS
@_DATES
@click.option("--within", type=_LAYER, help=_("Layer of the area to report on."))
@click.option("--min-area", type=float, help=_("Smallest change reported, square metres."))
@_READING
@click.option("-o", "--output", type=_SOURCE, help=_("FILE.geojson or a folder for everything."))
@click.option("--changes", type=_SOURCE, help=_("Write every change, permitted or not, to FILE."))
@_ALIGNING
@_DETECTING
@_RUNNING
@click.option("--fail-on-suspects", is_flag=True, help=_("Exit with 3 when there are suspects."))
@click.option("--strict", is_flag=True, help=_("Refuse layers with flawed rows."))
@_TALK
def detect(before: Path, after: Path, **options: Any) -> None:
    from change.export.bundle import require_apart, require_free

    if options["as_json"] and options["output"] is None:
        raise click.UsageError(_("--json needs -o: without -o the suspects themselves are printed"))
    if options["changes"] is not None:
        require_apart(options["changes"], options["output"])
    for target in (options["output"], options["changes"]):
        if target is not None:
            require_free(target)
    job = _job(before, after, options)
    _detect(job, _settings(options), options)


def _job(before: Path, after: Path, options: dict[str, Any]) -> "Job":
    from change.job import FlightOptions, Job

    first = FlightOptions(path=before, dsm=options["dsm_before"], flown_on=options["flown_before"])
    second = FlightOptions(path=after, dsm=options["dsm_after"], flown_on=options["flown_after"])
    return Job(
        before=first,
        after=second,
        layers=_layers(options),
        crs=_parsed_crs(options["crs"]),
        nodata=options["nodata"],
        alignment=options.get("alignment"),
        detector=options.get("detector"),
        evidence=options.get("evidence"),
    )


def _layers(options: dict[str, Any]) -> "LayerOptions":
    from change.ground_layers import LayerOptions

    return LayerOptions(
        permits=options.get("permits"),
        points=options.get("control_points"),
        within=options.get("within"),
        protected=options.get("protected", ()),
        townships=options.get("townships"),
        communities=options.get("communities"),
        cells=options.get("cells"),
        crs=_parsed_crs(options.get("layers_crs")),
        assumed_crs=_parsed_crs(options["crs"]),
        encoding=options.get("encoding"),
        strict=options.get("strict", False),
    )


def _settings(options: dict[str, Any]) -> "Settings":
    from survey.settings import read_settings

    if options.get("alignment") and (options["precision"] or options["search"] is not None):
        raise click.UsageError(_("--alignment leaves nothing to --precision and --search"))
    settings = read_settings(options.get("config"))
    settings = settings.changed("detect", min_area_m2=options.get("min_area"))
    settings = settings.changed("blocks", workers=options.get("workers"))
    return settings.changed(
        "align",
        precision=options.get("precision"),
        search_m=options.get("search"),
        assumed_error_m=options.get("assumed_error"),
        accept=options.get("accept_alignment") or None,
    )


def _detect(job: "Job", settings: "Settings", options: dict[str, Any]) -> None:
    """Run a job, write what was asked for, and say what was found."""
    from change.export.bundle import write_changes, write_result
    from change.job import run_job

    quiet = options["quiet"]
    result = run_job(job, settings, say=_talk(quiet), progress=None if quiet else _Progress())
    if options["changes"] is not None:
        write_changes(result, options["changes"])
    _hand_out(result, options, write_result, _list_suspects)


def _hand_out(
    result: _Found,
    options: dict[str, Any],
    write: Callable[[_Found, Path], list[Path]],
    listing: Callable[[_Found], None],
) -> None:
    """Print or write what was found, and exit as was asked for."""
    from change.export.bundle import record_path
    from change.export.geojson import geojson_text, suspects_frame

    output = options["output"]
    if output is None:
        click.echo(geojson_text(suspects_frame(result.suspects, result)), nl=False)
    else:
        written = write(result, output)
        if options["as_json"]:
            click.echo(record_path(output).read_text(encoding="utf-8"), nl=False)
        if not options["quiet"]:
            listing(result)
            _tell(_("written: {files}").format(files=", ".join(map(str, written))))
    if options["fail_on_suspects"] and result.suspects:
        sys.exit(SUSPECTS)


def _talk(quiet: bool) -> Callable[[str], None]:
    return (lambda _sentence: None) if quiet else _tell


def _list_suspects(result: "Result") -> None:
    """Print the suspects as a list a person can read."""
    from change.export.listing import suspect_lines

    suspects = result.suspects
    area = sum(item.change.area_m2 for item in suspects)
    text = ngettext(
        "{count} suspect, {area:.0f} m2, on {judged:.0f} m2 of judged ground",
        "{count} suspects, {area:.0f} m2, on {judged:.0f} m2 of judged ground",
        len(suspects),
    )
    judged = result.detection.judged_m2
    _tell(text.format(count=len(suspects), area=area, judged=judged))
    for line in suspect_lines(suspects, result.pair.grid.crs):
        _tell(line)


# A log gets no two lines of progress within this many seconds.
_QUIET_S = 2.0


class _Progress:
    """Progress on stderr: one line with the time left on a terminal, else a line per tenth.

    As JSON every step is a line: whoever reads it draws a bar of their own.
    """

    def __init__(self) -> None:
        self._form = _voice().form
        self._stage, self._began, self._tenth = "", 0.0, 0
        self._said = time.monotonic()

    def __call__(self, stage: str, done: int, total: int) -> None:
        if self._form == "auto":
            self._draw(stage, done, total)
        elif self._form == "json":
            step = {"stage": stage, "done": done, "total": total}
            click.echo(json.dumps(step), err=True)

    def _draw(self, stage: str, done: int, total: int) -> None:
        if stage != self._stage or done == 1:
            self._stage, self._began, self._tenth = stage, time.monotonic(), 0
        tenth = 10 * done // total
        if sys.stderr.isatty():
            left = (time.monotonic() - self._began) / done * (total - done)
            line = _("{stage}: {percent} %, {left:.0f} s left").format(
                stage=stage, percent=100 * done // total, left=left
            )
            click.echo(f"\r\x1b[K{line}", err=True, nl=done == total)
        elif tenth > self._tenth and total >= 10 and time.monotonic() - self._said >= _QUIET_S:
            self._tenth, self._said = tenth, time.monotonic()
            click.echo(_("{stage}: {percent} %").format(stage=stage, percent=10 * tenth), err=True)


@orthowatch.command(
    short_help=_("List what stands in one flight and no permit covers."),
    help=_(
        "List the structures that stand in the orthophoto ORTHO, a file or a folder of tiles, and"
        " that no permit covers, and the permits on which nothing stands. Give its surface model"
        " too: without heights far less is found, and less surely.\n\n"
        "Without -o the structures no permit covers are printed as GeoJSON. -o FILE.geojson writes"
        " them there, with FILE.run.json; -o FOLDER writes them (stock.geojson), everything that"
        " stands, the permits nothing was built on, excluded ground and the run record."
    ),
)
@click.argument("ortho", type=_SOURCE)
@_GROUND
@click.option("--dsm", type=_SOURCE, help=_("Surface model of the flight."))
@click.option("--flown-on", type=_Day(), help=_("Day of the flight."))
@click.option("--within", type=_LAYER, help=_("Layer of the area to report on."))
@click.option("--min-area", type=float, help=_("Smallest structure reported, square metres."))
@_READING
@click.option("-o", "--output", type=_SOURCE, help=_("FILE.geojson or a folder for everything."))
@_RUNNING
@click.option("--fail-on-suspects", is_flag=True, help=_("Exit with 3 when there are suspects."))
@click.option("--strict", is_flag=True, help=_("Refuse layers with flawed rows."))
@_TALK
def inventory(ortho: Path, **options: Any) -> None:
    from change.export.inventory_folder import require_free_inventory, write_inventory
    from change.inventory_job import InventoryJob, run_inventory
    from change.job import FlightOptions

    quiet, output = options["quiet"], options["output"]
    if options["as_json"] and output is None:
        raise click.UsageError(_("--json needs -o: without -o the suspects themselves are printed"))
    if output is not None:
        require_free_inventory(output)
    job = InventoryJob(
        flight=FlightOptions(path=ortho, dsm=options["dsm"], flown_on=options["flown_on"]),
        layers=_layers(options),
        crs=_parsed_crs(options["crs"]),
        nodata=options["nodata"],
    )
    progress = None if quiet else _Progress()
    result = run_inventory(job, _settings(options), say=_talk(quiet), progress=progress)
    _hand_out(result, options, write_inventory, _list_stock)


def _list_stock(result: "InventoryResult") -> None:
    """Print what no permit covers, and what no building stands on."""
    from change.export.listing import suspect_lines

    suspects = result.suspects
    text = _(
        "standing: {standing}, not as permitted: {count}, {area:.0f} m2; permits with nothing on"
        " them: {empty}; judged ground: {judged:.0f} m2"
    ).format(
        standing=len(result.compared),
        count=len(suspects),
        area=sum(item.change.area_m2 for item in suspects),
        empty=len(result.empty),
        judged=result.stock.judged_m2,
    )
    for line in (text, *suspect_lines(suspects, result.crs)):
        _tell(line)


@orthowatch.command(
    short_help=_("Say what is wrong or doubtful with one flight or two."),
    help=_(
        "Check FLIGHTS, one or two orthophotos (files or folders of tiles), and print what was"
        " measured against which limit. Exit code 2 where something cannot be used."
    ),
)
@click.argument("flights", type=_SOURCE, nargs=-1, required=True)
@_DSMS
@_DATES
@_READING
@_TALK
def check(flights: tuple[Path, ...], **options: Any) -> None:
    from change.export.listing import finding_lines
    from change.facts import finding_record
    from change.job import check_job

    if len(flights) > 2:
        raise click.UsageError(_("check takes one flight or two"))
    job = _job(flights[0], flights[-1], options)
    findings = check_job(job, single=len(flights) == 1)
    if options["as_json"]:
        click.echo(
            json.dumps([finding_record(item) for item in findings], ensure_ascii=False, indent=2)
        )
    elif not options["quiet"]:
        for line in finding_lines(findings):
            click.echo(line)
    if any(finding.level == "refuse" for finding in findings):
        sys.exit(BAD_INPUT)


@orthowatch.command(
    short_help=_("Measure how two flights lie against each other."),
    help=_(
        "Align AFTER to BEFORE and say how well that is known.\n\n"
        "-o FOLDER writes a report (report.html, report.json), a map of the residuals"
        " (residuals.png), the displacement field with its uncertainty (field.tif) and the ties"
        " (ties.gpkg); with --image also AFTER on the ground of BEFORE (aligned.tif, a Cloud"
        " Optimized GeoTIFF). -o FILE.tif writes that image alone, with FILE.run.json."
    ),
)
@_BEFORE_AFTER
@_READING
@click.option("-o", "--output", type=_SOURCE, help=_("A folder for the report, or FILE.tif."))
@click.option("--image", is_flag=True, help=_("Write the aligned image into the folder too."))
@_ALIGNING
@_RUNNING
@_TALK
def align(before: Path, after: Path, **options: Any) -> None:
    from change.alignment_job import align_job

    if options["image"] and options["output"] is None:
        raise click.UsageError(_("--image needs -o FOLDER"))
    options |= {"dsm_before": None, "dsm_after": None, "flown_before": None, "flown_after": None}
    quiet = options["quiet"]
    record = align_job(
        _job(before, after, options),
        _settings(options),
        output=options["output"],
        image=options["image"],
        say=_talk(quiet),
        progress=None if quiet else _Progress(),
    )
    if options["as_json"]:
        click.echo(json.dumps(record, ensure_ascii=False, indent=2))


@orthowatch.command(
    short_help=_("Lay all flights of an area on one of them."),
    help=_(
        "Align FLIGHTS, all of the same area, to one of them, the reference. Each is an orthophoto"
        " or a folder of tiles; a folder alone holds the flights.\n\n"
        "A flight that cannot be verified against the reference, or clearly less well, is aligned"
        " through the flight nearest to it in season or in time. What two ways to the same flight"
        " differ by is measured.\n\n"
        "-o FOLDER gets a report (chain.html, chain.json) and for each flight a displacement field"
        " (DATE.field.tif), by which detect goes with --alignment. Flights that are refused are"
        " named and the others go on; the exit code is 4 then."
    ),
)
@click.argument("flights", type=_SOURCE, nargs=-1, required=True)
@click.option(
    "-o", "--output", type=_SOURCE, required=True, help=_("A folder for report and fields.")
)
@click.option(
    "--reference", type=_SOURCE, help=_("The flight to lay the others on; default: the earliest.")
)
@_READING
@_MEASURING
@_RUNNING
@_TALK
def align_area(flights: tuple[Path, ...], **options: Any) -> None:
    from change.area_flights import AreaJob
    from change.area_job import area_job

    quiet = options["quiet"]
    record = area_job(
        AreaJob(
            paths=flights,
            reference=options["reference"],
            crs=_parsed_crs(options["crs"]),
            nodata=options["nodata"],
        ),
        _settings(options),
        output=options["output"],
        say=_talk(quiet),
        progress=None if quiet else _Progress(),
    )
    if options["as_json"]:
        click.echo(json.dumps(record, ensure_ascii=False, indent=2))
    if record["refused"]:
        text = _("{count} of {total} flights could not be aligned: {names}")
        names, total = record["refused"], len(record["flights"])
        raise PartialError(text.format(count=len(names), total=total, names=", ".join(names)))


@orthowatch.command(
    short_help=_("Write a made-up area seen by several flights, with the truth."),
    help=_(
        "Write a simulated area to FOLDER, which must be new or empty: for each flight, three"
        " months apart, an orthophoto and a surface model; the permits (permits.gpkg); townships"
        " and unit cells (townships.geojson, cells.geojson); and the truth on every change"
        " (truth.gpkg, truth.json).\n\n"
        "Each flight lies a little off and has its own light. The same options give the same"
        " files.\n\n"
        "Settings: fringe (villages, a factory, fields), urban_village (houses metres apart), town,"
        " industrial, farmland, hills, greenhouses.\n\n"
        "--dirt: mild is what a conversion leaves, usual damages one outline in ten and loses one"
        " permit in twenty-five, bad is three times that. permits_dirty.json lists every flaw, and"
        " what is left of each permit."
    ),
)
@_NEW_FOLDER
@_SEED
@click.option(
    "--setting",
    type=click.Choice(_SETTINGS),
    default="fringe",
    show_default=True,
    help=_("What kind of ground it is."),
)
@click.option(
    "--side",
    type=_Amount(60.0, 10_000.0),
    default=200.0,
    show_default=True,
    help=_("Side of the area, metres."),
)
@click.option(
    "--pixel",
    type=_Amount(0.02, 1.0),
    default=0.08,
    show_default=True,
    help=_("Pixel of the orthophotos, metres."),
)
@click.option(
    "--flights",
    type=click.IntRange(2, 12),
    default=4,
    show_default=True,
    help=_("How many flights."),
)
@click.option(
    "--pace",
    type=_Amount(0.0, 10.0),
    default=1.0,
    show_default=True,
    help=_("How much is built and removed, times the usual; 0 for nothing."),
)
@click.option(
    "--offset",
    type=_Amount(0.5, 10.0),
    default=3.0,
    show_default=True,
    help=_(
        "Greatest offset of a flight, metres; the first is off by 0.5 at most. A slight turn,"
        " stretch and warp come on top, up to half a metre."
    ),
)
@click.option(
    "--collar",
    type=click.Choice(_COLLARS),
    default="none",
    show_default=True,
    help=_("Ragged edge of the orthophotos: none, masked out, or plain black or white."),
)
@click.option(
    "--lean",
    type=_Amount(0.0, 1.0),
    help=_("Lean of roofs: 0 for a true orthophoto, 1 as photographed; default: up to 0.6."),
)
@click.option(
    "--pixel-truth",
    is_flag=True,
    help=_("Write DATE_truth.tif too: offset, height and structure of every pixel."),
)
@click.option(
    "--dirt",
    type=click.Choice(("none", *_SEVERITIES)),
    default="none",
    show_default=True,
    help=_("Write the permits once more, with flaws, to FOLDER/permits_dirty."),
)
@click.option(
    "--permit-format",
    type=click.Choice(_FORMS),
    help=_("Format of the permits with flaws; default: gpkg."),
)
@click.option(
    "--workers", type=click.IntRange(0, 256), help=_("Processes; default or 0: all cores.")
)
@_TALK
def simulate(folder: Path, **options: Any) -> None:
    from survey.simulation import Order, draw_plan, with_mosaics

    dirty = options["dirt"] != "none"
    if options["permit_format"] is not None and not dirty:
        raise click.UsageError(_("--permit-format needs --dirt: permits.gpkg is a GeoPackage"))
    plan = draw_plan(
        seed=options["seed"],
        side_m=options["side"],
        pixel_m=options["pixel"],
        flights=options["flights"],
        setting=options["setting"],
        pace=options["pace"],
        offset_m=options["offset"],
    )
    order = Order(
        plan=with_mosaics(plan, collar=options["collar"], lean=options["lean"]),
        pixel_truth=options["pixel_truth"],
        dirt=options["dirt"] if dirty else None,
        permit_form=options["permit_format"] or "gpkg",
        workers=options["workers"] or 0,
    )
    _simulate(folder, order, quiet=options["quiet"])
    if options["as_json"]:
        click.echo((folder / "truth.json").read_text(encoding="utf-8"), nl=False)


def _simulate(folder: Path, order: "Order", *, quiet: bool) -> None:
    """Write an area and say what is in it."""
    from survey.simulation import changes_between, deliver_area

    say, progress = _talk(quiet), None if quiet else _Progress()
    scene = deliver_area(folder, order, say=say, progress=progress)
    text = _(
        "structures: {structures}, permits: {permits}, changes from the first flight to the last:"
        " {changes}"
    )
    say(
        text.format(
            structures=len(scene.structures),
            permits=len(scene.permits),
            changes=len(changes_between(scene, 0, len(order.plan.flights) - 1)),
        )
    )
    say(_("written: {files}").format(files=folder))


@orthowatch.command(
    short_help=_("Make an earlier flight from a real one, with the truth."),
    help=_(
        "Take some of the buildings off the orthophoto ORTHO, so that the picture without them"
        " passes for an earlier flight; OUTLINES is a layer of the buildings that stand in it (FILE"
        " or FILE|layername=NAME).\n\n"
        "Writes before.tif, after.tif and the truth (truth.gpkg, truth.json) to FOLDER, which must"
        " be new or empty. The earlier flight lies off and has another light. As many places where"
        " nothing stood are painted over too, in either picture: decoys, so that traces of paint"
        " tell nothing."
    ),
)
@click.argument("ortho", type=_SOURCE)
@click.argument("outlines", type=_LAYER)
@_NEW_FOLDER
@_SEED
@click.option(
    "--share",
    type=_Amount(0.0, 1.0),
    default=0.3,
    show_default=True,
    help=_("Share of the buildings that should go; fewer go where there is no room."),
)
@click.option(
    "--min-area",
    type=_Amount(0.0, min_open=True),
    default=12.0,
    show_default=True,
    help=_("Smallest building to take off, square metres."),
)
@click.option(
    "--max-area",
    type=_Amount(0.0, min_open=True),
    default=1500.0,
    show_default=True,
    help=_("Largest building to take off, square metres."),
)
@click.option(
    "--offset",
    type=_Amount(0.0, 10.0),
    default=10.0,
    show_default=True,
    help=_(
        "Greatest offset of the earlier flight, metres; a slight turn, stretch and warp come on"
        " top."
    ),
)
@click.option(
    "--flown-on",
    type=_Day(),
    help=_("Day to give the earlier flight; before that of the orthophoto."),
)
@_READING
@click.option("--layers-crs", help=_("CRS of the layers, whatever they say of themselves."))
@click.option("--encoding", help=_("Encoding of the layers' text, such as GBK."))
@_TALK
def turn_back(ortho: Path, outlines: str, folder: Path, **options: Any) -> None:
    from change.turning_job import TurningJob, turn_back_job
    from survey.simulation import Turning

    if options["min_area"] >= options["max_area"]:
        raise click.UsageError(_("--min-area must be less than --max-area"))
    turning = Turning(
        share=options["share"],
        least_m2=options["min_area"],
        most_m2=options["max_area"],
        most_shift_m=options["offset"],
        flown_on=options["flown_on"],
    )
    job = TurningJob(
        ortho=ortho,
        outlines=outlines,
        turning=turning,
        seed=options["seed"],
        crs=_parsed_crs(options["crs"]),
        nodata=options["nodata"],
        layers_crs=_parsed_crs(options["layers_crs"]),
        encoding=options["encoding"],
    )
    quiet = options["quiet"]
    facts = turn_back_job(job, folder, say=_talk(quiet), progress=None if quiet else _Progress())
    if options["as_json"]:
        click.echo(json.dumps(facts, ensure_ascii=False, indent=2))
    _tell_turned(facts, folder, _talk(quiet))


def _tell_turned(facts: dict[str, Any], folder: Path, say: Callable[[str], None]) -> None:
    """Say what was taken off, and why not more."""
    from survey.simulation.turning.reasons import told_reasons

    counts = facts["counts"]
    text = _("buildings taken off: {appeared} of {outlines}, decoys: {decoys}")
    decoys = counts["decoys_before"] + counts["decoys_after"]
    say(text.format(appeared=counts["appeared"], outlines=counts["outlines"], decoys=decoys))
    if counts["appeared"] < counts["wanted"]:
        text = _("asked for {wanted}; others stay: {reasons}")
        reasons = told_reasons(facts["left_standing"])
        say(text.format(wanted=counts["wanted"], reasons=reasons))
    say(_("written: {files}").format(files=folder))


@orthowatch.command(
    short_help=_("Simulate an area in FOLDER and run the whole job on it."),
    help=_(
        "Simulate an area in FOLDER and compare its first flight with its last; the results are in"
        " FOLDER/result."
    ),
)
@_NEW_FOLDER
@_SEED
@_TALK
def demo(folder: Path, seed: int, **options: Any) -> None:
    from change.ground_layers import LayerOptions
    from change.job import FlightOptions, Job
    from survey.settings import Settings
    from survey.simulation import Order, draw_plan

    _simulate(folder, Order(plan=draw_plan(seed=seed)), quiet=options["quiet"])
    pictures, surfaces = sorted(folder.glob("*_ortho.tif")), sorted(folder.glob("*_dsm.tif"))
    job = Job(
        before=FlightOptions(path=pictures[0], dsm=surfaces[0]),
        after=FlightOptions(path=pictures[-1], dsm=surfaces[-1]),
        layers=LayerOptions(
            permits=str(folder / "permits.gpkg"),
            townships=str(folder / "townships.geojson"),
            cells=str(folder / "cells.geojson"),
        ),
    )
    wanted = {"output": folder / "result", "changes": None, "fail_on_suspects": False}
    _detect(job, Settings(), options | wanted)


@orthowatch.command(
    short_help=_("Hand out lists, sheets and pages of a folder of results."),
    help=_(
        "Make lists, printed sheets and pages of RESULTS, a folder that detect -o or inventory -o"
        " has written: all of it, or with --by a folder for each township or team, in the order of"
        " a sensible round. The flights are not needed for it.\n\n"
        "--decisions takes the file that the review page saves: what was dismissed there is left"
        " out, and kept with its reason in dismissed.csv."
    ),
)
@click.argument("results", type=_SOURCE)
@click.option(
    "-o", "--output", type=_Fresh(path_type=Path), required=True, help=_("Folder to write to.")
)
@click.option("--by", type=click.Choice(_UNITS), help=_("A folder for each of these."))
@click.option("--decisions", type=_SOURCE, help=_("What people said: a file of the review page."))
@click.option(
    "--form",
    "forms",
    type=click.Choice(_HANDOUTS),
    multiple=True,
    help=_("What to make; repeatable; default: everything."),
)
@click.option(
    "--language",
    type=click.Choice(LIST_LANGUAGES[1:]),
    help=_("Language of lists and sheets; default: that of the sentences."),
)
@click.option(
    "--navigation",
    type=click.Choice(NAVIGATIONS),
    help=_("Whose map the links to a place open; default: amap."),
)
@click.option("--font", type=_SOURCE, help=_("Font of the printed sheets (TTF, OTF or TTC)."))
@click.option("--config", type=_SOURCE, help=_("Settings file (TOML)."))
@_TALK
def export(results: Path, **options: Any) -> None:
    from change.decisions import read_decisions
    from change.export.dossier import open_dossier
    from change.export.handouts import HandoutStyle, can_print
    from change.export.team_folders import Order, require_free_teams, write_team_folders
    from survey.settings import read_settings

    require_free_teams(options["output"], results)
    settings = read_settings(options["config"]).changed(
        "export", language=options["language"], navigation=options["navigation"]
    )
    dossier = open_dossier(results)
    say = _talk(options["quiet"])
    forms = options["forms"] or tuple(f for f in _HANDOUTS if f != "pdf" or can_print())
    if not options["forms"] and "pdf" not in forms:
        say(_('no sheets.pdf: it needs pip install "orthowatch[pdf]"; sheets.html can be printed'))
    told = options["decisions"]
    decisions = None if told is None else read_decisions(told, dossier.run_id)
    strangers = set(decisions or ()) - {item.id for item in dossier.entries}
    if strangers:
        text = ngettext(
            "{path}: {count} decision is of no suspect in {folder}; left out",
            "{path}: {count} decisions are of no suspects in {folder}; left out",
            len(strangers),
        )
        say(text.format(path=told, count=len(strangers), folder=results))
    order = Order(
        forms=forms,
        style=HandoutStyle(settings=settings.export, font=options["font"]),
        by=options["by"],
        decisions=decisions,
    )
    for path in write_team_folders(dossier, options["output"], order):
        if options["as_json"] and path.suffix == ".json":
            click.echo(path.read_text(encoding="utf-8"), nl=False)
        say(_("written: {files}").format(files=path))


@orthowatch.group(help=_("Work with layers of permits."))
def permits() -> None:
    pass


@permits.command(
    "check",
    short_help=_("List every flaw of a permit layer."),
    help=_(
        "Read the permits in LAYER as a run would, and list every row that is flawed: what is"
        " wrong with it, and what was done. LAYER is a file, FILE|layername=NAME, or a table in"
        " PostGIS (postgresql://USER@HOST/DATABASE?table=SCHEMA.NAME).\n\n"
        "-o FILE.gpkg (with FILE.run.json) or -o FOLDER writes the flawed rows and the permits as"
        " layers. Exit code 2 where the layer cannot be read."
    ),
)
@click.argument("layer", type=_LAYER)
@click.option("--near", type=_SOURCE, help=_("Orthophoto of the ground the permits are for."))
@click.option("--layers-crs", help=_("CRS of the layers, whatever they say of themselves."))
@click.option("--crs", help=_("CRS of files that state none: EPSG code, WKT or a file."))
@click.option("--encoding", help=_("Encoding of the layers' text, such as GBK."))
@click.option(
    "--control-points",
    "--points",
    "control_points",
    type=_SOURCE,
    help=_("Table of points that carry the permits to the ground."),
)
@click.option("--config", type=_SOURCE, help=_("Settings file (TOML)."))
@click.option("-o", "--output", type=_SOURCE, help=_("FILE.gpkg or a folder."))
@click.option("--strict", is_flag=True, help=_("Exit with 2 where a row is flawed."))
@_TALK
def check_permit_layer(layer: str, **options: Any) -> None:
    from change.export import permit_report as report
    from change.permit_check import check_permits
    from survey.settings import read_settings

    output, say = options["output"], _talk(options["quiet"])
    if output is not None:
        report.require_free_report(output)
    asked = _layers(options | {"permits": layer})
    found, run = check_permits(asked, options["near"], read_settings(options["config"]))
    if options["as_json"]:
        click.echo(json.dumps(report.report_facts(found), ensure_ascii=False, indent=2))
    elif not options["quiet"]:
        for line in report.report_lines(found):
            click.echo(line)
    for sentence in report.report_summary(found):
        say(sentence)
    if output is not None:
        written = report.write_report(found, run, output)
        say(_("written: {files}").format(files=", ".join(map(str, written))))
    if options["strict"] and found.bad_rows:
        sys.exit(BAD_INPUT)


def main() -> NoReturn:
    """Run the command line and exit with its code."""
    for stream in (sys.stdout, sys.stderr):
        # A console in GBK must not end a run for want of a character; a closed one is None.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    # A service manager's request to end is answered like Ctrl-C: nothing is left behind.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    logging.getLogger("rasterio").setLevel(logging.CRITICAL)
    if not sys.warnoptions:
        warnings.simplefilter("ignore")
    sys.exit(_run())


def _run() -> int:
    """Run the group and turn what happens into an exit code."""
    # What click cannot parse is told in the voice that was asked for, too.
    voice = _Voice(form=_asked(sys.argv[1:], "--progress", _VOICES) or "auto")
    try:
        code = orthowatch.main(prog_name="orthowatch", standalone_mode=False, obj=voice)
    except click.ClickException as error:
        voice.refuse(error)
        return BAD_INPUT
    except OrthowatchError as error:
        voice.complain(str(error))
        return _exit_code(error)
    except (click.Abort, KeyboardInterrupt):
        voice.tell("error", _("interrupted"))
        return INTERRUPTED
    except ImportError as error:
        if (error.name or "").split(".")[0] not in _OURS:
            raise
        voice.tell("error", _blame(error))
        return FAILED
    except BrokenPipeError:
        # Whoever read our output has gone: nothing more to say, and nothing to say it to.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except OSError as error:
        # The machine's refusals (full disk, name too long) are no bugs of ours.
        where = f"{error.filename}: " if error.filename else ""
        voice.complain(f"{where}{error.strerror or error}")
        return BAD_INPUT if error.filename else FAILED
    return code if isinstance(code, int) else 0


def _exit_code(error: OrthowatchError) -> int:
    if isinstance(error, InputError):
        return BAD_INPUT
    return PARTLY if isinstance(error, PartialError) else FAILED


if __name__ == "__main__":
    main()
