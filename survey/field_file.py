"""A measured alignment on disk: a GeoTIFF that a GIS shows, and that a later run goes by.

Each node of the field is a pixel. What a field was measured on stands in its tags, so that it is
never taken for that of other flights. A file may come from anywhere: everything in it is checked.
"""

import hashlib
import math
import re
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import rasterio
from affine import Affine
from numpy.typing import NDArray
from pyproj import CRS
from pyproj.exceptions import CRSError
from rasterio.errors import NotGeoreferencedWarning, RasterioError
from rasterio.io import DatasetReader

from survey.alignment import Alignment
from survey.crs import describe_crs, is_earth, same_crs
from survey.errors import FieldError
from survey.field import Field
from survey.grid import WorkingGrid
from survey.reading import raster_environment
from survey.runs import Input
from survey.settings import PRECISIONS
from survey.ties import Ties
from survey.words import _

__all__ = ["BANDS", "Measurement", "SavedField", "flight_digest", "read_field", "write_field"]

BANDS = ("east_m", "north_m", "uncertainty_m", "known")
"""Bands of the file, by their descriptions."""

_FORMAT = "orthowatch field 1"
_VERDICTS = ("verified", "unverified", "refused")
_DIGEST = re.compile(r"[0-9a-f]{64}")
# Nodes lie some 6 m apart: this many cover 24 km squared, and take 1 GB to read.
_MOST_NODES = 16_000_000
# No search goes further than 200 m; a turned or stretched flight of some km may lie further off.
_LARGEST_M = 1000.0
_LONGEST_TEXT = 1000
_MOST_TIES = 10**9


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """What an alignment was measured on, and how."""

    before_sha256: str
    """Digest of the earlier flight (``flight_digest``)."""
    after_sha256: str
    """Digest of the later flight."""
    precision: str
    """``standard`` or ``precise``, as in the settings."""
    version: str
    """Version of orthowatch that measured it."""
    ties_used: int
    """How many ties the field was fitted to."""
    ties_seen: int
    """How many windows had enough picture in both flights."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedField:
    """An alignment as a file holds it."""

    name: str
    """Name of the file."""
    crs: CRS
    """CRS of the field: that of the working grid it was measured on."""
    alignment: Alignment
    """The alignment, without its ties; ``accepted_by`` is ``file``."""
    measurement: Measurement
    """What it was measured on."""

    def fitted(self, grid: WorkingGrid, inputs: Sequence[Input], *, accept: bool) -> Alignment:
        """Return the alignment for a pair of flights, once it is sure that it is theirs.

        Parameters
        ----------
        grid
            The grid the pair is worked on.
        inputs
            The files of the run.
        accept
            Whether the user vouches for a field that was measured on other files.

        Raises
        ------
        FieldError
            It was measured on other files and nobody vouches for it, it is in another CRS, or does
            not cover the grid.
        """
        self._require_ground(grid)
        ours = (self.measurement.before_sha256, self.measurement.after_sha256)
        given = (flight_digest(inputs, "before"), flight_digest(inputs, "after"))
        if ours == given:
            return self.alignment
        if not accept:
            text = (
                _("{path}: was measured on these files in the other order; swap them")
                if ours == given[::-1]
                else _(
                    "{path}: was measured on other files than these; align them again"
                    " (--accept-alignment goes on all the same)"
                )
            )
            raise FieldError(text.format(path=self.name))
        why = _("measured on other files; {why}").format(why=self.alignment.why)
        return replace(self.alignment, accepted_by="user", why=why)

    def _require_ground(self, grid: WorkingGrid) -> None:
        if not same_crs(self.crs, grid.crs):
            raise FieldError(
                _("{path}: is in {crs}, but these flights are worked on in {wanted}").format(
                    path=self.name, crs=describe_crs(self.crs), wanted=describe_crs(grid.crs)
                )
            )
        field, area = self.alignment.field, grid.bounds
        rows, cols = field.east.shape
        # Half a step beyond its nodes the field is as good as at them.
        reach = field.step / 2
        covered = (
            field.left - reach <= area.left
            and field.top + reach >= area.top
            and field.left + (cols - 1) * field.step + reach >= area.right
            and field.top - (rows - 1) * field.step - reach <= area.bottom
        )
        if not covered:
            raise FieldError(
                _("{path}: does not cover the ground that these flights share").format(
                    path=self.name
                )
            )


def flight_digest(inputs: Sequence[Input], role: str) -> str:
    """Return what identifies the files of a flight: the hash of one, else the hash of the hashes.

    Parameters
    ----------
    inputs
        Files of a run.
    role
        ``before`` or ``after``.
    """
    digests = [item.sha256 for item in inputs if item.role == role]
    if len(digests) == 1:
        return digests[0]
    return hashlib.sha256("\n".join(digests).encode()).hexdigest()


def write_field(path: Path, alignment: Alignment, crs: CRS, measurement: Measurement) -> None:
    """Write an alignment's field as a GeoTIFF: float32, lossless, a pixel for each node.

    Parameters
    ----------
    path
        The file to write.
    alignment
        The alignment; its ties are left out.
    crs
        CRS of the field.
    measurement
        What it was measured on.
    """
    field = alignment.field
    bands = np.stack([field.east, field.north, field.uncertainty, field.known])
    half = field.step / 2
    profile = {
        "driver": "GTiff",
        "count": len(BANDS),
        "dtype": "float32",
        "height": bands.shape[1],
        "width": bands.shape[2],
        "crs": crs.to_wkt(),
        "transform": Affine(field.step, 0, field.left - half, 0, -field.step, field.top + half),
        "compress": "deflate",
        "predictor": 3,
        "interleave": "band",
    }
    with raster_environment(), rasterio.open(path, "w", **profile) as target:
        target.write(bands.astype(np.float32))
        target.descriptions = BANDS
        target.units = ("m", "m", "m", "")
        target.update_tags(**_tags(alignment, measurement))


def _tags(alignment: Alignment, measurement: Measurement) -> dict[str, str]:
    return {
        "FORMAT": _FORMAT,
        "VERSION": measurement.version,
        "PRECISION": measurement.precision,
        "BEFORE_SHA256": measurement.before_sha256,
        "AFTER_SHA256": measurement.after_sha256,
        "VERDICT": alignment.verdict,
        "ACCEPTED_BY": alignment.accepted_by,
        "WHY": alignment.why,
        "RMS_M": "" if alignment.rms_m is None else repr(alignment.rms_m),
        "P95_M": "" if alignment.p95_m is None else repr(alignment.p95_m),
        "EVIDENCE": repr(alignment.evidence),
        "TIES_USED": str(measurement.ties_used),
        "TIES_SEEN": str(measurement.ties_seen),
    }


def read_field(path: Path) -> SavedField:
    """Read a field that ``write_field`` has written, or that somebody says it has.

    Raises
    ------
    FieldError
        The file is none of ours, or something in it cannot be.
    """
    if not path.is_file():
        raise FieldError(_("{path}: no such file").format(path=path))
    try:
        with raster_environment(), _open(path) as dataset:
            tags = dataset.tags()
            if tags.get("FORMAT") != _FORMAT:
                raise FieldError(
                    _(
                        "{path}: is no saved alignment; `orthowatch align BEFORE AFTER -o FOLDER`"
                        " writes one, as field.tif"
                    ).format(path=path)
                )
            field, crs = _read_nodes(dataset), _read_crs(dataset)
            alignment, measurement = _read_tags(tags, field)
    except (RasterioError, ValueError, CRSError) as error:
        detail = str(error).splitlines() or [type(error).__name__]
        raise FieldError(
            _("{path}: cannot be used as a saved alignment ({error})").format(
                path=path, error=detail[0]
            )
        ) from error
    return SavedField(name=path.name, crs=crs, alignment=alignment, measurement=measurement)


def _open(path: Path) -> DatasetReader:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NotGeoreferencedWarning)  # `_read_crs` says it
        return rasterio.open(path, driver="GTiff")


def _read_crs(dataset: DatasetReader) -> CRS:
    if dataset.crs is None:
        raise ValueError(_("it states no coordinate reference system"))
    crs = CRS.from_user_input(dataset.crs)
    if not crs.is_projected or not is_earth(crs):
        raise ValueError(_("its coordinate reference system is not in metres on the ground"))
    return crs


def _read_nodes(dataset: DatasetReader) -> Field:
    """Return the field; what the header says is checked before any pixel is read."""
    blocks = [rows * cols for rows, cols in dataset.block_shapes]
    if dataset.descriptions != BANDS or set(dataset.dtypes) != {"float32"}:
        raise ValueError(_("its bands are not {bands}").format(bands=", ".join(BANDS)))
    count = max(dataset.width * dataset.height, *blocks)
    if count > _MOST_NODES:
        raise ValueError(_("{count} nodes are too many").format(count=count))
    place = dataset.transform
    square = place.b == place.d == 0 and place.a > 0 and place.e == -place.a
    if not square or not all(map(math.isfinite, place)):
        raise ValueError(_("its pixels are not square and north up"))
    east, north, uncertainty, known = dataset.read()
    _require_sane(east, north, uncertainty, known)
    half = place.a / 2
    return Field(
        left=place.c + half,
        top=place.f - half,
        step=place.a,
        east=east.astype(np.float64),
        north=north.astype(np.float64),
        uncertainty=uncertainty.astype(np.float64),
        known=known > 0,
    )


def _require_sane(
    east: NDArray[np.float32],
    north: NDArray[np.float32],
    uncertainty: NDArray[np.float32],
    known: NDArray[np.float32],
) -> None:
    """Refuse values that no measurement gives; a comparison with NaN is False."""
    small = all((np.abs(band) <= _LARGEST_M).all() for band in (east, north, uncertainty))
    if not small or not (uncertainty >= 0).all():
        raise ValueError(
            _("it holds gaps, negative uncertainties, or more than {limit:.0f} m").format(
                limit=_LARGEST_M
            )
        )
    if not np.isin(known, (0, 1)).all():
        raise ValueError(_("its band {band} is not 0 or 1").format(band=BANDS[3]))


def _read_tags(tags: Mapping[str, str], field: Field) -> tuple[Alignment, Measurement]:
    verdict, rms, p95 = tags.get("VERDICT"), _residual(tags, "RMS_M"), _residual(tags, "P95_M")
    measured = [verdict == "verified"] * 2
    if verdict not in _VERDICTS or [rms is not None, p95 is not None] != measured:
        raise ValueError(_wrong("VERDICT"))
    nowhere = np.zeros(0)
    alignment = Alignment(
        field=field,
        verdict=verdict,
        why=_text(tags, "WHY"),
        rms_m=rms,
        p95_m=p95,
        ties=Ties(x=nowhere, y=nowhere, east=nowhere, north=nowhere, strength=nowhere),
        used=np.zeros(0, bool),
        evidence=_number(tags, "EVIDENCE"),
        accepted_by="file",
    )
    used, seen = _count(tags, "TIES_USED"), _count(tags, "TIES_SEEN")
    if used > seen or tags.get("PRECISION") not in PRECISIONS:
        raise ValueError(_wrong("TIES_USED" if used > seen else "PRECISION"))
    measurement = Measurement(
        before_sha256=_digest(tags, "BEFORE_SHA256"),
        after_sha256=_digest(tags, "AFTER_SHA256"),
        precision=tags["PRECISION"],
        version=_text(tags, "VERSION"),
        ties_used=used,
        ties_seen=seen,
    )
    return alignment, measurement


def _wrong(name: str) -> str:
    return _("its tag {name} is missing or wrong").format(name=name)


def _text(tags: Mapping[str, str], name: str) -> str:
    """Return a tag that is shown to people: it must not steer their terminal."""
    text = tags.get(name, "")
    if not 0 < len(text) <= _LONGEST_TEXT or not text.isprintable():
        raise ValueError(_wrong(name))
    return text


def _number(tags: Mapping[str, str], name: str) -> float:
    try:
        value = float(tags[name])
    except (KeyError, ValueError):
        value = math.nan
    if not math.isfinite(value):
        raise ValueError(_wrong(name))
    return value


def _residual(tags: Mapping[str, str], name: str) -> float | None:
    if tags.get(name, "") == "":
        return None
    value = _number(tags, name)
    if not 0 <= value <= _LARGEST_M:
        raise ValueError(_wrong(name))
    return value


def _count(tags: Mapping[str, str], name: str) -> int:
    text = tags.get(name, "")
    if not re.fullmatch(r"\d{1,9}", text, re.ASCII):
        raise ValueError(_wrong(name))
    return int(text)


def _digest(tags: Mapping[str, str], name: str) -> str:
    text = tags.get(name, "")
    if _DIGEST.fullmatch(text) is None:
        raise ValueError(_wrong(name))
    return text
