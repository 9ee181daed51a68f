"""Placement: which CRS a layer's coordinates are in, where its file is silent or wrong. Pure.

A CRS other than the stated one is used only where its coordinates then fall on the area and do not
without it; the sentence that says so travels with the layer.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from affine import Affine
from numpy.typing import NDArray
from pyproj import CRS
from pyproj.exceptions import CRSError, ProjError

from survey.crs import describe_crs, is_earth, same_crs, transformer, zone_prefixed_twin
from survey.errors import LayerError
from survey.grid import Bounds, Grid, working_crs
from survey.words import _

__all__ = [
    "Area",
    "Boxes",
    "Placement",
    "box_distances",
    "home_crs",
    "likely_cause",
    "place",
    "to_area",
]

Boxes = NDArray[np.float64]
"""Rectangles (n, 4): left, bottom, right, top."""


class Area(Protocol):
    """Where the work takes place; a ``WorkingGrid`` is one."""

    @property
    def crs(self) -> CRS:
        """A projected CRS in metres."""

    @property
    def bounds(self) -> Bounds:
        """Outer edges in ``crs``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """The CRS a layer is taken in."""

    crs: CRS
    """CRS of the layer's coordinates, two-dimensional."""
    assumptions: tuple[str, ...]
    """What was assumed, as sentences."""


def place(
    boxes: Boxes, *, stated: CRS | None, given: CRS | None, area: Area | None, shown: str
) -> Placement:
    """Return the CRS a layer's coordinates are in.

    Parameters
    ----------
    boxes
        The rectangle around each row, as the file has it.
    stated
        The file's own word.
    given
        The user's word, which wins.
    area
        Where the coordinates are expected; None where nobody can say.
    shown
        The file, for sentences.

    Raises
    ------
    LayerError
        Nothing says which CRS it is, and it does not fit the area in any that can be assumed.
    """
    if given is not None:
        return Placement(crs=given.to_2d(), assumptions=_overruled(given, stated, shown))
    doubt = _doubt(boxes, stated, shown)
    if stated is not None and doubt is None:
        return _stated(boxes, stated.to_2d(), area, shown)
    if area is None:
        raise LayerError(_("{path}: {doubt}; give --layers-crs").format(path=shown, doubt=doubt))
    for guess in (area.crs, zone_prefixed_twin(area.crs), CRS.from_epsg(4326)):
        if guess is not None and _fits(boxes, guess, area):
            sentence = _(
                "{path}: {doubt}; its coordinates fall on the flight in {crs}, which was taken"
            )
            said = sentence.format(path=shown, doubt=doubt, crs=describe_crs(guess))
            return Placement(crs=guess, assumptions=(said,))
    cause = likely_cause(boxes, stated, area)
    raise LayerError(
        _("{path}: {doubt} and they do not fall on the flight; give --layers-crs{cause}").format(
            path=shown, doubt=doubt, cause=f" ({cause})" if cause else ""
        )
    )


def _overruled(given: CRS, stated: CRS | None, shown: str) -> tuple[str, ...]:
    if stated is None or same_crs(given, stated):
        return ()
    return (
        _("{path}: states {stated}; taken as {given} as asked").format(
            path=shown, stated=describe_crs(stated), given=describe_crs(given)
        ),
    )


def _doubt(boxes: Boxes, stated: CRS | None, shown: str) -> str | None:
    """Say why the stated CRS cannot be meant; None where it can."""
    if stated is None:
        return _("the CRS of its coordinates is not stated")
    if not is_earth(stated):
        if stated.geodetic_crs is None:
            return _("its CRS {crs} is not tied to the Earth").format(crs=describe_crs(stated))
        raise LayerError(
            _("{path}: {crs} does not lie on the Earth").format(
                path=shown, crs=describe_crs(stated)
            )
        )
    # GeoJSON is WGS84 by its standard, but many exports carry projected metres without saying so.
    if stated.is_geographic and len(boxes) and np.median(np.abs(boxes).max(axis=1)) > 360:
        return _("it states degrees ({crs}) but holds none").format(crs=describe_crs(stated))
    return None


def _stated(boxes: Boxes, stated: CRS, area: Area | None, shown: str) -> Placement:
    twin = zone_prefixed_twin(stated)
    if area is None or twin is None or _fits(boxes, stated, area) or not _fits(boxes, twin, area):
        return Placement(crs=stated, assumptions=())
    said = _(
        "{path}: states {stated}, but its eastings are those of {twin} (with or without the zone "
        "number), in which it falls on the flight; taken as {twin}"
    ).format(path=shown, stated=describe_crs(stated), twin=describe_crs(twin))
    return Placement(crs=twin, assumptions=(said,))


def home_crs(boxes: Boxes, crs: CRS, shown: str) -> CRS:
    """Return the metric CRS of the place where a layer lies, for want of an area to work in."""
    x, y = float(np.median(boxes[:, [0, 2]])), float(np.median(boxes[:, [1, 3]]))
    spot = Affine(1e-5, 0, x, 0, -1e-5, y)
    try:
        return working_crs(Grid(crs=crs, transform=spot, width=1, height=1))
    except (ValueError, ProjError) as error:
        raise LayerError(
            _("{path}: its coordinates lie outside the area of {crs}; give --layers-crs").format(
                path=shown, crs=describe_crs(crs)
            )
        ) from error


def likely_cause(boxes: Boxes, used: CRS | None, area: Area) -> str:
    """Name what would bring the layer onto the area; empty where nothing known does."""
    swapped = boxes[:, [1, 0, 3, 2]]
    for guess in _candidates(area):
        if used is not None and same_crs(used, guess):
            continue
        if _fits(boxes, guess, area):
            return _("it would fall on the flight as {crs}").format(crs=describe_crs(guess))
    for guess in (*([used] if used is not None else []), *_candidates(area)):
        if _fits(swapped, guess, area):
            return _("its axes seem swapped: north before east, in {crs}").format(
                crs=describe_crs(guess)
            )
    return ""


def _candidates(area: Area) -> Iterator[CRS]:
    """Yield the CRSs met around the area: its own, degrees, the local zones with their twins."""
    yield area.crs
    yield CRS.from_epsg(4326)
    bounds = area.bounds
    x, y = (bounds.left + bounds.right) / 2, (bounds.bottom + bounds.top) / 2
    found = [area.crs]
    for code in (4490, 4326):
        geographic = CRS.from_epsg(code)
        lon, lat = transformer(area.crs, geographic).transform(x, y)
        spot = Affine(1e-5, 0, lon, 0, -1e-5, lat)
        found.append(working_crs(Grid(crs=geographic, transform=spot, width=1, height=1)))
    for crs in found:
        yield crs
        twin = zone_prefixed_twin(crs)
        if twin is not None:
            yield twin
    yield CRS.from_epsg(3857)


def _fits(boxes: Boxes, crs: CRS, area: Area) -> bool:
    """Whether any row touches the area's rectangle grown by its own longer side (at least 1 km)."""
    bounds = area.bounds
    margin = max(1000.0, bounds.right - bounds.left, bounds.top - bounds.bottom)
    try:
        moved = to_area(boxes, crs, area)
    except (CRSError, ProjError):
        return False
    return bool((box_distances(moved, bounds) <= margin).any())


def to_area(boxes: Boxes, crs: CRS, area: Area) -> Boxes:
    """Return the rectangles in the area's CRS; infinite where they cannot be expressed in it."""
    if same_crs(crs, area.crs):
        return boxes
    change = transformer(crs, area.crs)
    left, bottom, right, top = boxes.T
    xs, ys = change.transform(
        np.concatenate([left, right, right, left]), np.concatenate([bottom, bottom, top, top])
    )
    corners = np.stack([xs, ys]).reshape(2, 4, -1)
    return np.concatenate([corners.min(axis=1), corners.max(axis=1)]).T


def box_distances(boxes: Boxes, bounds: Bounds) -> NDArray[np.float64]:
    """Return how far each rectangle lies from ``bounds``, m; infinite for what has no place."""
    left, bottom, right, top = boxes.T
    # A sentinel keeps infinity out of the subtraction, where it would become "not a number".
    finite = np.isfinite(boxes).all(axis=1)
    dx = np.maximum.reduce([bounds.left - right, left - bounds.right, np.zeros(len(boxes))])
    dy = np.maximum.reduce([bounds.bottom - top, bottom - bounds.top, np.zeros(len(boxes))])
    return np.where(finite, np.hypot(dx, dy), np.inf)
