"""Where the built surface differs between two moments: volumes cut into faces of one height."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from shapely import Polygon, set_precision, unary_union
from shapely.geometry.base import BaseGeometry

from survey.simulation.scene import Part

__all__ = ["Difference", "Where", "compare", "middle_rise"]

Where = Literal["anywhere", "built", "open", "risen", "sunk"]
"""Which ground of a comparison counts."""

_GRID_M = 0.001  # so that outlines stay valid when they are moved to where the area lies
_SLIVER_M2 = 0.01
_SAME_M = 0.2  # below this a slab was only covered anew


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """Where and by how much what is built differs."""

    outline: BaseGeometry
    """All that differs, local metres."""
    gain_m: float
    """Median over the outline of what the mean surface gained, metres; negative where it sank."""
    top_gain_m: float
    """Greatest gain, or loss where more was lost, between highest points, metres."""


def middle_rise(part: Part) -> float:
    """Give the height above its eaves that half of a roof exceeds, metres; a hip's mean."""
    if part.roof in ("gable", "mono"):
        return part.rise_m / 2.0
    if part.roof == "hip":
        short, long = sorted((part.length_m, part.width_m))
        return part.rise_m * (3.0 * long - short) / (6.0 * long)
    return part.rise_m * 0.75 if part.roof == "arch" else 0.0  # a parabola over half its width


def compare(
    before: tuple[Part, ...],
    after: tuple[Part, ...],
    *,
    where: Where = "anywhere",
) -> Difference | None:
    """Find where the volumes of two moments differ in height by more than 0.2 m.

    Parameters
    ----------
    before
        Volumes at the earlier moment, of one or several structures.
    after
        Volumes at the later moment.
    where
        Which ground counts: all, what is built over or open at the later moment, or what has
        risen or sunk between the two.

    Returns
    -------
    Difference or None
        None where nothing differs; coverings and fixtures do not count.
    """
    kept = set(map(_form, before)) & set(map(_form, after))
    faces = _cut([part for part in (*before, *after) if _form(part) not in kept])
    changed = []
    for face in faces:
        spot = face.representative_point()
        old, new = _surface(before, spot), _surface(after, spot)
        differs = abs(new[0] - old[0]) > _SAME_M or abs(new[1] - old[1]) > _SAME_M
        if differs and _counts(where, old[0], new[0]):
            changed.append((face, new[0] - old[0], new[1] - old[1]))
    if not changed:
        return None
    areas = np.array([face.area for face, _, _ in changed])
    gains = np.array([gain for _, gain, _ in changed])
    order = np.argsort(gains)
    middle = np.searchsorted(np.cumsum(areas[order]), areas.sum() / 2.0)
    tops = [top for _, _, top in changed]
    snapped = set_precision(unary_union([face for face, _, _ in changed]), _GRID_M)
    return Difference(
        outline=set_precision(snapped, 0.0),  # GEOS empties buffers of what keeps its grid
        gain_m=float(gains[order][min(int(middle), len(gains) - 1)]),
        top_gain_m=max(tops, key=abs),
    )


def _counts(where: Where, old_m: float, new_m: float) -> bool:
    """Say whether ground of these heights is asked for."""
    return {
        "anywhere": True,
        "built": new_m > 0.0,
        "open": new_m == 0.0,
        "risen": new_m >= old_m,
        "sunk": new_m < old_m,
    }[where]


def _form(part: Part) -> tuple[object, ...]:
    """Give all of a volume that its height depends on."""
    size = (part.length_m, part.width_m, part.base_m, part.height_m, part.rise_m)
    return (part.place, *size, part.roof)


def _cut(parts: list[Part]) -> list[Polygon]:
    """Cut outlines that overlap into pieces that do not."""
    faces: list[Polygon] = []
    for part in parts:
        rest: BaseGeometry = part.outline()
        pieces = []
        for face in faces:
            pieces += _polygons(face.intersection(rest))
            pieces += _polygons(face.difference(rest))
        rest = rest.difference(unary_union(faces)) if faces else rest
        faces = [*pieces, *_polygons(rest)]
    return faces


def _polygons(shape: BaseGeometry) -> list[Polygon]:
    pieces = [item for item in getattr(shape, "geoms", [shape]) if isinstance(item, Polygon)]
    return [piece for piece in pieces if piece.area > _SLIVER_M2]


def _surface(parts: tuple[Part, ...], spot: BaseGeometry) -> tuple[float, float]:
    """Give middle height and highest point of the uppermost volume over a spot; 0 on the ground."""
    over = [part for part in parts if part.outline().covers(spot)]
    if not over:
        return 0.0, 0.0
    top = max(over, key=lambda part: part.height_m)
    return top.height_m + middle_rise(top), top.top_m
