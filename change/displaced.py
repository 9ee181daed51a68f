"""Roofs that the other picture shows elsewhere: high ones, seen from another side. Pure.

A picture rectified on the ground draws what stands high too far out (relief displacement: Kraus
2007, Photogrammetry, 2nd ed., on the differential rectification of buildings). Two flights look
from different sides, so that the roof of a tower seems to have gone on one side of it and to be new
on the other. But it is the same roof: its details are found again, a few metres off, where in the
picture at hand something else is seen. How often that is so differs from pair to pair, and is
learnt from all candidates of a job at once (``change.shares``), as the share of right ones is.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import xarray as xr
from numpy.typing import NDArray

from change.looks import Look, Measured, grown, inside_of, labs_of, pixel_of, with_numbers
from change.model.trees import shipped_trees
from change.shares import adjusted_to, share_of
from survey.light import Light

__all__ = [
    "DISPLACED_M",
    "Search",
    "displaced_clues",
    "displaced_share",
    "sought",
    "told_from_displaced",
    "worth_a_search",
]

Floats = NDArray[np.float32]

DISPLACED_M = 18.0
"""How far around a candidate the window must reach, m."""

# A roof is looked for so far off, m. Nearer than the second is where it lies; and what lies within
# the third of a place is that place.
_REACH_M, _HERE_M, _SAME_M = 16.0, 1.1, 2.5
# Such a share of candidates is usually displaced; that counts like so many of them. However many
# are, no more than this share is believed to be.
_USUAL, _AS_MANY, _MOST = 0.01, 60, 0.6
# Among those that the trees learnt from, displaced and right ones counted alike.
_LEARNT = 0.5
# Details are compared at this pixel, less what is wider than this, m; hue counts more than light.
_PIXEL_M, _WIDE_M, _HUE = 0.4, 1.3, np.array([1.0, 2.0, 2.0], np.float32)
# The roof around a candidate goes with it, so far, m, where one is seen at least so likely.
_AROUND_M, _ROOF = 2.0, 0.5
# From this score on a candidate is worth the search.
_WORTH_A_SEARCH = 0.2


def displaced_clues(look: Look, light: Light) -> dict[str, float]:
    """Return how well the roof at a candidate is found elsewhere in the other picture.

    Parameters
    ----------
    look
        The candidate, with ``DISPLACED_M`` around it.
    light
        Of the pair.

    Returns
    -------
    dict
        ``moved_alike``, the correlation with the best place elsewhere, up to 1; ``moved_alone``, by
        how much that of the next best is less; ``moved_m``, how far off it is; ``moved_way_deg``,
        which way from where the earlier picture shows it to where the later one does, degrees
        clockwise from the top; ``moved_here``, the correlation where the candidate lies;
        ``moved_still``, that of both pictures at the other place; ``moved_from``, how likely
        something of the other sign changed there; ``moved_m2``, the area that was compared. Empty
        where too little is seen.
    """
    search = sought(look, light, _REACH_M)
    if search is None:
        return {}
    best, numbers = _best_elsewhere(search, gained=look.gained)
    return {
        **numbers,
        **{f"moved_{name}": number for name, number in search.clues_at(best, look).items()},
        "moved_m2": float(search.roof.sum()) * search.pixel_m**2,
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """A roof, and how alike the other picture is at every step from it."""

    roof: NDArray[np.bool_]
    """(row, col); the candidate and the roof around it."""
    here: Floats
    """(row, col, 3); details of the picture that shows it."""
    there: Floats
    """(row, col, 3); those of the other."""
    alike: Floats
    """(row, col); the correlation at each step, the middle one being none."""
    pixel_m: float
    """Pixel of all of them, m."""
    factor: int
    """How many pixels of the window that is."""

    def clues_at(self, index: int, look: Look) -> dict[str, float]:
        """Return what both pictures show where a step leads to, by its index among all of them.

        ``still``, how alike they are there; and ``from``, how likely something of the other sign
        changed there, beyond the roof itself.
        """
        rows, cols = self._grid()
        moved = _moved(self.roof, (int(rows.flat[index]), int(cols.flat[index])))
        ahead = moved & ~self.roof
        against = _shrunk(look.window["gone" if look.gained else "appeared"].values, self.factor)
        return {
            "still": _correlation(self.here[moved], self.there[moved]),
            "from": float(against[ahead].mean()) if ahead.any() else 0.0,
        }

    def mean_at_steps(self, band: xr.DataArray) -> Floats:
        """Return the mean of a map of the window, (row, col), over the roof at every step."""
        return _at_steps(_shrunk(band.values, self.factor), self.roof, len(self.alike) // 2)

    def off_by(self, index: int) -> NDArray[np.float64]:
        """Return how far every step leads from another one, by its index, m."""
        rows, cols = self._grid()
        return np.asarray(np.hypot(rows - rows.flat[index], cols - cols.flat[index]) * self.pixel_m)

    def steps(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return how far each step goes, m, and where to, degrees clockwise from the top."""
        rows, cols = self._grid()
        far = np.hypot(rows, cols) * self.pixel_m
        return far, np.degrees(np.arctan2(cols, -rows))

    def _grid(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        reach = len(self.alike) // 2
        rows, cols = np.mgrid[-reach : reach + 1, -reach : reach + 1]
        return rows, cols


def sought(look: Look, light: Light, reach_m: float) -> Search | None:
    """Look for the roof at a candidate in the other picture; None where none is seen.

    Parameters
    ----------
    look
        The candidate, with more than the reach around it.
    light
        Of the pair.
    reach_m
        How far it is looked for, to each side, m.
    """
    factor = max(1, round(_PIXEL_M / pixel_of(look)))
    pixel = factor * pixel_of(look)
    roof = _shrunk(_roof_around(look).astype(np.float32), factor) >= 0.5
    if not roof.any():
        return None
    here, there = (
        _details(_shrunk(np.moveaxis(lab, 0, -1), factor), pixel) for lab in labs_of(look, light)
    )
    alike = _alike(here, there, roof, round(reach_m / pixel))
    return Search(roof=roof, here=here, there=there, alike=alike, pixel_m=pixel, factor=factor)


def _best_elsewhere(search: Search, *, gained: bool) -> tuple[int, dict[str, float]]:
    """Return the index of the step to the place most alike, and how much it stands out."""
    far, bearing = search.steps()
    elsewhere = np.where((far > _HERE_M) & (far <= _REACH_M), search.alike, np.float32(-1))
    best = int(elsewhere.argmax())
    others = search.off_by(best) > _SAME_M
    return best, {
        "moved_alike": float(elsewhere.flat[best]),
        "moved_alone": float(elsewhere.flat[best] - elsewhere[others].max()),
        "moved_m": float(far.flat[best]),
        "moved_way_deg": float(bearing.flat[best] + (180.0 if gained else 0.0)) % 360.0,
        "moved_here": float(search.alike[far <= _HERE_M].max()),
    }


def worth_a_search(item: Measured) -> bool:
    """Whether a candidate is one of pictures alone, and likely enough to be looked for."""
    return item.height_gain_m is None and item.score >= _WORTH_A_SEARCH


def _roof_around(look: Look) -> NDArray[np.bool_]:
    inside = inside_of(look, look.outline)
    roof = look.window.get("roof_after" if look.gained else "roof_before")
    if roof is not None:
        inside |= grown(inside, _AROUND_M, pixel_of(look)) & (roof.values >= _ROOF)
    return inside


def _shrunk(band: NDArray[np.generic], factor: int) -> Floats:
    size = max(1, band.shape[1] // factor), max(1, band.shape[0] // factor)
    return np.asarray(
        cv2.resize(band.astype(np.float32), size, interpolation=cv2.INTER_AREA), np.float32
    )


def _details(lab: Floats, pixel: float) -> Floats:
    """Return colours less their mean around, (row, col, 3): light falls differently elsewhere."""
    return np.asarray((lab - cv2.GaussianBlur(lab, (0, 0), _WIDE_M / pixel)) * _HUE, np.float32)


def _alike(here: Floats, there: Floats, inside: NDArray[np.bool_], reach: int) -> Floats:
    """Return the correlation of a place with the other picture at every step up to a reach."""
    cut = _box_of(inside)
    mask = inside[cut].astype(np.float32)[..., None].repeat(3, axis=2)
    found = cv2.matchTemplate(
        _widened(there, cut, reach),
        np.ascontiguousarray(here[cut]),
        cv2.TM_CCOEFF_NORMED,
        mask=mask,
    )
    return np.asarray(np.clip(np.nan_to_num(found, nan=-1, posinf=-1), -1, 1), np.float32)


def _at_steps(band: Floats, inside: NDArray[np.bool_], reach: int) -> Floats:
    """Return the mean of a map over a place at every step up to a reach; 0 beyond the map."""
    cut = _box_of(inside)
    mask = inside[cut].astype(np.float32)
    summed = cv2.matchTemplate(_widened(band, cut, reach), mask, cv2.TM_CCORR)
    return np.asarray(np.clip(summed / mask.sum(), 0, 1), np.float32)


def _box_of(inside: NDArray[np.bool_]) -> tuple[slice, slice]:
    rows, cols = np.nonzero(inside)
    return slice(int(rows.min()), int(rows.max()) + 1), slice(int(cols.min()), int(cols.max()) + 1)


def _widened(band: Floats, cut: tuple[slice, slice], reach: int) -> Floats:
    """Return a part of a map with so much around it, 0 beyond the map."""
    room = cv2.copyMakeBorder(band, reach, reach, reach, reach, cv2.BORDER_CONSTANT)
    rows, cols = cut
    return np.asarray(room[rows.start : rows.stop + 2 * reach, cols.start : cols.stop + 2 * reach])


def _moved(mask: NDArray[np.bool_], step: tuple[int, int]) -> NDArray[np.bool_]:
    """Return a mask moved by rows and columns; what leaves the window is lost."""
    matrix = np.array([[1, 0, step[1]], [0, 1, step[0]]], float)
    moved = cv2.warpAffine(mask.astype(np.uint8), matrix, mask.shape[::-1], flags=cv2.INTER_NEAREST)
    return np.asarray(moved > 0)


def _correlation(one: Floats, other: Floats) -> float:
    """Return the correlation of colours, (pixel, 3) each; 1 where nothing is to be seen."""
    if not len(one):
        return 1.0
    one, other = one - one.mean(axis=0), other - other.mean(axis=0)
    size = math.sqrt(float((one**2).sum()) * float((other**2).sum()))
    return float((one * other).sum()) / size if size > 0 else 1.0


def displaced_share(likely: Sequence[float]) -> float:
    """Return which share of candidates is displaced, by what each is told as likely as not."""
    known = np.asarray(likely, float)
    share = share_of(known, np.ones(len(known)), learnt=_LEARNT, usual=_USUAL, as_many=_AS_MANY)
    return min(_MOST, share)


def told_from_displaced(measured: Iterable[Measured]) -> tuple[list[Measured], float | None]:
    """Tell how likely each candidate is a roof seen from another side.

    Parameters
    ----------
    measured
        All candidates of a job; those that were looked for have ``moved_alike`` in their evidence.

    Returns
    -------
    list of Measured
        All of them; those looked for say how well that explains them (``like_displaced``).
    float or None
        The share of those looked for that is displaced; None where none was.
    """
    items = list(measured)
    numbers = [dict(item.evidence) for item in items]
    likely = [_likely(known) for known in numbers if "moved_alike" in known]
    if not likely:
        return items, None
    share = displaced_share(likely)
    told = iter(adjusted_to(share, np.array(likely), _LEARNT))
    return [
        with_numbers(item, {"like_displaced": float(next(told))})
        if "moved_alike" in known
        else item
        for item, known in zip(items, numbers, strict=True)
    ], share


def _likely(known: Mapping[str, float]) -> float:
    """Return how likely a candidate is displaced; better told where it was sought along a way."""
    trees = "by_lean" if "along_alike" in known else "by_displacement"
    return shipped_trees(trees).probability(known)
