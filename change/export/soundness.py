"""Soundness: whether what lies in a folder of results is what a run can have written. Pure.

A folder travels, and anybody may have changed a file in it. What passes here holds all that lists,
sheets and pages take for granted, so that none of them has to look again.
"""

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from typing import Any, Union

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from pyproj import CRS
from pyproj.exceptions import ProjError

from change.export.geojson import COLUMNS
from change.export.gpkg_tables import column_kind
from change.fieldwork import FIELD_COLUMNS
from survey.crs import transformer
from survey.words import N_, _

__all__ = ["require_columns", "require_sound_index", "require_sound_record", "sound_table"]

_Shape = Union[Callable[[Any], bool], Mapping[str, "_Shape"], tuple["_Shape"], "_Maybe"]

# The Earth is 4e7 m around: no map of it has coordinates beyond this, m.
_FARTHEST_M = 1e8
# No height on the Earth, m, and no number of square metres, lies beyond these.
_HIGHEST_M, _LARGEST = 1e5, 1e12
# Chips are 480 pixels wide at most; the pixel of one is never finer than the flights' millimetre.
_WIDEST_PX, _FINEST_M, _COARSEST_M = 4096, 1e-3, 1e4
_EVERY, _LONGEST_KEY = "*", 40
_RUN_ID, _HALF_LETTER = re.compile("[0-9a-f]{16}"), re.compile("[\ud800-\udfff]")

_NO_OUTLINE = N_("{name}: the outline is no polygon")
_INVALID = N_("{name}: the outline crosses itself or has no area")
_NOWHERE = N_("{name}: the outline lies outside its CRS")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Maybe:
    """What may be missing, or null."""

    shape: _Shape
    """What it is otherwise."""


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and _HALF_LETTER.search(value) is None


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_object(value: Any) -> bool:
    return isinstance(value, dict)


def _is_list(value: Any) -> bool:
    return isinstance(value, list)


def _number_within(least: float, most: float) -> Callable[[Any], bool]:
    """Return whether something is a number between two; what is not a number is between none."""

    def fits(value: Any) -> bool:
        known = isinstance(value, int | float) and not isinstance(value, bool)
        return known and least <= value <= most

    return fits


_is_length = _number_within(-_FARTHEST_M, _FARTHEST_M)
_is_height = _number_within(-_HIGHEST_M, _HIGHEST_M)
_is_area = _number_within(0.0, _LARGEST)


def _is_profile(value: Any) -> bool:
    """Whether heights along a line are as many as its places, which follow each other."""
    if not isinstance(value, dict):
        return False
    places, *heights = (value.get(name) for name in ("distance_m", "before_m", "after_m"))
    if not isinstance(places, list) or not all(map(_is_length, places)):
        return False
    rising = all(later - earlier >= _FINEST_M for earlier, later in pairwise(places))
    return rising and all(
        isinstance(row, list)
        and len(row) == len(places)
        and all(z is None or _is_height(z) for z in row)
        for row in heights
    )


_FLIGHT: _Shape = {"name": _is_text, "flown_on": _Maybe(shape=_is_text)}
_RECORD: _Shape = {
    "run_id": lambda value: isinstance(value, str) and _RUN_ID.fullmatch(value) is not None,
    "version": _is_text,
    "outputs": (_is_text,),
    "inputs": ({"role": _is_text, "name": _is_text, "sha256": _is_text, "size": _is_whole},),
    "flights": _Maybe(shape={_EVERY: _FLIGHT}),
    "flight": _Maybe(shape=_FLIGHT),
    "alignment": _Maybe(
        shape={
            "verdict": lambda value: value in ("verified", "unverified", "refused"),
            "why": _is_text,
        }
    ),
    "heights": _Maybe(shape=_is_object),
    "permits": _Maybe(shape={"read": _is_whole, "flawed_rows": _is_list}),
    "findings": _Maybe(shape=({"level": _is_text, "says": _is_text},)),
    "assumptions": _Maybe(shape=(_is_text,)),
    "changes": _Maybe(shape=_is_whole),
    "judged_m2": _Maybe(shape=_is_area),
    "excluded_m2": _Maybe(shape=_is_area),
}
_CHIP: _Shape = {
    "left": _is_length,
    "top": _is_length,
    "pixel_m": _number_within(_FINEST_M, _COARSEST_M),
    "side_px": lambda value: _is_whole(value) and 0 < value <= _WIDEST_PX,
    "roles": (_is_text,),
    "profile": _Maybe(shape=_is_profile),
}


def require_sound_record(record: Mapping[str, Any]) -> None:
    """Refuse a run's record that holds what no run writes.

    Raises
    ------
    ValueError
        It does; the message names the key.
    """
    _require(record, _RECORD)


def require_sound_index(index: Any) -> None:
    """Refuse an index of pictures that holds what no run writes.

    Raises
    ------
    ValueError
        It does; the message names the key.
    """
    _require(index, {"chips": {_EVERY: _CHIP}})


def _require(value: Any, shape: _Shape) -> None:
    flaw = _flaw(value, shape, "")
    if flaw is not None:
        raise ValueError(_("damaged at {key!r}").format(key=flaw))


def _flaw(value: Any, shape: _Shape, at: str) -> str | None:
    """Return the dotted key of the first value that is not as it should be; None if all are."""
    if isinstance(shape, _Maybe):
        return None if value is None else _flaw(value, shape.shape, at)
    if isinstance(shape, tuple):
        if not isinstance(value, list):
            return at
        found = (_flaw(item, shape[0], f"{at}.{n}") for n, item in enumerate(value, start=1))
    elif isinstance(shape, Mapping):
        if not isinstance(value, Mapping):
            return at
        inner = dict.fromkeys(value, shape[_EVERY]) if _EVERY in shape else shape
        found = (_flaw(value.get(key), part, _joined(at, key)) for key, part in inner.items())
    else:
        return None if shape(value) else at
    return next((flaw for flaw in found if flaw is not None), None)


def _joined(at: str, key: str) -> str:
    """Return a dotted key; what a stranger called it is cut, and cannot control a terminal."""
    name = key.encode("unicode_escape").decode("ascii")[:_LONGEST_KEY]
    return f"{at}.{name}" if at else name


def require_columns(fields: Collection[str], *, geometry: str | None, crs: str | None) -> None:
    """Refuse a layer of suspects that lacks what every run writes.

    Parameters
    ----------
    fields
        Its columns.
    geometry
        Type of its geometries; None without any.
    crs
        Its CRS; None without one.

    Raises
    ------
    ValueError
        It does; the message says what is missing.
    """
    if geometry is None:
        raise ValueError(_("the layer {layer} has no outlines").format(layer="suspects"))
    if crs is None:
        raise ValueError(_("the layer {layer} has no CRS").format(layer="suspects"))
    missing = [name for name in COLUMNS if name not in fields]
    if missing:
        raise ValueError(_("columns are missing: {names}").format(names=", ".join(missing)))


def sound_table(frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return a table of suspects as it was read, with values of the types a run writes.

    Parameters
    ----------
    frame
        With the columns of ``suspects.geojson``, and maybe more, which are taken for text.

    Returns
    -------
    The same rows: outlines are two-dimensional polygons, numbers are float64 and finite or NaN,
    everything else is text or missing.

    Raises
    ------
    ValueError
        A value, an outline or the CRS cannot come from a run, or two suspects share an id.
    """
    crs = CRS.from_user_input(frame.crs)
    if not crs.is_projected:
        raise ValueError(_("the CRS {name} is not in metres").format(name=crs.name[:_LONGEST_KEY]))
    texts = pd.DataFrame(frame.drop(columns=frame.geometry.name))
    cells = {str(name): _column(texts[name], str(name)) for name in texts.columns}
    names = cells["id"]
    _refuse(pd.Series(names).duplicated().to_numpy(bool), names, N_("{name}: the id stands twice"))
    shapes = _outlines(frame.geometry.to_numpy(), names, crs)
    return gpd.GeoDataFrame(pd.DataFrame(cells, index=frame.index), geometry=shapes, crs=crs)


def _column(cells: "pd.Series[Any]", name: str) -> NDArray[Any]:
    if name not in (*COLUMNS, *FIELD_COLUMNS) or column_kind(name) != "number":
        return np.array([*map(_text, cells), None], dtype=object)[:-1]
    known = cells.isna().all() or pd.api.types.is_numeric_dtype(cells)
    numbers = cells.astype("float64").to_numpy() if known else np.array([np.inf])
    if (np.abs(numbers) > _LARGEST).any():
        raise ValueError(_("column {name}: not a number, or too large").format(name=name))
    return numbers


def _text(value: Any) -> str | None:
    if isinstance(value, str):
        return value
    if not pd.api.types.is_scalar(value):
        return str(value)
    if pd.isna(value):
        return None
    if isinstance(value, date):
        return value.isoformat()[:10]
    # A column of whole numbers of which some are missing comes as fractions.
    return f"{value:.15g}" if isinstance(value, float) else str(value)


def _outlines(shapes: NDArray[Any], names: Iterable[Any], crs: CRS) -> NDArray[Any]:
    """Return outlines as polygons, (n,), all of whose corners have a place on the Earth."""
    alone = (shapely.get_type_id(shapes) == shapely.GeometryType.MULTIPOLYGON) & (
        shapely.get_num_geometries(shapes) == 1
    )
    parts = np.where(alone, shapely.get_geometry(shapes, 0), shapes)
    polygon = shapely.get_type_id(parts) == shapely.GeometryType.POLYGON
    _refuse(~polygon | shapely.is_empty(parts), names, _NO_OUTLINE)
    flat = shapely.force_2d(parts)
    corners, owners = shapely.get_coordinates(flat, return_index=True)
    outside = np.zeros(len(flat), bool)
    outside[owners[~_placed(corners, crs)]] = True
    _refuse(outside, names, _NOWHERE)
    _refuse(~shapely.is_valid(flat) | ~(shapely.area(flat) > 0), names, _INVALID)
    return np.asarray(flat, dtype=object)


def _placed(corners: NDArray[np.float64], crs: CRS) -> NDArray[np.bool_]:
    """Return which (x, y), (n, 2), m, have a longitude and a latitude."""
    near = np.asarray((np.abs(corners) <= _FARTHEST_M).all(axis=1))
    known = np.where(near[:, None], corners, 0.0)
    try:
        degrees = transformer(crs, CRS.from_epsg(4326)).transform(known[:, 0], known[:, 1])
    except ProjError as error:
        raise ValueError(_("the CRS cannot be turned into degrees")) from error
    return np.asarray(near & np.isfinite(degrees).all(axis=0))


def _refuse(bad: NDArray[np.bool_], names: Iterable[Any], why: str) -> None:
    """Refuse a table for the first suspect that is bad."""
    for name, flawed in zip(names, bad, strict=True):
        if flawed:
            raise ValueError(_(why).format(name=repr(name)[:_LONGEST_KEY]))
