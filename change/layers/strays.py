"""Strays: rows of a layer that are written otherwise than the rest, found by where they fall.

A layer of a whole city has most of its rows far from any flight, and nothing is wrong with them. A
row is a stray only if it lies far off as written and falls on the area in another reading (north
before east, with or without the zone number, a neighbouring zone), or where its CRS is not used.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import CRS
from pyproj.exceptions import ProjError
from scipy.spatial import cKDTree

from change.layers.placement import (
    Area,
    Boxes,
    Placement,
    box_distances,
    near_of,
    neighbours,
    swapped_boxes,
    to_crs,
    within_use,
)
from change.layers.polygons import Outlines
from survey.crs import describe_crs, transformer, zone_prefixed_twin
from survey.words import _

__all__ = ["settle_strays"]

Rows = NDArray[np.bool_]
"""One flag for each row that has a geometry."""

Turn = Callable[[NDArray[np.float64]], NDArray[np.float64]]
"""Coordinates (n, 2) to coordinates."""

# Twice the width of a zone beyond where the CRS is used: a slip of the pen, not a city's habit.
_FAR_DEG = 12.0
# A layer that has ordinary rows this near a stray's place does cover that place: no stray.
_ALONE_M = 10_000.0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Layer:
    """The rows that have a geometry, as rectangles."""

    outlines: Outlines
    """The geometry itself, changed in place."""
    present: NDArray[np.int_]
    """Index of each row in ``outlines``."""
    boxes: Boxes
    """Each row in the file's coordinates."""
    crs: CRS
    """Which are in this CRS."""
    area: Area | None
    """Where the work takes place."""
    target: CRS
    """CRS that places are told in."""
    shown: str
    """The file, for sentences."""

    def near(self, boxes: Boxes, crs: CRS) -> Rows:
        """Return which rectangles fall on the area, read in a CRS."""
        if self.area is None:
            return np.zeros(len(boxes), dtype=bool)
        try:
            moved = to_crs(boxes, crs, self.area.crs)
        except ProjError:
            return np.zeros(len(boxes), dtype=bool)
        return np.asarray(box_distances(moved, self.area.bounds) <= near_of(self.area))

    def places(self, rows: Rows, crs: CRS) -> NDArray[np.object_]:
        """Return the rectangles of some rows, read in a CRS, in the target CRS."""
        return np.asarray(shapely.box(*to_crs(self.boxes[rows], crs, self.target).T))

    def reread(self, rows: Rows, turn: Turn, why: str, detail: str) -> None:
        """Change the coordinates of some rows, and note it."""
        chosen = self.present[rows]
        geometries = self.outlines.geometries
        geometries[chosen] = shapely.transform(geometries[chosen], turn)
        for index in chosen.tolist():
            self.outlines.note(index, why, detail)

    def drop(self, rows: Rows, crs: CRS, why: str, detail: str) -> None:
        """Take some rows out, and tell where they would be in a CRS."""
        places = self.places(rows, crs)
        for index, place in zip(self.present[rows].tolist(), places, strict=True):
            self.outlines.drop(index, why, detail, place)

    def told(self, text: str, rows: Rows, crs: CRS | None = None) -> str:
        """Fill in a sentence about some rows."""
        name = describe_crs(self.crs if crs is None else crs)
        count, total = int(rows.sum()), len(self.outlines.geometries)
        return text.format(path=self.shown, count=count, rows=total, crs=name)


def settle_strays(
    outlines: Outlines, placement: Placement, area: Area | None, target: CRS, shown: str
) -> tuple[str, ...]:
    """Read strays as they are meant where that is beyond doubt, and take the others out.

    Parameters
    ----------
    outlines
        The layer's geometry in its own coordinates; changed in place.
    placement
        The CRS of most rows.
    area
        Where the work takes place; None where nobody can say.
    target
        CRS that the places of dropped rows are told in, projected.
    shown
        The file, for sentences.

    Returns
    -------
    tuple of str
        One sentence for each kind of stray, with how many rows it is about.
    """
    present = np.array(outlines.present(), dtype=int)
    edges: Boxes = shapely.bounds(outlines.geometries[present])
    finite = np.isfinite(edges).all(axis=1)
    layer = _Layer(
        outlines=outlines,
        present=present[finite],
        boxes=edges[finite],
        crs=placement.crs,
        area=area,
        target=target,
        shown=shown,
    )
    near = layer.near(layer.boxes, layer.crs)
    if near.all():
        return ()
    known = near | within_use(layer.boxes, layer.crs)
    swapped, said = _swapped(layer, near, known)
    renumbered, more = _renumbered(layer, near | swapped, known)
    far = ~(near | swapped | renumbered)
    zoned, others = _other_zones(layer, far)
    return (*said, *more, *others, *_elsewhere(layer, far & ~zoned))


def _meant(layer: _Layer, boxes: Boxes, crs: CRS, settled: Rows, known: Rows) -> Rows:
    """Return the rows for which another reading is the right one."""
    here = layer.near(boxes, crs) | (~known & within_use(boxes, crs))
    return np.asarray(~settled & here)


def _swapped(layer: _Layer, settled: Rows, known: Rows) -> tuple[Rows, list[str]]:
    rows = _meant(layer, swapped_boxes(layer.boxes), layer.crs, settled, known)
    if not rows.any():
        return rows, []
    detail = _("north stood before east; read so")
    layer.reread(rows, lambda points: points[:, ::-1], "axes_swapped", detail)
    text = _("{path}: {count} of {rows} rows have north before east, and were read so")
    return rows, [layer.told(text, rows)]


def _renumbered(layer: _Layer, settled: Rows, known: Rows) -> tuple[Rows, list[str]]:
    twin = zone_prefixed_twin(layer.crs)
    if twin is None:
        return np.zeros_like(settled), []
    rows = _meant(layer, layer.boxes, twin, settled, known)
    if not rows.any():
        return rows, []
    change = transformer(twin, layer.crs)

    def turn(points: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.stack(change.transform(points[:, 0], points[:, 1]), axis=1)

    detail = _("its eastings are those of {crs}; read so").format(crs=describe_crs(twin))
    layer.reread(rows, turn, "zone_prefix", detail)
    text = _(
        "{path}: {count} of {rows} rows have eastings of {crs} (with or without the zone number),"
        " and were read so"
    )
    return rows, [layer.told(text, rows, twin)]


def _other_zones(layer: _Layer, far: Rows) -> tuple[Rows, list[str]]:
    """Take out rows that fall on the area as those of the zone beside it; the place is kept."""
    said: list[str] = []
    found = np.zeros_like(far)
    # Where nothing falls on the area, the whole layer lies elsewhere: no matter of single rows.
    for zone in neighbours(layer.crs) if far.any() and not far.all() else ():
        hits = far & ~found & layer.near(layer.boxes, zone)
        hits = _alone(layer, hits, far & ~hits)
        if not hits.any():
            continue
        found |= hits
        detail = _("lies far from the flight, and on it in {crs}").format(crs=describe_crs(zone))
        layer.drop(hits, zone, "other_zone", detail)
        text = _(
            "{path}: {count} of {rows} rows fall on the flight only in {crs}, the zone beside it;"
            " they were left out: give them as a layer of their own, in that CRS"
        )
        said.append(layer.told(text, hits, zone))
    return found, said


def _alone(layer: _Layer, hits: Rows, others: Rows) -> Rows:
    """Return the hits with no ordinary row around them, as written."""
    if not hits.any() or not others.any():
        return hits
    middle = (layer.boxes[:, :2] + layer.boxes[:, 2:]) / 2
    apart, _nearest = cKDTree(middle[others]).query(middle[hits])
    result = hits.copy()
    result[hits] = apart > _ALONE_M
    return result


def _elsewhere(layer: _Layer, far: Rows) -> list[str]:
    """Take out single rows that lie where their CRS is not used at all."""
    moved = np.isfinite(to_crs(layer.boxes, layer.crs, layer.target)).all(axis=1)
    if layer.crs.is_geographic:
        # What is no longitude or latitude at all lies nowhere, and is reported as that.
        moved &= (np.abs(layer.boxes) <= [180, 90, 180, 90]).all(axis=1)
    rows = far & moved & ~within_use(layer.boxes, layer.crs, _FAR_DEG)
    # Where most rows do, it is not the rows but the CRS, and placement has its say.
    if not rows.any() or 2 * rows.sum() > len(far):
        return []
    text = _("lies far outside the area where {crs} is used").format(crs=describe_crs(layer.crs))
    layer.drop(rows, layer.crs, "elsewhere", text)
    said = _(
        "{path}: {count} of {rows} rows lie far outside the area where {crs} is used; they were"
        " left out"
    )
    return [layer.told(said, rows)]
