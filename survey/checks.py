"""What is wrong or doubtful with a flight, or with a pair of flights, before any work is done.

A `Finding` is a measured value against a limit. ``refuse`` stops the work, ``warning`` and ``info``
are told and recorded. Large pictures are judged from their overviews, or from scattered windows.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from survey.errors import FlightError, PairError
from survey.flight import Flight, Source
from survey.grid import (
    WorkingGrid,
    describe_crs,
    same_crs,
    transform_bounds,
    transformer,
    working_crs,
    zone_prefixed_twin,
)
from survey.reading import FlightReader, Picture, read_stored
from survey.windows import Window
from survey.words import N_, _

__all__ = ["Finding", "check_flight", "check_pair", "require"]

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
_SHARPNESS = 0.01
# Variance at 0.1-0.2 cycles per pixel, grey levels squared, under which a window has no texture.
_TEXTURE = 4.0
# Share of pixels with a band at 0 or 255: colours there are lost, and with them the comparison.
_SATURATED = 0.05
# Side at which a look at the whole without overviews takes seconds (ECOSYSTEM, section 4).
_LARGE_PX = 4000
# A class map or a mask has fewer different colours than any photograph.
_COLOURS = 16
# Share of the picture that its surface model must cover.
_SURFACE_COVER = 0.9
_SURFACE_PIXEL_M = 1.0
# Land lies between the Dead Sea shore (-430 m) and Everest (8 849 m).
_HEIGHTS_M = (-500.0, 9000.0)
# A surface that spans less (1st to 99th percentile) shows no building: one storey is 3 m.
_SURFACE_RANGE_M = 2.0
# Coarser over finer ground pixel of a pair.
_RATIO_REFUSED, _RATIO_DOUBTFUL = 5.0, 2.0
# Share of the smaller footprint that both flights show.
_OVERLAP_REFUSED, _OVERLAP_DOUBTFUL = 0.01, 0.25
_ROTATION_DEGREES = 0.1

# How much is looked at: windows along a side and their size, sources of a folder, and the pixels
# that may be decoded for a look at the whole (a quarter of a second, ECOSYSTEM, section 4).
_WINDOWS, _WINDOW_PX, _SOURCES = 8, 256, 16
_CHEAP_PX = 2**25
_COARSE_PX = 512

Value = float | str | None
"""A measured value or a limit, in the unit that the finding's sentence names."""

_LEVELS = ("info", "warning", "refuse")

_SENTENCES = {
    "assumption": N_("{value}"),
    "crs": N_("{subject}: is in {value}; worked on in {limit}, where lengths are metres"),
    "pixel_size": N_(
        "{subject}: a pixel is {value:.2f} m on the ground (limit {limit:.2f} m); small structures"
        " cannot be seen, export the orthophoto at full resolution"
    ),
    "pixel_size.info": N_(
        "{subject}: a pixel is {value:.4f} m on the ground, finer than needed ({limit:.2f} m)"
    ),
    "size": N_(
        "{subject}: is {value:.0f} pixels on its shorter side (at least {limit:.0f} are needed);"
        " is this a preview?"
    ),
    "valid_share": N_(
        "{subject}: shows ground on only {value:.1%} of its area (limit {limit:.0%}); check its"
        " alpha band, mask or nodata value"
    ),
    "valid_share.info": N_("{subject}: shows ground on {value:.1%} of its area"),
    "colours": N_(
        "{subject}: has {value:.0f} different colours (a picture has at least {limit:.0f}); this is"
        " a map of classes or a mask, give the orthophoto"
    ),
    "bit_depth": N_("{subject}: has {value:.0f} bits a colour; brought to 8 bits"),
    "rotation": N_("{subject}: its rows are turned by {value:.2f} degrees; turned north"),
    "blur": N_(
        "{subject}: is blurred or enlarged (sharpness {value:.3f}, usual is over {limit:.3f});"
        " true detail is coarser than its pixels, use the original export"
    ),
    "saturation": N_(
        "{subject}: {value:.0%} of it is pure black or white in a colour (limit {limit:.0%});"
        " export it without contrast enhancement"
    ),
    "overviews": N_(
        "{subject}: has {value:.0f} pixels a side and no overviews, so a look at the whole is slow;"
        " gdaladdo -r average FILE 2 4 8 16 adds them"
    ),
    "strips": N_("{subject}: is stored in strips, not tiles, and reads more slowly"),
    "date": N_("{subject}: its day of flight is unknown; give it, or name the file YYYYMMDD"),
    "collar": N_(
        "{subject}: has an opaque border over {value:.0%} of the file; taken as no picture"
    ),
    "masks": N_(
        "{subject}: says twice where it shows ground ({value}); taken as ground where both agree"
    ),
    "dsm_overlap": N_(
        "{subject}: covers {value:.0%} of the orthophoto (at least {limit:.0%} is expected);"
        " give the surface model of the same flight"
    ),
    "dsm_pixel_size": N_(
        "{subject}: a pixel is {value:.2f} m (limit {limit:.2f} m); small buildings have no height"
    ),
    "dsm_crs": N_("{subject}: is in {value}, its picture in {limit}"),
    "dsm_heights": N_(
        "{subject}: holds heights of {value:.0f} m (plausible is {limit} m); its unit or"
        " nodata value may be wrong, set it with gdal_edit.py -a_nodata"
    ),
    "dsm_range": N_(
        "{subject}: its heights span {value:.1f} m (limit {limit:.0f} m), no building stands out;"
        " give the surface model, not the terrain model"
    ),
    "crs_differs": N_("{subject}: are in {value} and {limit}; both are brought onto one grid"),
    "zone_prefixed_twin": N_(
        "{subject}: are in {value} and {limit}, which differ by the zone number before the easting;"
        " brought onto one grid"
    ),
    "pixel_ratio": N_(
        "{subject}: a pixel of one is {value:.1f} times that of the other (limit {limit:.0f});"
        " compare flights of like resolution"
    ),
    "overlap": N_(
        "{subject}: share {value:.1%} of the smaller area (limit {limit:.0%}); are both of the same"
        " place, and are their coordinate reference systems right?"
    ),
    "overlap.info": N_("{subject}: share {value:.1%} of the smaller area"),
    "rotation_differs": N_(
        "{subject}: their rows differ by {value:.1f} degrees; both turned north"
    ),
    "date_order": N_("{subject}: the first was flown on {value}, after the second on {limit}"),
    "same_date": N_("{subject}: both were flown on {value}"),
    "same_content": N_("{subject}: are the same picture; there is nothing to find"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something wrong or doubtful: a measured value against a limit."""

    code: str
    """What was looked at, a slug."""
    level: str
    """``info``, ``warning`` or ``refuse``."""
    subject: str
    """Which flight, or which two."""
    value: float | str | None = None
    """What was measured, in the unit its sentence names."""
    limit: float | str | None = None
    """What it was held against."""

    def __post_init__(self) -> None:
        if self.code not in _SENTENCES or self.level not in _LEVELS:
            raise ValueError(f"no such finding: {self.code} ({self.level})")

    def sentence(self) -> str:
        """Return the finding in words: what is wrong, how much, the limit, what to do."""
        words = _SENTENCES.get(f"{self.code}.{self.level}", _SENTENCES[self.code])
        return _(words).format(subject=self.subject, value=self.value, limit=self.limit)


def require(findings: Sequence[Finding]) -> None:
    """Stop at the first finding that rules out the work.

    Raises
    ------
    FlightError, PairError
        With the sentence of the first finding of level ``refuse``.
    """
    for finding in findings:
        if finding.level == "refuse":
            error = PairError if finding.code in ("pixel_ratio", "overlap") else FlightError
            raise error(finding.sentence())


def check_flight(flight: Flight) -> list[Finding]:
    """Look a flight over: its headers, scattered windows, its surface model.

    Parameters
    ----------
    flight
        An opened flight, after ``survey.reading.examine``.

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
    pictures = [p for source in _some(flight) for p in _scattered(source, len(flight.sources))]
    share = _valid_share(flight, pictures)
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


def _some(flight: Flight) -> list[Source]:
    """Return at most 16 of a flight's files, evenly from first to last."""
    last = len(flight.sources) - 1
    chosen = np.unique(np.linspace(0, last, min(last + 1, _SOURCES)).astype(int))
    return [flight.sources[i] for i in chosen]


def _scattered(source: Source, among: int = 1) -> list[Picture]:
    """Return windows of a file on a lattice, fewer where it is one among many."""
    height, width = source.grid.height, source.grid.width
    side = max(1, round(_WINDOWS / among**0.5))
    windows = [
        Window(
            row=row,
            col=col,
            height=min(_WINDOW_PX, height - row),
            width=min(_WINDOW_PX, width - col),
        )
        for row in _starts(height, side)
        for col in _starts(width, side)
    ]
    return read_stored(source, windows)


def _starts(size: int, count: int) -> list[int]:
    """Return where windows begin along a side: where tiles of a file do, too."""
    cells = -(-size // _WINDOW_PX)
    places = np.linspace(0, cells - 1, count) if count > 1 else np.array([cells // 2])
    return [int(cell) * _WINDOW_PX for cell in np.unique(places.round())]


def _valid_share(flight: Flight, pictures: list[Picture]) -> float:
    """Return the share of the files' area that shows ground: exact on small files."""
    grids = [source.grid for source in flight.sources]
    if sum(grid.width * grid.height for grid in grids) <= _CHEAP_PX:
        seen = [_count_valid(source) for source in flight.sources]
        return sum(seen) / sum(grid.width * grid.height for grid in grids)
    return sum(int(p.valid.sum()) for p in pictures) / sum(p.valid.size for p in pictures)


def _count_valid(source: Source) -> int:
    return sum(int(read_stored(source, [strip])[0].valid.sum()) for strip in _strips(source))


def _strips(source: Source) -> list[Window]:
    height, width, step = source.grid.height, source.grid.width, 2 * _WINDOW_PX
    return [
        Window(row=row, col=0, height=min(step, height - row), width=width)
        for row in range(0, height, step)
    ]


def _count_colours(pictures: list[Picture]) -> int:
    """Return how many different colours there are, counted no further than needed."""
    found: set[int] = set()
    for picture in pictures:
        red, green, blue = picture.colour[:, picture.valid].astype(np.int32)
        found.update(np.unique(red << 16 | green << 8 | blue).tolist())
        if len(found) >= _COLOURS:
            break
    return len(found)


def _is_cheap(flight: Flight) -> bool:
    """Whether a look at the whole needs few pixels: the picture is small or has overviews."""
    pixels = 0.0
    for source in flight.sources:
        wanted = max(source.grid.width, source.grid.height) / _COARSE_PX
        factor = max((f for f in source.overviews if f <= wanted), default=1)
        pixels += source.grid.width * source.grid.height / factor**2
    return pixels <= _CHEAP_PX


def _coarse_grid(flight: Flight) -> WorkingGrid:
    """Return a working grid of at most some 512 pixels a side over the whole flight."""
    crs = working_crs(flight.sources[0].grid)
    bounds = transform_bounds(flight.bounds, flight.crs, crs)
    side = max(bounds.right - bounds.left, bounds.top - bounds.bottom)
    return WorkingGrid.around(bounds, crs=crs, pixel_m=max(side / _COARSE_PX, flight.pixel_m))


def _seen(flight: Flight, grid: WorkingGrid) -> NDArray[np.bool_]:
    with FlightReader(flight, grid) as reader:
        return reader.picture(_whole(grid)).valid


def _whole(grid: WorkingGrid) -> Window:
    return Window(row=0, col=0, height=grid.height, width=grid.width)


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
    grid = _coarse_grid(flight)
    ground = _seen(flight, grid) if _is_cheap(flight) else _inside(flight, grid)
    heights, looked = _coarse_heights(dsm, grid)
    known = np.isfinite(heights)
    cover = float((known & ground).sum() / max(1, (looked & ground).sum()))
    if cover == 0:
        yield _refuse("dsm_overlap", name, cover, _SURFACE_COVER)
        return
    if cover < _SURFACE_COVER:
        yield _warning("dsm_overlap", name, cover, _SURFACE_COVER)
    lowest, highest = _HEIGHTS_M
    wild = heights[known & ((heights < lowest) | (heights > highest))]
    if wild.size:
        yield _warning("dsm_heights", name, float(wild[0]), f"{lowest:.0f} ... {highest:.0f}")
    low, high = np.percentile(heights[known], (1, 99))
    if high - low < _SURFACE_RANGE_M:
        yield _warning("dsm_range", name, float(high - low), _SURFACE_RANGE_M)


def _coarse_heights(
    dsm: Flight, grid: WorkingGrid
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Return heights on a coarse grid, and where they were looked up: in places if that is dear."""
    shape = grid.height, grid.width
    if _is_cheap(dsm):
        with FlightReader(dsm, grid) as reader:
            return reader.heights(_whole(grid)), np.ones(shape, bool)
    heights, looked = np.full(shape, np.nan, np.float32), np.zeros(shape, bool)
    fine = WorkingGrid.around(grid.bounds, crs=grid.crs, pixel_m=dsm.pixel_m)
    step = grid.pixel_m / fine.pixel_m
    rows, cols = (np.unique(np.linspace(0, n - 1, 2 * _WINDOWS).astype(int)) for n in shape)
    with FlightReader(dsm, fine) as reader:
        for row, col in product(rows.tolist(), cols.tolist()):
            place = Window(
                row=int((row + 0.5) * step), col=int((col + 0.5) * step), height=1, width=1
            )
            heights[row, col] = reader.heights(place)[0, 0]
            looked[row, col] = True
    return heights, looked


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
        yield _warning("date_order", name, *days)


def _compare_ground(before: Flight, after: Flight) -> Iterator[Finding]:
    name = f"{before.name}, {after.name}"
    share = _overlap_share(before, after)
    if share < _OVERLAP_REFUSED:
        yield _refuse("overlap", name, share, _OVERLAP_REFUSED)
        return
    level = _warning if share < _OVERLAP_DOUBTFUL else _info
    yield level("overlap", name, share, _OVERLAP_DOUBTFUL)
    if _same_content(before, after):
        yield _info("same_content", name)


def _overlap_share(before: Flight, after: Flight) -> float:
    """Return the share of the smaller flight's ground that the other one shows too."""
    small, large = sorted((before, after), key=_ground_area)
    grid = _coarse_grid(small)
    shown, also = (_seen(f, grid) if _is_cheap(f) else _inside(f, grid) for f in (small, large))
    return float((shown & also).sum() / max(1, shown.sum()))


def _ground_area(flight: Flight) -> float:
    bounds = transform_bounds(flight.bounds, flight.crs, working_crs(flight.sources[0].grid))
    return (bounds.right - bounds.left) * (bounds.top - bounds.bottom)


def _inside(flight: Flight, grid: WorkingGrid) -> NDArray[np.bool_]:
    """Return which pixels of a working grid lie in one of a flight's files, (row, col)."""
    cols, rows = np.meshgrid(np.arange(grid.width) + 0.5, np.arange(grid.height) + 0.5)
    x, y = (grid.left_px + cols) * grid.pixel_m, (grid.top_px - rows) * grid.pixel_m
    if not same_crs(grid.crs, flight.crs):
        x, y = transformer(grid.crs, flight.crs).transform(x, y)
    inside = np.zeros(x.shape, bool)
    for source in flight.sources:
        col, row = source.grid.colrow(x, y)
        inside |= (col >= 0) & (row >= 0) & (col < source.grid.width) & (row < source.grid.height)
    return inside


def _same_content(before: Flight, after: Flight) -> bool:
    """Whether both flights hold the same pixels at the same place, as far as windows tell."""
    if [s.grid for s in before.sources] != [s.grid for s in after.sources]:
        return False
    return all(
        np.array_equal(first.valid, second.valid) and np.array_equal(first.colour, second.colour)
        for sources in zip(_some(before), _some(after), strict=True)
        for first, second in zip(*map(_scattered, sources), strict=True)
    )
