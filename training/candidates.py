"""The numbers of every candidate of a pair, as the product measures them, and if it is true."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial

import numpy as np
import xarray as xr
from affine import Affine
from numpy.typing import NDArray
from rasterio.features import rasterize
from shapely import Polygon

from change.displaced import DISPLACED_M, displaced_clues, worth_a_search
from change.evidence import weigh
from change.leaning import LEANING_M, along_clues, common_way
from change.looks import MARGIN_M, Look, Measured, with_numbers
from change.model.detector import Maps, look, shipped_detector
from change.objects import measure
from change.outlines import joined_in_metres, mask_polygons
from change.shadows import NO_SUMS, Shadows, fallen, shadow_sums
from survey.light import Light, match_light, to_lab
from survey.settings import DetectSettings
from training.flights import Flown
from training.samples import Pair
from training.scenes import IGNORED, PIXEL_M

__all__ = ["LEAST_M2", "Row", "rows_of_flown", "rows_of_pairs"]

LEAST_M2 = 9.0
"""Smaller candidates are left out, m2."""

_RIGHT = 0.3  # share of a candidate that is true

Row = dict[str, float]
"""The numbers of a candidate; beside them `right` and `gained` (0 or 1), `area_m2`, and `heights`
(1 where surface models judged it)."""

_Fallen = tuple[Shadows | None, Shadows | None]
_PLACE = Affine(PIXEL_M, 0.0, 0.0, 0.0, -PIXEL_M, 0.0)

_Truth = Callable[[Polygon, bool], float | None]
"""For an outline that gained (or not), which share of it is true; None where nobody knows."""


def rows_of_pairs(pairs: Sequence[Pair], *, sunny: bool = True) -> list[Row]:
    """Measure every candidate of the windows of two pictures at the network's pixel.

    Parameters
    ----------
    pairs
        The windows; together they tell how shadows fall.
    sunny
        False where shadows do not fall one way.
    """
    windows = [_window(pair) for pair in pairs]
    shadows = _fallen([window for window, _light in windows], PIXEL_M) if sunny else (None, None)
    return [
        row
        for pair, (window, light) in zip(pairs, windows, strict=True)
        for row in _rows(window, _PLACE, (light, shadows), partial(_share_of_pair, pair))
    ]


def _share_of_pair(pair: Pair, outline: Polygon, gained: bool) -> float | None:
    truth = pair.labels[..., 2 if gained else 3]
    said = truth[rasterize([outline], out_shape=truth.shape, transform=_PLACE) > 0]
    if not len(said) or (said == IGNORED).mean() > 0.4:
        return None
    return float((said == 1).sum() / max(1, (said != IGNORED).sum()))


def _fallen(windows: Sequence[xr.Dataset], pixel_m: float) -> _Fallen:
    """Return how shadows fall in the earlier and in the later flight, as all their windows tell."""
    sums = [NO_SUMS, NO_SUMS]
    for window in windows:
        core = (slice(0, window.sizes["y"]), slice(0, window.sizes["x"]))
        for index, side in enumerate(("before", "after")):
            roof, colour, seen = (
                window[name].values for name in (f"roof_{side}", side, f"seen_{side}")
            )
            sums[index] = sums[index] + shadow_sums(roof, colour, seen, core, pixel_m)
    before, after = sums
    return fallen(before), fallen(after)


def rows_of_flown(flown: Flown, *, pictures_alone: bool = False) -> list[Row]:
    """Measure every candidate of two flights: without heights and, where wanted, with some or all.

    Parameters
    ----------
    flown
        Both flights.
    pictures_alone
        True for pictures alone; else by their heights and with one surface model, too.
    """

    def share(outline: Polygon, gained: bool) -> float | None:
        truth = flown.gained if gained else flown.lost
        return float(outline.intersection(truth).area / outline.area)

    window = _with_maps(flown.window, flown.place.a)
    lit = flown.light, _fallen([window], flown.place.a)
    heights = {"height_before", "height_after"} & set(window)
    models = {"surface_before", "surface_after"}
    left_out = [heights | models]
    if not pictures_alone:
        left_out += [heights | {"surface_before"}, heights | {"surface_after"}]
        left_out += [models] if heights else []
    return [
        row for names in left_out for row in _rows(window.drop_vars(names), flown.place, lit, share)
    ]


def _rows(
    window: xr.Dataset, place: Affine, lit: tuple[Light, _Fallen], share: _Truth
) -> Iterator[Row]:
    light, _shadows = lit
    found = list(_measured(window, place, lit))
    way = common_way(item for item, _gained in found)
    for item, gained in found:
        true = share(item.outline, gained) if item.outline.area >= LEAST_M2 else None
        if true is None:
            continue
        clues = {}
        if way is not None and worth_a_search(item):
            around = _look(window, place, item.outline, LEANING_M, gained)
            clues = along_clues(around, light, way)
        yield _row(with_numbers(item, clues), gained=gained, right=true >= _RIGHT)


def _measured(
    window: xr.Dataset, place: Affine, lit: tuple[Light, _Fallen]
) -> Iterator[tuple[Measured, bool]]:
    """Yield every candidate, and whether something appeared there."""
    light, shadows = lit
    settings = DetectSettings(min_area_m2=LEAST_M2)
    weighed = weigh(window, settings, place.a)
    for gained, mask in ((True, weighed.appeared), (False, weighed.vanished)):
        for outline in joined_in_metres(mask_polygons(mask, Affine.identity()), place):
            if outline.area < LEAST_M2 / 2:
                continue
            near = replace(_look(window, place, outline, MARGIN_M, gained), shadows=shadows)
            for item in measure(near, light, settings):
                clues = {}
                if worth_a_search(item):
                    around = _look(window, place, item.outline, DISPLACED_M, gained)
                    clues = displaced_clues(around, light)
                yield with_numbers(item, clues), gained


def _row(item: Measured, *, gained: bool, right: bool) -> Row:
    return dict(item.evidence) | {
        "right": float(right),
        "area_m2": item.outline.area,
        "gained": float(gained),
        "heights": float(item.height_gain_m is not None),
    }


def _window(pair: Pair) -> tuple[xr.Dataset, Light]:
    pictures = [np.ascontiguousarray(np.moveaxis(c, -1, 0)) for c in (pair.before, pair.after)]
    seen = pair.labels[..., 0] != IGNORED
    labs = [to_lab(colour)[:, seen] for colour in pictures]
    data = {
        "before": (("band", "y", "x"), pictures[0]),
        "after": (("band", "y", "x"), pictures[1]),
        "seen_before": (("y", "x"), seen),
        "seen_after": (("y", "x"), seen),
        "tolerance": (("y", "x"), np.full(seen.shape, 0.2, np.float32)),
    }
    window = _with_maps(xr.Dataset(data), PIXEL_M)
    return window, match_light(labs[0][:, ::16], labs[1][:, ::16])


def _with_maps(window: xr.Dataset, pixel_m: float) -> xr.Dataset:
    pictures: list[NDArray[np.uint8]] = [window[name].values for name in ("before", "after")]
    seen = window["seen_before"].values & window["seen_after"].values
    maps: Maps = look(shipped_detector(), pictures[0], pictures[1], pixel_m, seen)
    return window.assign(
        {name: (("y", "x"), np.where(seen, band, np.float32(0))) for name, band in maps.items()}
    )


def _look(
    window: xr.Dataset, place: Affine, outline: Polygon, around_m: float, gained: bool
) -> Look:
    """Cut what is seen so far around an outline out of a window."""
    west, south, east, north = outline.bounds
    left, top = ~place @ (west - around_m, north + around_m)
    right, bottom = ~place @ (east + around_m, south - around_m)
    rows, cols = slice(max(0, int(top)), int(bottom)), slice(max(0, int(left)), int(right))
    return Look(
        window=window.isel(y=rows, x=cols),
        transform=place @ Affine.translation(cols.start, rows.start),
        outline=outline,
        gained=gained,
        roofs=(),
    )
