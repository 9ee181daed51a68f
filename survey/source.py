"""One file of a flight, described by its header: where its pixels lie and what they mean."""

import math
import re
import warnings
from dataclasses import dataclass, replace
from pathlib import Path

from pyproj import CRS
from pyproj.exceptions import CRSError, ProjError
from rasterio.enums import ColorInterp, MaskFlags
from rasterio.env import env_ctx_if_needed
from rasterio.errors import NotGeoreferencedWarning, RasterioError
from rasterio.io import DatasetReader

from survey.collar import Collar
from survey.crs import describe_crs, epsg_code, horizontal, is_earth, zone_prefixed_twin
from survey.errors import FlightError
from survey.grid import Grid, ground_pixel
from survey.words import _

__all__ = ["Decimated", "Source", "open_raster", "open_source"]

# Formats that hold their pixels themselves. A VRT names other files, or addresses, to read.
_DRIVERS = ("GTiff", "HFA", "JP2OpenJPEG", "JPEG", "PNG")
_LOSSY = ("JPEG", "YCBCR JPEG", "WEBP", "JPEG2000", "LERC")
# A strip of a striped file this wide still fits into memory many times: 12 km at 5 cm.
_LARGEST_SIDE = 250_000
_PICTURE_TYPES = ("uint8", "uint16")
_SURFACE_TYPES = ("int16", "uint16", "int32", "uint32", "float32", "float64")


@dataclass(frozen=True, slots=True, kw_only=True)
class Decimated:
    """A file averaged to coarser cells beside it, for the time of a job."""

    path: str
    """GeoTIFF: red, green, blue and 255 where valid, or heights in metres with NaN."""
    factor: int
    """How many times coarser than the file its cells are."""
    down: float
    """Height of a cell, pixels of the file; ``factor``, but for overviews of odd files."""
    across: float
    """Width of a cell, pixels of the file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One file of a flight, as its header describes it."""

    path: str
    """Where the file lies."""
    grid: Grid
    """Where its pixels lie."""
    bands: tuple[int, ...]
    """Band numbers (from 1) of red, green, blue; a grey band thrice; one band for a surface."""
    alpha: int | None
    """Band number of the alpha band."""
    masked: bool
    """Whether an internal or external mask tells picture from nothing."""
    nodata: float | None
    """Value that, in all colour bands at once, means no picture."""
    dtype: str
    """Data type of the bands."""
    bits: int
    """Significant bits of a sample as the file declares them."""
    lossy: bool
    """Whether the compression alters values."""
    overviews: tuple[int, ...]
    """Decimation factors of the overviews, in the file's order."""
    tiled: bool
    """Whether the pixels are stored in tiles rather than strips."""
    palette: tuple[tuple[int, int, int], ...] | None = None
    """Colours of a palette image."""
    scale: float = 1.0
    """Surface: metres per stored unit."""
    offset: float = 0.0
    """Surface: metres at stored zero."""
    plausible: tuple[float, float] | None = None
    """Surface: heights outside this range are holes, whatever the file says, m; None takes all."""
    collar: Collar | None = None
    """Opaque border, once looked for (``survey.examination.examine``)."""
    stretch: tuple[float, float] | None = None
    """Stored values shown as black and white, for pictures of more than 8 bits, once examined."""
    copy: Decimated | None = None
    """What coarse looks read in its place (``survey.working_copy``)."""


def open_raster(path: str, overview: int | None = None) -> DatasetReader:
    """Open a raster that holds its own pixels, at full size or at one of its overviews.

    Raises
    ------
    RasterioError
        None of the accepted formats reads the file.
    """
    level = {} if overview is None else {"overview_level": overview}
    with env_ctx_if_needed(), warnings.catch_warnings():
        warnings.simplefilter("ignore", NotGeoreferencedWarning)  # `_read_grid` says it
        # `rasterio.open` takes one driver; the class behind it takes the list GDAL may try.
        return DatasetReader(path, driver=list(_DRIVERS), **level)


def open_source(
    path: Path, crs: CRS | None, nodata: float | None, *, surface: bool
) -> tuple[Source, str | None, list[str]]:
    """Describe a file by its header.

    Parameters
    ----------
    path
        The file.
    crs
        Its CRS, where it states none.
    nodata
        Value that means no picture, where it does not say so.
    surface
        Whether it holds heights rather than a picture.

    Returns
    -------
    source, tag, said
        The file, the date and time in its tags, what was assumed (one sentence each).

    Raises
    ------
    FlightError
        The file cannot be read or is neither picture nor heights on the Earth.
    """
    try:
        with open_raster(str(path)) as dataset:
            grid, said = _read_grid(dataset, path, crs)
            source = _describe(dataset, path, grid, surface=surface)
            tag = dataset.tags().get("TIFFTAG_DATETIME")
    except RasterioError as error:
        raise FlightError(
            _("{path}: not a raster that can be read ({error})").format(
                path=path, error=_first_line(error)
            )
        ) from error
    if nodata is not None:
        source = replace(source, nodata=nodata)
    return source, tag, said


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]


def _read_grid(dataset: DatasetReader, path: Path, given: CRS | None) -> tuple[Grid, list[str]]:
    crs, said = _read_crs(dataset, path, given)
    _refuse_unplaced(dataset, path)
    if crs is None:
        text = _("{path}: states no coordinate reference system; name it by --crs")
        raise FlightError(text.format(path=path))
    _refuse_wrong_crs(crs, dataset.transform.c, path)
    try:
        grid = Grid(
            crs=crs, transform=dataset.transform, width=dataset.width, height=dataset.height
        )
        if not all(math.isfinite(side) and side > 0 for side in ground_pixel(grid)):
            raise ValueError(_("the coordinates lie outside the area of their CRS"))
    except (ValueError, ProjError) as error:
        text = _("{path}: impossible georeferencing ({error})")
        raise FlightError(text.format(path=path, error=error)) from error
    return grid, said


def _refuse_unplaced(dataset: DatasetReader, path: Path) -> None:
    """Refuse a file without a place on a map, or too large to be one file."""
    place, size = dataset.transform, max(dataset.width, dataset.height)
    if place.is_identity and (dataset.gcps[0] or dataset.rpcs):
        text = _("{path}: has only control points; warp it to a map grid first (gdalwarp)")
        raise FlightError(text.format(path=path))
    if place.is_identity:
        text = _("{path}: is not georeferenced; export it with its coordinates")
        raise FlightError(text.format(path=path))
    if not all(map(math.isfinite, place)):
        text = _("{path}: impossible georeferencing ({error})")
        raise FlightError(text.format(path=path, error=tuple(place)[:6]))
    if size > _LARGEST_SIDE:
        text = _("{path}: {size} pixels a side; give it as a folder of tiles of at most {limit}")
        raise FlightError(text.format(path=path, size=size, limit=_LARGEST_SIDE))


def _refuse_wrong_crs(crs: CRS, easting: float, path: Path) -> None:
    """Refuse coordinates off the Earth, and those that contradict the stated zone."""
    if not is_earth(crs):
        text = _("{path}: its coordinates ({crs}) are not on the Earth")
        raise FlightError(text.format(path=path, crs=describe_crs(crs)))
    meant = _zone_by_easting(crs, easting)
    if meant is not None:
        text = _(
            "{path}: states {crs}, but its eastings are those of {meant} (zone number before the"
            " easting); correct it with gdal_edit.py -a_srs {meant}"
        )
        raise FlightError(text.format(path=path, crs=describe_crs(crs), meant=describe_crs(meant)))


def _zone_by_easting(crs: CRS, easting: float) -> CRS | None:
    """Return the CGCS2000 3-degree zone an easting speaks for, where another one is stated."""
    code, twin = epsg_code(crs), zone_prefixed_twin(crs)
    if code is None or twin is None:
        return None
    zone = int(easting // 1e6)
    if 25 <= zone <= 45:  # EPSG:4513 is zone 25, one code a zone
        return CRS.from_epsg(4488 + zone) if code != 4488 + zone else None
    return twin if zone == 0 and code <= 4533 else None


def _read_crs(
    dataset: DatasetReader, path: Path, given: CRS | None
) -> tuple[CRS | None, list[str]]:
    """Return the CRS from the file, its .prj sidecar (which GDAL ignores), or the user."""
    try:
        if dataset.crs is not None:
            return horizontal(CRS.from_wkt(dataset.crs.to_wkt())), []
        sidecar = path.with_suffix(".prj")
        if sidecar.is_file():
            text = sidecar.read_text(encoding="utf-8-sig", errors="replace")
            found = horizontal(CRS.from_wkt(text))
            return found, [
                _("{path}: CRS {crs} taken from {sidecar}").format(
                    path=path.name, crs=describe_crs(found), sidecar=sidecar.name
                )
            ]
    except CRSError as error:
        raise FlightError(
            _("{path}: its coordinate reference system cannot be understood").format(path=path)
        ) from error
    if given is None:
        return None, []
    return given, [
        _("{path}: states no CRS; {crs} taken as told").format(
            path=path.name, crs=describe_crs(given)
        )
    ]


def _describe(dataset: DatasetReader, path: Path, grid: Grid, *, surface: bool) -> Source:
    dtype = dataset.dtypes[0]
    allowed = _SURFACE_TYPES if surface else _PICTURE_TYPES
    if dtype not in allowed or (surface and dataset.count > 2):
        text = (
            _("{path}: no surface model, which has one band of heights ({dtype}, bands: {count})")
            if surface
            else _(
                "{path}: no picture of 8 or 16 bits ({dtype}, bands: {count});"
                " a surface model is given by --dsm-before and --dsm-after"
            )
        )
        raise FlightError(text.format(path=path, count=dataset.count, dtype=dtype))
    interp = list(dataset.colorinterp)
    alpha = interp.index(ColorInterp.alpha) + 1 if ColorInterp.alpha in interp else None
    flags = dataset.mask_flag_enums[0]
    palette = None if surface else _palette(dataset)
    return Source(
        path=str(path),
        grid=grid,
        bands=(1,) if surface else _colour_bands(interp, alpha),
        alpha=alpha,
        masked=MaskFlags.per_dataset in flags and MaskFlags.alpha not in flags,
        nodata=dataset.nodata,
        dtype=dtype,
        bits=_bits(dataset, dtype),
        lossy=str(dataset.tags(ns="IMAGE_STRUCTURE").get("COMPRESSION", "")).upper() in _LOSSY,
        overviews=() if palette else tuple(dataset.overviews(1)),
        tiled=dataset.block_shapes[0][1] < dataset.width,
        palette=palette,
        scale=float(dataset.scales[0]) if surface else 1.0,
        offset=float(dataset.offsets[0]) if surface else 0.0,
    )


def _colour_bands(interp: list[ColorInterp], alpha: int | None) -> tuple[int, ...]:
    colours = (ColorInterp.red, ColorInterp.green, ColorInterp.blue)
    if all(colour in interp for colour in colours):
        return tuple(interp.index(colour) + 1 for colour in colours)
    others = [n for n in range(1, len(interp) + 1) if n != alpha]
    if not others:
        return (1, 1, 1)
    return tuple(others[:3]) if len(others) >= 3 else (others[0],) * 3


def _palette(dataset: DatasetReader) -> tuple[tuple[int, int, int], ...] | None:
    if dataset.colorinterp[0] != ColorInterp.palette or dataset.dtypes[0] != "uint8":
        return None
    try:
        colours = dataset.colormap(1)
    except ValueError:  # declared as a palette, but without colours
        return None
    return tuple(tuple(colours.get(i, (0, 0, 0))[:3]) for i in range(256))


def _bits(dataset: DatasetReader, dtype: str) -> int:
    stated = dataset.tags(1, ns="IMAGE_STRUCTURE").get("NBITS", "")
    return int(stated) if stated.isdigit() else int(re.sub(r"\D", "", dtype) or 8)
