"""Coordinate reference systems: what one is called, whether two are the same, which zone fits.

Coordinates are always (x east, y north); every transformation is made with ``always_xy``.
"""

import math
from functools import lru_cache

import numpy as np
from pyproj import CRS, Transformer
from pyproj.exceptions import ProjError

__all__ = [
    "describe_crs",
    "epsg_code",
    "horizontal",
    "is_earth",
    "same_crs",
    "transformer",
    "zone_at",
    "zone_prefixed_twin",
]

# CGCS2000 3-degree Gauss-Kruger zones without zone prefix: EPSG:4534 is 75E, a code each 3 degrees.
_CGCS2000_FIRST = (4534, 75)
_CGCS2000_LAST = 4554
# The same zones with the zone number before the easting: EPSG:4513 is zone 25 (75E).
_CGCS2000_PREFIXED_FIRST = 4513
_CGCS2000_PREFIXED_LAST = 4533
# Where two CRSs are compared, from the origin of the first, in its units.
_STEPS_M = ((50_000.0, 50_000.0), (-50_000.0, 1_000_000.0))
_STEPS_DEGREES = ((0.0, 0.0), (110.0, 30.0), (-70.0, -40.0))


@lru_cache(maxsize=64)
def transformer(source: CRS, target: CRS) -> Transformer:
    """Return the transformation between two CRSs in (x, y) order; making one costs 10 ms."""
    return Transformer.from_crs(source, target, always_xy=True)


def same_crs(first: CRS, second: CRS) -> bool:
    """Whether two CRSs give the same coordinates, however they are written.

    An ESRI ``.prj`` of EPSG:4547 does not *equal* EPSG:4547, nor does the same definition with its
    datum left out; a city's own system on the same meridian is another one, although PROJ
    identifies both with one code at low confidence. So the coordinates decide.
    """
    return first.equals(second, ignore_axis_order=True) or _give_same(first, second)


@lru_cache(maxsize=64)
def _give_same(first: CRS, second: CRS) -> bool:
    """Whether two CRSs on one ellipsoid turn into each other without moving a point by 1 mm."""
    if first.is_projected != second.is_projected or not _one_ellipsoid(first, second):
        return False
    x, y = _origin(first)
    steps = _STEPS_M if first.is_projected else _STEPS_DEGREES
    xs, ys = np.array([x + step[0] for step in steps]), np.array([y + step[1] for step in steps])
    try:
        moved = transformer(first, second).transform(xs, ys)
    except ProjError:
        return False
    limit = 1e-3 if first.is_projected else 1e-8
    return bool(np.all(np.abs(moved[0] - xs) < limit) and np.all(np.abs(moved[1] - ys) < limit))


def _one_ellipsoid(first: CRS, second: CRS) -> bool:
    shapes = [crs.ellipsoid for crs in (first, second)]
    if shapes[0] is None or shapes[1] is None:
        return False
    # GRS 1980 and CGCS2000 share a flattening that WGS 84 misses in the ninth digit.
    return (
        abs(shapes[0].semi_major_metre - shapes[1].semi_major_metre) < 1e-3
        and abs(shapes[0].inverse_flattening - shapes[1].inverse_flattening) < 1e-7
    )


def _origin(crs: CRS) -> tuple[float, float]:
    """Return the (x, y) that a projection gives to its origin; (0, 0) for degrees."""
    base = crs.source_crs if crs.is_bound and crs.source_crs is not None else crs
    if not crs.is_projected or base.coordinate_operation is None:
        return 0.0, 0.0
    values = {parameter.name: parameter.value for parameter in base.coordinate_operation.params}
    x = values.get("False easting", values.get("Easting at false origin", 0.0))
    y = values.get("False northing", values.get("Northing at false origin", 0.0))
    return float(x), float(y)


def horizontal(crs: CRS) -> CRS:
    """Return a CRS without its heights: what a picture lies in."""
    return horizontal(crs.sub_crs_list[0]) if crs.is_compound else crs


def epsg_code(crs: CRS) -> int | None:
    """Return the EPSG code of a CRS, where PROJ is sure of it.

    Below a confidence of 70 % PROJ names codes that only share the method: a city's own system
    comes out as EPSG:8017, UTM 18N without a datum as EPSG:3450.
    """
    return crs.to_epsg(min_confidence=70)


def describe_crs(crs: CRS) -> str:
    """Return ``EPSG:n`` where the CRS has a code, otherwise its name or its definition."""
    code = epsg_code(crs)
    if code is not None:
        return f"EPSG:{code}"
    return str(crs.srs if crs.name == "unknown" and crs.srs.startswith("+") else crs.name)


def is_earth(crs: CRS) -> bool:
    """Whether the CRS lies on the Earth: coordinates of Mars or Europa are not ground here."""
    geodetic = crs.geodetic_crs
    if geodetic is None or geodetic.ellipsoid is None:
        return False
    return abs(geodetic.ellipsoid.semi_major_metre - 6_371_000) < 30_000


def zone_at(crs: CRS, lon: float, lat: float) -> CRS:
    """Return the projected zone around a place, degrees: CGCS2000 where ``crs`` is, else UTM."""
    geodetic = crs.geodetic_crs
    if geodetic is not None and epsg_code(geodetic) == 4490:
        first, meridian = _CGCS2000_FIRST
        code = first + round((lon - meridian) / 3)
        if first <= code <= _CGCS2000_LAST:
            return CRS.from_epsg(code)
    zone = min(60, max(1, math.floor((lon + 180) / 6) + 1))
    return CRS.from_epsg((32600 if lat >= 0 else 32700) + zone)


def zone_prefixed_twin(crs: CRS) -> CRS | None:
    """Return the CGCS2000 3-degree CRS that differs only in the zone number before the easting."""
    code = epsg_code(crs)
    offset = _CGCS2000_FIRST[0] - _CGCS2000_PREFIXED_FIRST
    if code is None:
        return None
    if _CGCS2000_FIRST[0] <= code <= _CGCS2000_LAST:
        return CRS.from_epsg(code - offset)
    if _CGCS2000_PREFIXED_FIRST <= code <= _CGCS2000_PREFIXED_LAST:
        return CRS.from_epsg(code + offset)
    return None
