"""What is wrong or doubtful with a flight, or with a pair of flights, before any work is done.

A `Finding` is a measured value against a limit. ``refuse`` stops the work, ``warning`` and ``info``
are told and recorded. Large pictures are judged from their overviews, or from scattered windows.
"""

from collections.abc import Iterator

import numpy as np

from survey.crs import describe_crs, same_crs, zone_prefixed_twin
from survey.findings import Finding, Value
from survey.flight import Flight
from survey.glance import (
    coarse_grid,
    coarse_heights,
    scattered_pictures,
    shown_ground,
    some_sources,
    valid_share,
)
from survey.grid import transform_bounds, working_crs
from survey.heights import PLAUSIBLE_M
from survey.reading import Picture

__all__ = ["check_flight", "check_pair"]

# Ground pixel, m. A shed of 10 m2 is 3 x 3 pixels of 1 m, which no outline survives; 0.5 m is the
# coarsest at which building change is commonly mapped (LEVIR-CD, WHU-CD and S2Looking lie at
# 0.075-0.8 m). Below 1 cm a flight holds nothing more for buildings, only more to decode.
_PIXEL_REFUSED_M, _PIXEL_DOUBTFUL_M, _PIXEL_FINE_M = 1.0, 0.5, 0.01
# The smallest window that images can be matched in.
_SIDE_PX = 64
# Share of the files' area that shows ground.
_VALID_REFUSED, _VALID_DOUBTFUL = 0.01, 0.5
# Power at 0.3-0.5 over that at 0.1-0.2 cycles per pixel, median of textured windows. Measured on 20
# real pictures: 0.05-0.6 where pixels are as taken, 0.011-0.014 enlarged a little (kampala), 0.002-
# 0.008 enlarged twofold (bilinear or cubic, also after JPEG), except two very noisy ones (0.012).
_SHARPNESS = 0.008
# Variance at 0.1-0.2 cycles per pixel, grey levels squared, under which a window has no texture.
_TEXTURE = 4.0
# Share of pixels with a band at 0 or 255: colours there are lost, and with them the comparison.
_SATURATED = 0.05
# Side at which a look at the whole without overviews takes seconds.
_LARGE_PX = 4000
# A class map or a mask has fewer different colours than any photograph.
_COLOURS = 16
# Share of the picture that its surface model must cover.
_SURFACE_COVER = 0.9
_SURFACE_PIXEL_M = 1.0
# A surface that spans less (1st to 99th percentile) shows no building: one storey is 3 m.
_SURFACE_RANGE_M = 2.0
# Coarser over finer ground pixel of a pair.
_RATIO_REFUSED, _RATIO_DOUBTFUL = 5.0, 2.0
# Share of the smaller footprint that both flights show.
_OVERLAP_REFUSED, _OVERLAP_DOUBTFUL = 0.01, 0.25
_ROTATION_DEGREES = 0.1


def check_flight(flight: Flight) -> list[Finding]:
    """Look a flight over: its headers, scattered windows, its surface model.

    Parameters
    ----------
    flight
        An opened flight, after ``survey.examination.examine``.

    Raises
    ------
    FlightError
        A file cannot be read.
    """
    findings = list(_check_headers(flight))
    if any(finding.level == "refuse" for finding in findings):
        return findings
    findings += _check_pixels(flight)
    if flight.dsm is not None:
        findings += _check_surface(flight, flight.dsm)
    return findings


def _info(code: str, subject: str, value: Value = None, limit: Value = None) -> Finding:
    return Finding(code=code, level="info", subject=subject, value=value, limit=limit)


def _warning(code: str, subject: str, value: Value = None, limit: Value = None) -> Finding:
    return Finding(code=code, level="warning", subject=subject, value=value, limit=limit)


def _refuse(code: str, subject: str, value: Value = None, limit: Value = None) -> Finding:
    return Finding(code=code, level="refuse", subject=subject, value=value, limit=limit)


def _check_headers(flight: Flight) -> Iterator[Finding]:
    name, first = flight.name, flight.sources[0]
    for said in flight.assumptions:
        yield _info("assumption", name, said)
    yield from _check_grid(flight)
    if first.dtype != "uint8":
        yield _info("bit_depth", name, first.bits)
    large = [s for s in flight.sources if max(s.grid.width, s.grid.height) > _LARGE_PX]
    bare = [max(s.grid.width, s.grid.height) for s in large if not s.overviews]
    if bare:
        yield _warning("overviews", name, max(bare), _LARGE_PX)
    if any(not source.tiled for source in large):
        yield _info("strips", name)
    if flight.flown_on is None:
        yield _warning("date", name)
    signs = {"alpha": first.alpha, "mask": first.masked or None, "nodata": first.nodata}
    stated = [sign for sign, value in signs.items() if value is not None]
    if len(stated) > 1:
        yield _info("masks", name, ", ".join(stated))


def _check_grid(flight: Flight) -> Iterator[Finding]:
    name, grid = flight.name, flight.sources[0].grid
    pixel, fit = flight.pixel_m, working_crs(grid)
    if not same_crs(fit, grid.crs):
        yield _info("crs", name, describe_crs(grid.crs), describe_crs(fit))
    if pixel > _PIXEL_REFUSED_M:
        yield _refuse("pixel_size", name, pixel, _PIXEL_REFUSED_M)
    elif pixel > _PIXEL_DOUBTFUL_M:
        yield _warning("pixel_size", name, pixel, _PIXEL_DOUBTFUL_M)
    elif pixel < _PIXEL_FINE_M:
        yield _info("pixel_size", name, pixel, _PIXEL_FINE_M)
    wide, high = (
        max(getattr(s.grid, side) for s in flight.sources) for side in ("width", "height")
    )
    if min(wide, high) < _SIDE_PX:
        yield _refuse("size", name, min(wide, high), _SIDE_PX)
    if abs(grid.rotation) > _ROTATION_DEGREES:
        yield _info("rotation", name, grid.rotation)


def _check_pixels(flight: Flight) -> Iterator[Finding]:
    name = flight.name
    pictures = [
        p
        for source in some_sources(flight)
        for p in scattered_pictures(source, len(flight.sources))
    ]
    share = valid_share(flight, pictures)
    if share < _VALID_REFUSED:
        yield _refuse("valid_share", name, share, _VALID_REFUSED)
        return
    level = _warning if share < _VALID_DOUBTFUL else _info
    yield level("valid_share", name, share, _VALID_DOUBTFUL)
    colours = _count_colours(pictures)
    if colours < _COLOURS:
        yield _refuse("colours", name, colours, _COLOURS)
    border = max((s.collar.share for s in flight.sources if s.collar is not None), default=0.0)
    if border > 0:
        yield _info("collar", name, border)
    sharp = [s for s in map(_sharpness, pictures) if s is not None]
    if sharp and np.median(sharp) < _SHARPNESS:
        yield _warning("blur", name, float(np.median(sharp)), _SHARPNESS)
    lost = _saturated_share(pictures)
    if lost > _SATURATED:
        yield _warning("saturation", name, lost, _SATURATED)


def _count_colours(pictures: list[Picture]) -> int:
    """Return how many different colours there are, counted no further than needed."""
    found: set[int] = set()
    for picture in pictures:
        red, green, blue = picture.colour[:, picture.valid].astype(np.int32)
        found.update(np.unique(red << 16 | green << 8 | blue).tolist())
        if len(found) >= _COLOURS:
            break
    return len(found)


def _sharpness(picture: Picture) -> float | None:
    """Return the power of finest detail over that of middling detail; None without texture."""
    side = min(picture.valid.shape)
    if side < _SIDE_PX or not picture.valid[:side, :side].all():
        return None
    grey = picture.colour[:, :side, :side].mean(axis=0)
    taper = np.outer(np.hanning(side), np.hanning(side))
    power = np.abs(np.fft.rfft2((grey - grey.mean()) * taper)) ** 2 / (taper**2).sum()
    cycles = np.hypot(np.fft.fftfreq(side)[:, None], np.fft.rfftfreq(side)[None, :])
    middling = power[(cycles > 0.1) & (cycles < 0.2)].mean()
    finest = power[(cycles > 0.3) & (cycles < 0.5)].mean()
    return float(finest / middling) if middling > _TEXTURE else None


def _saturated_share(pictures: list[Picture]) -> float:
    seen = sum(int(picture.valid.sum()) for picture in pictures)
    lost = sum(
        int((((p.colour == 0) | (p.colour == 255)).any(axis=0) & p.valid).sum()) for p in pictures
    )
    return lost / max(1, seen)


def _check_surface(flight: Flight, dsm: Flight) -> Iterator[Finding]:
    name = dsm.name
    for said in dsm.assumptions:
        yield _info("assumption", name, said)
    if not same_crs(flight.crs, dsm.crs):
        yield _info("dsm_crs", name, describe_crs(dsm.crs), describe_crs(flight.crs))
    if dsm.pixel_m > _SURFACE_PIXEL_M:
        yield _warning("dsm_pixel_size", name, dsm.pixel_m, _SURFACE_PIXEL_M)
    grid = coarse_grid(flight)
    ground = shown_ground(flight, grid)
    heights, looked = coarse_heights(dsm, grid)
    known = np.isfinite(heights)
    cover = float((known & ground).sum() / max(1, (looked & ground).sum()))
    if cover == 0:
        yield _refuse("dsm_overlap", name, cover, _SURFACE_COVER)
        return
    if cover < _SURFACE_COVER:
        yield _warning("dsm_overlap", name, cover, _SURFACE_COVER)
    lowest, highest = PLAUSIBLE_M
    wild = heights[known & ((heights < lowest) | (heights > highest))]
    if wild.size:
        yield _warning("dsm_heights", name, float(wild[0]), f"{lowest:.0f} ... {highest:.0f}")
    low, high = np.percentile(heights[known], (1, 99))
    if high - low < _SURFACE_RANGE_M:
        yield _warning("dsm_range", name, float(high - low), _SURFACE_RANGE_M)


def check_pair(before: Flight, after: Flight) -> list[Finding]:
    """Hold two flights against each other: grids, dates, the ground they share.

    Parameters
    ----------
    before, after
        Two flights that each passed `check_flight`.

    Raises
    ------
    FlightError
        A file cannot be read.
    """
    return [*_compare_headers(before, after), *_compare_ground(before, after)]


def _compare_headers(before: Flight, after: Flight) -> Iterator[Finding]:
    name = f"{before.name}, {after.name}"
    if not same_crs(before.crs, after.crs):
        twin = zone_prefixed_twin(before.crs)
        twins = twin is not None and same_crs(twin, after.crs)
        code = "zone_prefixed_twin" if twins else "crs_differs"
        yield _info(code, name, describe_crs(before.crs), describe_crs(after.crs))
    finer, coarser = sorted((before.pixel_m, after.pixel_m))
    if coarser / finer > _RATIO_REFUSED:
        yield _refuse("pixel_ratio", name, coarser / finer, _RATIO_REFUSED)
    elif coarser / finer > _RATIO_DOUBTFUL:
        yield _warning("pixel_ratio", name, coarser / finer, _RATIO_DOUBTFUL)
    turn = before.sources[0].grid.rotation - after.sources[0].grid.rotation
    if abs((turn + 180) % 360 - 180) > _ROTATION_DEGREES:
        yield _info("rotation_differs", name, abs((turn + 180) % 360 - 180))
    if before.flown_on is None or after.flown_on is None:
        return
    if before.flown_on == after.flown_on:
        yield _info("same_date", name, before.flown_on.isoformat())
    elif before.flown_on > after.flown_on:
        days = before.flown_on.isoformat(), after.flown_on.isoformat()
        # A name may hold digits that are no date; a tag or an option says what it means.
        meant = {before.dated_by, after.dated_by} <= {"tag", "option"}
        yield (_refuse if meant else _warning)("date_order", name, *days)


def _compare_ground(before: Flight, after: Flight) -> Iterator[Finding]:
    name = f"{before.name}, {after.name}"
    share = _overlap_share(before, after)
    if share < _OVERLAP_REFUSED:
        yield _refuse("overlap", name, share, _OVERLAP_REFUSED)
        return
    level = _warning if share < _OVERLAP_DOUBTFUL else _info
    yield level("overlap", name, share, _OVERLAP_DOUBTFUL)
    if _same_content(before, after):
        yield _warning("same_content", name)


def _overlap_share(before: Flight, after: Flight) -> float:
    """Return the share of the smaller flight's ground that the other one shows too."""
    small, large = sorted((before, after), key=_ground_area)
    grid = coarse_grid(small)
    shown, also = (shown_ground(flight, grid) for flight in (small, large))
    return float((shown & also).sum() / max(1, shown.sum()))


def _ground_area(flight: Flight) -> float:
    bounds = transform_bounds(flight.bounds, flight.crs, working_crs(flight.sources[0].grid))
    return (bounds.right - bounds.left) * (bounds.top - bounds.bottom)


def _same_content(before: Flight, after: Flight) -> bool:
    """Whether both flights hold the same pixels at the same place, as far as windows tell."""
    if [s.grid for s in before.sources] != [s.grid for s in after.sources]:
        return False
    return all(
        np.array_equal(first.valid, second.valid) and np.array_equal(first.colour, second.colour)
        for sources in zip(some_sources(before), some_sources(after), strict=True)
        for first, second in zip(*map(scattered_pictures, sources), strict=True)
    )
