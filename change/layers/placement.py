"""Placement: which CRS a layer's coordinates are in, where its file is silent or wrong. Pure.

A CRS other than the stated one, or north before east, is used only where the coordinates then fall
on the area and do not without it; the sentence that says so travels with the layer. Where nobody
says where the area is, the area of use of the CRS stands in for it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from affine import Affine
from numpy.typing import NDArray
from pyproj import CRS
from pyproj.exceptions import CRSError, ProjError

from survey.crs import describe_crs, epsg_code, is_earth, same_crs, transformer, zone_prefixed_twin
from survey.errors import LayerError
from survey.grid import Bounds, Grid, working_crs
from survey.words import _

__all__ = [
    "Area",
    "Boxes",
    "Placement",
    "advice",
    "box_distances",
    "fits",
    "home_crs",
    "likely_cause",
    "near_of",
    "neighbours",
    "place",
    "swapped_boxes",
    "to_crs",
    "within_use",
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
    swapped: bool
    """True where the file has north before east."""
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
        if given.is_projected and _are_degrees(boxes):
            raise LayerError(
                _("{path}: its coordinates are degrees, not metres of {crs}; {advice}").format(
                    path=shown, crs=describe_crs(given), advice=advice(CRS.from_epsg(4490))
                )
            )
        said = _overruled(given, stated, shown)
        return _placed(boxes, given.to_2d(), area, shown, said)
    doubt = _doubt(boxes, stated, shown)
    if stated is not None and doubt is None:
        return _stated(boxes, stated.to_2d(), area, shown)
    if area is None:
        raise LayerError(_("{path}: {doubt}; give --layers-crs").format(path=shown, doubt=doubt))
    return _guessed(boxes, stated, area, (str(doubt), shown))


def _guessed(boxes: Boxes, stated: CRS | None, area: Area, said: tuple[str, str]) -> Placement:
    """Return the CRS in which a layer that states none falls on the area."""
    doubt, shown = said
    for guess in (area.crs, zone_prefixed_twin(area.crs), CRS.from_epsg(4326)):
        if guess is not None and fits(boxes, guess, area):
            sentence = _(
                "{path}: {doubt}; its coordinates fall on the flight in {crs}, which was taken"
            )
            told = sentence.format(path=shown, doubt=doubt, crs=describe_crs(guess))
            return Placement(crs=guess, swapped=False, assumptions=(told,))
    for guess in (area.crs, zone_prefixed_twin(area.crs), CRS.from_epsg(4326)):
        if guess is not None and fits(swapped_boxes(boxes), guess, area):
            sentence = _(
                "{path}: {doubt}; its coordinates fall on the flight in {crs} with north before"
                " east, which was taken"
            )
            told = sentence.format(path=shown, doubt=doubt, crs=describe_crs(guess))
            return Placement(crs=guess, swapped=True, assumptions=(told,))
    cause, crs = likely_cause(boxes, stated, area)
    raise LayerError(
        _("{path}: {doubt} and they do not fall on the flight; {advice}{cause}").format(
            path=shown, doubt=doubt, advice=advice(crs), cause=f" ({cause})" if cause else ""
        )
    )


def _placed(
    boxes: Boxes, crs: CRS, area: Area | None, shown: str, said: tuple[str, ...] = ()
) -> Placement:
    """Return a CRS that is settled; only the order of the axes is still open."""
    as_written, swapped = boxes, swapped_boxes(boxes)
    if area is not None:
        turn = not fits(as_written, crs, area) and fits(swapped, crs, area)
    else:
        turn = _mostly_used(swapped, crs) and not _mostly_used(as_written, crs)
    if turn:
        sentence = _("{path}: north stands before east in its coordinates; they were read so")
        said = (*said, sentence.format(path=shown))
    return Placement(crs=crs, swapped=turn, assumptions=said)


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
    if stated.is_projected and _are_degrees(boxes):
        return _("it states {crs} but holds degrees").format(crs=describe_crs(stated))
    return None


def _are_degrees(boxes: Boxes) -> bool:
    """Whether coordinates cannot be metres: within the range of degrees, and houses of no size."""
    sizes = np.hypot(boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1])
    # In metres a house of a hundredth would be a drawing accident; in degrees that is 1 km.
    return bool(len(boxes) and np.abs(boxes).max() <= 180 and np.median(sizes) < 0.01)


def _stated(boxes: Boxes, stated: CRS, area: Area | None, shown: str) -> Placement:
    twin = zone_prefixed_twin(stated)
    if twin is None or not _twin_is_meant(boxes, (stated, twin), area):
        return _placed(boxes, stated, area, shown)
    said = _(
        "{path}: states {stated}, but its eastings are those of {twin} (with or without the zone "
        "number), in which it falls on the flight; taken as {twin}"
    )
    if area is None:
        said = _(
            "{path}: states {stated}, but its eastings are those of {twin} (with or without the "
            "zone number); taken as {twin}"
        )
    told = said.format(path=shown, stated=describe_crs(stated), twin=describe_crs(twin))
    return Placement(crs=twin, swapped=False, assumptions=(told,))


def _twin_is_meant(boxes: Boxes, pair: tuple[CRS, CRS], area: Area | None) -> bool:
    stated, twin = pair
    if area is None:
        return _mostly_used(boxes, twin) and not _mostly_used(boxes, stated)
    return not fits(boxes, stated, area) and fits(boxes, twin, area)


def _mostly_used(boxes: Boxes, crs: CRS) -> bool:
    """Whether most rows lie where their CRS is used; a CRS that does not say is used anywhere."""
    return len(boxes) == 0 or float(np.mean(within_use(boxes, crs))) > 0.5


def within_use(boxes: Boxes, crs: CRS, margin_deg: float = 6.0) -> NDArray[np.bool_]:
    """Return for each rectangle whether its middle lies within a CRS's area of use, roughly.

    Parameters
    ----------
    boxes
        Rectangles in ``crs``.
    crs
        Their CRS; of one without an area of use only what PROJ can express counts as within.
    margin_deg
        How far beyond the area of use still counts, degrees: cities stay in their zone across its
        border, and the border of the next zone is 3 or 6 degrees away.
    """
    x, y = (boxes[:, 0] + boxes[:, 2]) / 2, (boxes[:, 1] + boxes[:, 3]) / 2
    if crs.is_geographic:
        lon, lat = x, y
    else:
        lon, lat = transformer(crs, CRS.from_epsg(4326)).transform(x, y)
    known = np.isfinite(lon) & np.isfinite(lat) & (np.abs(lat) <= 90) & (np.abs(lon) <= 180)
    use = crs.area_of_use
    if use is None:
        return np.asarray(known)
    # Areas of use that cross 180 degrees have their west east of their east.
    off = np.remainder(np.where(known, lon, 0.0) - use.west + margin_deg, 360)
    wide = np.remainder(use.east - use.west, 360) or 360.0
    inside = (off <= wide + 2 * margin_deg) & (lat >= use.south - margin_deg)
    return np.asarray(known & inside & (lat <= use.north + margin_deg))


def swapped_boxes(boxes: Boxes) -> Boxes:
    """Return rectangles with north and east exchanged."""
    return boxes[:, [1, 0, 3, 2]]


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


def likely_cause(boxes: Boxes, used: CRS | None, area: Area) -> tuple[str, CRS | None]:
    """Name what would bring the layer onto the area, and the CRS it takes.

    Both are empty where nothing known does.
    """
    for guess in _candidates(area):
        if (used is None or not same_crs(used, guess)) and fits(boxes, guess, area):
            text = _("it would fall on the flight as {crs}")
            return text.format(crs=describe_crs(guess)), guess
    for guess in (*([used] if used is not None else []), *_candidates(area)):
        if fits(swapped_boxes(boxes), guess, area):
            text = _("its axes seem swapped: north before east, in {crs}")
            return text.format(crs=describe_crs(guess)), guess
    left, bottom, right, top = boxes.T
    mirrored = {
        _("the sign of its north coordinates seems lost"): [left, -top, right, -bottom],
        _("the sign of its east coordinates seems lost"): [-right, bottom, -left, top],
    }
    for cause, turned in mirrored.items():
        if used is not None and fits(np.stack(turned, axis=1), used, area):
            return cause, None
    return "", None


def advice(crs: CRS | None) -> str:
    """Return what to do about a layer that is not in the CRS it is taken in."""
    code = None if crs is None else epsg_code(crs)
    if code is None:
        return _("give --layers-crs")
    return _("give --layers-crs EPSG:{code}").format(code=code)


def _candidates(area: Area) -> Iterator[CRS]:
    """Yield the CRSs met around the area: its own and the zones beside, degrees, the local zones.

    The area's own series comes first: UTM and CGCS2000 zones on one meridian lie metres apart.
    """
    own = [area.crs, *neighbours(area.crs)]
    yield from _with_twins(own)
    yield CRS.from_epsg(4326)
    bounds = area.bounds
    x, y = (bounds.left + bounds.right) / 2, (bounds.bottom + bounds.top) / 2
    found = []
    for code in (4490, 4326):
        geographic = CRS.from_epsg(code)
        lon, lat = transformer(area.crs, geographic).transform(x, y)
        spot = Affine(1e-5, 0, lon, 0, -1e-5, lat)
        found.append(working_crs(Grid(crs=geographic, transform=spot, width=1, height=1)))
    yield from _with_twins([*found, *(beside for crs in found for beside in neighbours(crs))])
    yield CRS.from_epsg(3857)


def _with_twins(found: list[CRS]) -> Iterator[CRS]:
    for crs in found:
        yield crs
        twin = zone_prefixed_twin(crs)
        if twin is not None:
            yield twin


# CGCS2000 3-degree zones with and without the zone number, UTM north and south: consecutive codes.
_ZONES = (range(4513, 4534), range(4534, 4555), range(32601, 32661), range(32701, 32761))


def neighbours(crs: CRS) -> list[CRS]:
    """Return the zones beside a CRS that is one of a series."""
    code = epsg_code(crs)
    for zones in _ZONES:
        if code is not None and code in zones:
            return [CRS.from_epsg(n) for n in (code - 1, code + 1) if n in zones]
    return []


def near_of(area: Area) -> float:
    """Return how far from the area its layers are looked for, m: its longer side, at least 1 km."""
    bounds = area.bounds
    return max(1000.0, bounds.right - bounds.left, bounds.top - bounds.bottom)


def fits(boxes: Boxes, crs: CRS, area: Area) -> bool:
    """Whether any row touches the area's rectangle, grown by `near_of`."""
    try:
        moved = to_crs(boxes, crs, area.crs)
    except (CRSError, ProjError):
        return False
    return bool((box_distances(moved, area.bounds) <= near_of(area)).any())


def to_crs(boxes: Boxes, source: CRS, target: CRS) -> Boxes:
    """Return rectangles in another CRS; infinite where they cannot be expressed in it."""
    if same_crs(source, target):
        return boxes
    change = transformer(source, target)
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
