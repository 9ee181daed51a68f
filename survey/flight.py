"""A flight: one or many georeferenced files of one date, opened by their headers only."""

import re
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from pyproj import CRS

from survey.crs import same_crs
from survey.errors import FlightError
from survey.grid import Bounds, ground_pixel
from survey.source import Source, open_source
from survey.words import _

__all__ = ["IMAGE_SUFFIXES", "Flight", "open_flight", "open_surface"]

IMAGE_SUFFIXES = (".tif", ".tiff", ".img", ".jp2", ".jpg", ".jpeg", ".png")
"""Endings of the files that are taken for the tiles of a flight, in lower case."""

# The same separator twice: 201404_13SED is April 2014 and a map sheet, not the 13th.
_DATE_IN_NAME = (
    re.compile(r"(?<!\d)(20\d\d)(?P<sep>[-_.]?)(0[1-9]|1[0-2])(?P=sep)([0-2]\d|3[01])(?!\d)"),
    re.compile(r"(?<!\d)(20\d\d)(?P<sep>年)(\d{1,2})月(\d{1,2})日"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Flight:
    """One flight over an area: header only, no open handle, picklable."""

    sources: tuple[Source, ...]
    """Its files, in the order in which they cover one another (first on top)."""
    flown_on: date | None
    """Day of the flight; None where nothing tells."""
    dated_by: str
    """What told the date: ``option``, ``tag``, ``name`` or ``unknown``."""
    assumptions: tuple[str, ...] = ()
    """What was assumed on opening, one sentence each."""
    dsm: "Flight | None" = None
    """The surface model of the same flight."""

    @property
    def crs(self) -> CRS:
        """The CRS its files share."""
        return self.sources[0].grid.crs

    @property
    def bounds(self) -> Bounds:
        """The rectangle around all its files, in ``crs``."""
        bounds = self.sources[0].grid.bounds
        for source in self.sources[1:]:
            bounds = bounds.union(source.grid.bounds)
        return bounds

    @property
    def pixel_m(self) -> float:
        """Pixel size on the ground, m (the coarser of the two directions)."""
        return max(ground_pixel(self.sources[0].grid))

    @property
    def paths(self) -> tuple[str, ...]:
        """The files."""
        return tuple(source.path for source in self.sources)

    @property
    def name(self) -> str:
        """What to call it in a sentence: its file, or the folder of its tiles."""
        first = Path(self.sources[0].path)
        return first.name if len(self.sources) == 1 else first.parent.name


def open_flight(
    path: Path,
    *,
    flown_on: date | None = None,
    crs: CRS | None = None,
    nodata: float | None = None,
    dsm: Path | None = None,
) -> Flight:
    """Open an orthophoto: a file, or a folder whose images are the tiles of one flight.

    Parameters
    ----------
    path
        GeoTIFF or COG (or another raster that holds its own pixels), or a folder of them.
    flown_on
        Day of the flight; otherwise taken from the files' tags, then from the name.
    crs
        CRS for files that state none.
    nodata
        Value that means no picture, for files that do not say so.
    dsm
        Surface model of the same flight, a file or a folder.

    Raises
    ------
    FlightError
        The files cannot be read or are not a georeferenced picture.
    """
    opened = [open_source(p, crs, nodata, surface=False) for p in _files(path)]
    sources = tuple(source for source, _tag, _said in opened)
    _require_one_kind(sources, path)
    day, dated_by = _flight_date(flown_on, [tag for _source, tag, _said in opened], path)
    said = tuple(dict.fromkeys(said for _source, _tag, part in opened for said in part))
    surface = open_surface(dsm, crs=crs) if dsm is not None else None
    return Flight(sources=sources, flown_on=day, dated_by=dated_by, assumptions=said, dsm=surface)


def open_surface(path: Path, *, crs: CRS | None = None) -> Flight:
    """Open a surface model: heights in metres, one band, a file or a folder of tiles.

    Raises
    ------
    FlightError
        The files cannot be read or hold no heights.
    """
    opened = [open_source(p, crs, None, surface=True) for p in _files(path)]
    sources = tuple(source for source, _tag, _said in opened)
    _require_one_kind(sources, path)
    said = tuple(dict.fromkeys(said for _source, _tag, part in opened for said in part))
    return Flight(sources=sources, flown_on=None, dated_by="unknown", assumptions=said)


def _files(path: Path) -> list[Path]:
    if not path.exists():
        raise FlightError(_("{path}: no such file or folder").format(path=path))
    if not path.is_dir():
        return [path]
    files = sorted(p for p in path.iterdir() if p.suffix.lower() in IMAGE_SUFFIXES and p.is_file())
    if not files:
        raise FlightError(_("{path}: the folder holds no images").format(path=path))
    return files


def _require_one_kind(sources: tuple[Source, ...], path: Path) -> None:
    """Refuse a folder whose files cannot be the tiles of one flight."""
    first = sources[0]
    for other in sources[1:]:
        if not same_crs(first.grid.crs, other.grid.crs):
            raise FlightError(
                _("{path}: {name} has another CRS than its neighbours; is this one flight?").format(
                    path=path, name=Path(other.path).name
                )
            )
        sizes = max(ground_pixel(first.grid)), max(ground_pixel(other.grid))
        if abs(sizes[0] - sizes[1]) > 0.01 * sizes[0] or first.dtype != other.dtype:
            raise FlightError(
                _(
                    "{path}: {name} has other pixels than its neighbours; is this one flight?"
                ).format(path=path, name=Path(other.path).name)
            )


def _flight_date(given: date | None, tags: list[str | None], path: Path) -> tuple[date | None, str]:
    """Return the day of the flight and what told it: option, then tag, then name."""
    if given is not None:
        return given, "option"
    for tag in tags:
        found = re.match(r"(\d{4}):(\d\d):(\d\d)", tag or "")
        if found and (day := _day(found.groups())):
            return day, "tag"
    tiles = sorted(p.name for p in path.iterdir()) if path.is_dir() else []
    for name in (path.name, path.parent.name, *tiles[:1]):
        for pattern in _DATE_IN_NAME:
            found = pattern.search(name)
            if found and (day := _day(found.group(1, 3, 4))):
                return day, "name"
    return None, "unknown"


def _day(parts: tuple[str, ...]) -> date | None:
    try:
        return date(int(parts[0]), int(parts[1]), int(parts[2]))
    except ValueError:
        return None
