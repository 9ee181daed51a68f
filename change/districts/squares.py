"""Cell grid: the square cells that are drawn where no layer of cells is given, and their codes.

Cells lie on whole multiples of their side from the origin of the projected CRS, so that they are
the same over every flight and every area. Pure.
"""

import math
import re
import string
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from survey.errors import SettingsError
from survey.grid import Bounds
from survey.settings import DispatchSettings
from survey.words import _

__all__ = ["CellScheme", "Squares", "cells_reached", "cut_squares", "open_scheme", "squares_in"]

_NUMBERS = ("east", "north", "serial")
_TEXTS = ("township", "community")
# Only these may stand behind the colon: nothing that fills memory, nothing that looks inside.
_NUMBER_SPEC = re.compile(r"0?\d{0,2}d?")
_TEXT_SPEC = re.compile(r"(?:[\w-]?[<>^])?\d{0,2}s?")
_ROUNDING = 1e-6
"""Part of a cell that is rounding."""
_RIM_M = 0.05
"""A district reaches a cell if it comes in farther than this, m: GeoJSON is rounded to
centimetres, and borders are often drawn along the lines of the grid."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CellScheme:
    """How cells are cut and numbered; made by `open_scheme`, which checks the code."""

    cell_m: float
    """Side of a cell, m."""
    code: str
    """Format of a code, with fields among ``east``, ``north``, ``township``, ``community`` and
    ``serial``."""
    fields: frozenset[str]
    """The fields that ``code`` uses."""

    @property
    def level(self) -> str:
        """The districts a code belongs to: ``community``, ``township``, or empty for neither."""
        return next((name for name in ("community", "township") if name in self.fields), "")

    @property
    def counts(self) -> bool:
        """Whether codes hold a serial."""
        return "serial" in self.fields

    def code_of(
        self, east: int, north: int, *, township: str = "", community: str = "", serial: int = 0
    ) -> str:
        """Return the code of a cell, counted from the origin of the CRS."""
        return self.code.format(
            east=east, north=north, township=township, community=community, serial=serial
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Squares:
    """Outlines cut along the lines of the cells; one entry for each piece, shape (n,)."""

    who: NDArray[np.int64]
    """Index of the outline."""
    east: NDArray[np.int64]
    """Cells east of the origin of the CRS."""
    north: NDArray[np.int64]
    """Cells north of it."""
    area_m2: NDArray[np.float64]
    """Area of the outline in that cell, m2."""


def open_scheme(settings: DispatchSettings) -> CellScheme:
    """Return how cells are numbered.

    Raises
    ------
    SettingsError
        The code names fields that there are none of, formats them in other than plain ways, or
        would give one code to several cells.

    Examples
    --------
    >>> scheme = open_scheme(DispatchSettings(cell_code="{community}{serial:03d}"))
    >>> scheme.level
    'community'
    >>> scheme.code_of(4280, 25550, community="449901001001", serial=7)
    '449901001001007'
    """
    fields = frozenset(_fields(settings.cell_code))
    scheme = CellScheme(cell_m=settings.cell_m, code=settings.cell_code, fields=fields)
    if scheme.counts and not scheme.level:
        raise _refused(scheme.code, _("serial needs township or community beside it"))
    if not (scheme.counts or {"east", "north"} <= fields):
        raise _refused(
            scheme.code, _("it needs east and north, or serial with township or community")
        )
    return scheme


def _refused(code: str, why: str) -> SettingsError:
    shown = code if len(code) <= 60 else code[:57] + "..."
    return SettingsError(
        _("setting dispatch.cell_code cannot be {value!r}: {why}").format(value=shown, why=why)
    )


def _fields(code: str) -> Iterator[str]:
    """Yield the fields of a format; nothing is evaluated."""
    try:
        parsed = list(string.Formatter().parse(code))
    except ValueError as error:
        raise _refused(code, _("its braces do not match")) from error
    if not code.isprintable():
        raise _refused(code, _("it holds characters that cannot be printed"))
    for _literal, name, spec, conversion in parsed:
        if name is None:
            continue
        if name not in (*_NUMBERS, *_TEXTS):
            known = ", ".join(sorted((*_NUMBERS, *_TEXTS)))
            raise _refused(code, _("its fields can be {known}").format(known=known))
        plain = _NUMBER_SPEC if name in _NUMBERS else _TEXT_SPEC
        if conversion is not None or plain.fullmatch(spec or "") is None:
            raise _refused(code, _("{name} can have a width, such as 05d").format(name=name))
        yield name


def _range(low: float, high: float, cell_m: float) -> tuple[int, int]:
    """Return the first cell of an interval and the one after its last."""
    first = math.floor(low / cell_m + _ROUNDING)
    return first, max(first + 1, math.ceil(high / cell_m - _ROUNDING))


def squares_in(bounds: Bounds, cell_m: float) -> NDArray[np.int64]:
    """Return the cells that a rectangle touches, shape (n, 2): east and north, in reading order."""
    west, east = _range(bounds.left, bounds.right, cell_m)
    south, north = _range(bounds.bottom, bounds.top, cell_m)
    norths, easts = np.meshgrid(
        np.arange(north - 1, south - 1, -1), np.arange(west, east), indexing="ij"
    )
    return np.stack([easts.ravel(), norths.ravel()], axis=1).astype(np.int64)


def cut_squares(outlines: NDArray[np.object_], cell_m: float) -> Squares:
    """Cut outlines along the lines of the cells.

    Parameters
    ----------
    outlines
        Valid polygons in metres of the projected CRS, none of them empty, shape (n,).
    cell_m
        Side of a cell, m.
    """
    edges = shapely.bounds(outlines) / cell_m
    low = np.floor(edges[:, :2] + _ROUNDING).astype(np.int64)
    high = np.maximum(low + 1, np.ceil(edges[:, 2:] - _ROUNDING).astype(np.int64))
    across, up = (high - low).T
    counts = across * up
    who = np.repeat(np.arange(len(outlines)), counts)
    nth = np.arange(len(who)) - np.repeat(np.cumsum(counts) - counts, counts)
    east = low[who, 0] + nth % across[who]
    north = low[who, 1] + nth // across[who]
    area = shapely.area(outlines)[who]
    cut = counts[who] > 1
    area[cut] = shapely.area(
        shapely.intersection(outlines[who[cut]], _boxes(east[cut], north[cut], cell_m))
    )
    kept = area > 0
    return Squares(who=who[kept], east=east[kept], north=north[kept], area_m2=area[kept])


def cells_reached(parts: NDArray[np.object_], cell_m: float) -> list[tuple[int, int]]:
    """Return the cells that a district reaches into, as (east, north).

    They come from west to east and then from north to south, row by row: the order of serials.

    Parameters
    ----------
    parts
        The polygons of the district, shape (n,).
    cell_m
        Side of a cell, m.
    """
    found: set[tuple[int, int]] = set()
    shapely.prepare(parts)
    for part in parts:
        left, bottom, right, top = part.bounds
        west, east = _range(left, right, cell_m)
        south, north = _range(bottom, top, cell_m)
        easts = np.arange(west, east)
        for row in range(south, north):  # a row at a time: a large county has a million cells
            boxes = _boxes(easts, np.full(len(easts), row), cell_m, rim=min(_RIM_M, cell_m / 100))
            hit = easts[shapely.intersects(part, boxes)]
            found.update((int(column), row) for column in hit)
    return sorted(found, key=lambda cell: (-cell[1], cell[0]))


def _boxes(
    east: NDArray[np.int64], north: NDArray[np.int64], cell_m: float, rim: float = 0.0
) -> NDArray[np.object_]:
    return np.asarray(
        shapely.box(
            east * cell_m + rim,
            north * cell_m + rim,
            (east + 1) * cell_m - rim,
            (north + 1) * cell_m - rim,
        ),
        dtype=object,
    )
