"""Chips: two small pictures of each suspect, the same ground before and after, as files.

The clean ones carry a world file and can be laid on a map; those in ``marked`` are smaller, with
the outline drawn in, for lists, phones and map tips.
"""

import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from pyproj import CRS
from shapely import Polygon

from change.export.dossier import CHIP_INDEX, Chip, Profile
from change.export.drawing import show_picture
from survey.flight import Flight
from survey.grid import Bounds, WorkingGrid
from survey.reading import FlightReader, Shift
from survey.windows import Window

__all__ = ["Subject", "View", "place_chip", "write_chips"]

_Pixels = NDArray[np.uint8]
_Colour = tuple[int, int, int]

# A structure takes this share of a chip at most, and a chip shows the street it stands on.
_FILL, _SIDES_M = 0.6, (40, 60, 80, 120, 160, 240, 400, 800, 1600)
_SIDE_PX, _MARKED_PX = 480, 280
_QUALITY = [cv2.IMWRITE_JPEG_QUALITY, 78]
_PAPER, _LINE_PX, _HALO_PX = (255, 255, 255), 2, 2
# Neighbours are read one after the other, so that they share what GDAL has decoded.
_TILE_M = 100.0


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """One flight as the chips show it."""

    role: str
    """``before`` or ``after``."""
    flight: Flight
    """The flight."""
    shift: Shift | None = None
    """How far off the flight shows the ground; None where it shows it in place."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What a chip is made of."""

    id: str
    """The suspect's id."""
    outline: Polygon
    """Its outline, m."""
    colour: _Colour
    """Red, green, blue of the line that is drawn around it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    """Where a chip lies: a window of the lattice of its pixel."""

    pixel_m: float
    window: Window

    @property
    def tile(self) -> tuple[float, int, int]:
        """What to sort by so that neighbours follow each other."""
        step = max(1, round(_TILE_M / self.pixel_m))
        return self.pixel_m, self.window.row // step, self.window.col // step


def place_chip(outline: Polygon, finest_m: float, ground: Bounds) -> tuple[float, Window]:
    """Return the pixel of a chip, m, and its window on the lattice of that pixel.

    Parameters
    ----------
    outline
        What it is to show, m.
    finest_m
        Pixel of the flights: a finer chip would show nothing more, m.
    ground
        What the flights show: near its edge a chip is moved inwards, m.

    Examples
    --------
    >>> from shapely import box
    >>> ground = Bounds(left=0.0, bottom=0.0, right=500.0, top=500.0)
    >>> place_chip(box(100.0, 100.0, 110.0, 110.0), 0.1, ground)
    (0.1, Window(row=-1250, col=850, height=400, width=400))
    >>> place_chip(box(0.0, 100.0, 10.0, 110.0), 0.1, ground)
    (0.1, Window(row=-1250, col=0, height=400, width=400))
    """
    left, bottom, right, top = outline.bounds
    least = max(right - left, top - bottom) / _FILL
    side = next((side for side in _SIDES_M if side >= least), least)
    # Whole millimetres, so that places can be told in few digits.
    pixel = max(round(finest_m, 3), math.ceil(1000 * side / _SIDE_PX) / 1000)
    count = min(_SIDE_PX, round(side / pixel))
    shown = count * pixel
    west = _begin((left, right), (ground.left, ground.right), shown)
    south = _begin((bottom, top), (ground.bottom, ground.top), shown)
    row, col = -round(south / pixel + count), round(west / pixel)
    return pixel, Window(row=row, col=col, height=count, width=count)


def _begin(span: tuple[float, float], ground: tuple[float, float], shown: float) -> float:
    """Return where a chip begins along an axis: around a span, within the ground if it can be."""
    low, high = span
    wanted = (low + high - shown) / 2
    moved = min(max(wanted, ground[0]), ground[1] - shown)
    return moved if ground[0] <= moved <= low and high <= moved + shown else wanted


def write_chips(
    folder: Path,
    subjects: Sequence[Subject],
    views: Sequence[View],
    ground: WorkingGrid,
    profiles: Mapping[str, Profile],
) -> None:
    """Write the pictures of suspects, and the index that says where each lies, into a new folder.

    Parameters
    ----------
    folder
        Is made.
    subjects
        What to show.
    views
        The flights to show it in.
    ground
        The ground that was looked at.
    profiles
        Heights through suspects, by id.

    Raises
    ------
    FlightError
        A flight cannot be read to its end.
    """
    (folder / "marked").mkdir(parents=True)
    finest = min((view.flight.pixel_m for view in views), default=1.0)
    placed = [(item, _place_of(item, finest, ground.bounds)) for item in subjects]
    placed.sort(key=lambda pair: pair[1].tile)
    seen: dict[str, list[str]] = {item.id: [] for item in subjects}
    for view in views:
        for item, place, pixels in _looks(placed, view, ground.crs):
            seen[item.id].append(view.role)
            _write_chip(folder, f"{item.id}_{view.role}.jpg", pixels, (item, place))
    index = {
        item.id: _told(place, seen[item.id], profiles.get(item.id))
        for item, place in sorted(placed, key=lambda pair: pair[0].id)
    }
    text = json.dumps({"version": 1, "chips": index}, separators=(",", ":"))
    (folder / CHIP_INDEX).write_text(text + "\n", encoding="utf-8")


def _place_of(item: Subject, finest_m: float, ground: Bounds) -> _Place:
    pixel, window = place_chip(item.outline, finest_m, ground)
    return _Place(pixel_m=pixel, window=window)


def _looks(
    placed: Iterable[tuple[Subject, _Place]], view: View, crs: CRS
) -> Iterator[tuple[Subject, _Place, _Pixels]]:
    """Yield what a flight shows of each place, those left out of which it shows nothing."""
    with ExitStack() as stack:
        readers: dict[float, FlightReader] = {}
        for item, place in placed:
            if place.pixel_m not in readers:
                grid = WorkingGrid(
                    crs=crs, pixel_m=place.pixel_m, left_px=0, top_px=0, width=1, height=1
                )
                readers[place.pixel_m] = stack.enter_context(FlightReader(view.flight, grid))
            picture = readers[place.pixel_m].picture(place.window, view.shift)
            if picture.valid.any():
                yield item, place, show_picture(picture)


def _write_chip(folder: Path, name: str, pixels: _Pixels, shown: tuple[Subject, _Place]) -> None:
    item, place = shown
    (folder / name).write_bytes(_jpeg(pixels))
    (folder / name).with_suffix(".jgw").write_text(_world_file(place), encoding="ascii")
    (folder / "marked" / name).write_bytes(_jpeg(_marked(pixels, item, place)))


def _marked(pixels: _Pixels, item: Subject, place: _Place) -> _Pixels:
    """Return a smaller copy with the outline drawn in."""
    size = min(_MARKED_PX, len(pixels))
    small = cv2.resize(pixels, (size, size), interpolation=cv2.INTER_AREA).astype(np.uint8)
    scale = size / len(pixels)
    rings = [item.outline.exterior, *item.outline.interiors]
    # OpenCV counts from the centre of the first pixel, here in sixteenths.
    lines = [
        np.rint((_pixels_of(np.asarray(ring.coords), place) * scale - 0.5) * 16).astype(np.int32)
        for ring in rings
    ]
    for colour, width in ((_PAPER, _LINE_PX + 2 * _HALO_PX), (item.colour, _LINE_PX)):
        cv2.polylines(small, lines, True, colour, width, cv2.LINE_AA, 4)
    return small


def _pixels_of(points: NDArray[np.float64], place: _Place) -> NDArray[np.float64]:
    """Return (x, y) in metres as (col, row) of a chip's corners."""
    left, top = _corner(place)
    return np.stack([points[:, 0] - left, top - points[:, 1]], axis=1) / place.pixel_m


def _corner(place: _Place) -> tuple[float, float]:
    """Return x and y of a chip's north-western corner, m."""
    return place.window.col * place.pixel_m, -place.window.row * place.pixel_m


def _world_file(place: _Place) -> str:
    """Return the six lines that place a picture: the last two are the first pixel's centre."""
    left, top = _corner(place)
    pixel, half = place.pixel_m, place.pixel_m / 2
    return "".join(f"{n:.10g}\n" for n in (pixel, 0, 0, -pixel)) + "".join(
        f"{n:.4f}\n" for n in (left + half, top - half)
    )


def _told(place: _Place, roles: list[str], profile: Profile | None) -> dict[str, Any]:
    left, top = _corner(place)
    chip = Chip(
        left=round(left, 3),
        top=round(top, 3),
        pixel_m=place.pixel_m,
        side_px=place.window.width,
        roles=tuple(roles),
        profile=profile,
    )
    return {name: value for name, value in asdict(chip).items() if value is not None}


def _jpeg(pixels: _Pixels) -> bytes:
    done, encoded = cv2.imencode(".jpg", cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR), _QUALITY)
    if not done:
        raise OSError("a picture cannot be written as JPEG")
    return encoded.tobytes()
