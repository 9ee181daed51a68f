"""The one place that runs a model: two pictures in, maps of what stands and what changed out.

The shipped model is small enough for one core; its card is `card.md`.
"""

import hashlib
import math
import re
from dataclasses import dataclass
from functools import cache, lru_cache, partial
from pathlib import Path

import cv2
import numpy as np
import onnxruntime
from numpy.typing import NDArray
from onnxruntime.capi import onnxruntime_pybind11_state as refusals

from change.model.manifest import CHANGES, MAPS, Manifest, read_manifest
from change.model.second_look import agreed, looked_again
from survey.errors import DetectorError
from survey.words import _

__all__ = ["Detector", "Maps", "look", "look_for_roofs", "open_detector", "shipped_detector"]

_SHIPPED = Path(__file__).parent / "roofs.onnx"

Maps = dict[str, NDArray[np.float32]]
"""For each of ``MAPS`` that a model gives (row, col) in [0, 1]."""


# Beyond the edge of what is seen pictures go on so far, m: mirrored ground that nobody asks about
# must keep the end of the picture itself out of sight, and costs as much as any other.
_RIM_M = 6.4
# Models are run by workers, a core each; what a model has to say about itself helps nobody here.
_THREADS, _FATAL_ONLY = 1, 4
# A model is tried on pictures of at least this side. Probabilities may be off 0 and 1 by so much.
_TRIAL_PX, _ROUNDING = 64, 1e-4
# Where in its own code ONNX Runtime found something wrong is nothing to a user.
_CODE = re.compile(
    r"^.*Status Message: |^\[ONNXRuntimeError\] : \d+ : |/\S+\.(cc|h):\d+ ?"
    r"|(\w+ )?onnxruntime::[\w:]+\([^)]*\) ?"
)
_REFUSALS = (
    refusals.Fail,
    refusals.InvalidArgument,
    refusals.InvalidGraph,
    refusals.InvalidProtobuf,
    refusals.NoModel,
    refusals.NotImplemented,
    refusals.RuntimeException,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Detector:
    """A model and what it takes and gives; holds no open network, so that it can be sent around."""

    path: Path
    """ONNX file."""
    manifest: Manifest
    """What it takes and gives."""
    digest: str
    """SHA-256 of the ONNX file."""

    @property
    def sees_m(self) -> float:
        """How far around a pixel it looks, m."""
        return self.manifest.halo_px * self.manifest.pixel_m

    @property
    def gives(self) -> tuple[str, ...]:
        """The maps of ``MAPS`` that it gives."""
        told = set(self.manifest.maps)
        told |= {"appeared", "gone"} if "changed" in told else set()
        return tuple(name for name in MAPS if name in told)


@cache
def shipped_detector() -> Detector:
    """Return the model that comes with the package; it is opened and tried once."""
    return open_detector(_SHIPPED)


def open_detector(path: Path) -> Detector:
    """Open an ONNX model with its manifest (same name, `.toml`) and try it on a small picture.

    Raises
    ------
    DetectorError
        Either file is missing or unusable, or the model does not give what the manifest says.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        text = _("the detector {path} cannot be read: {why}")
        raise DetectorError(text.format(path=path, why=error.strerror)) from error
    detector = Detector(
        path=path,
        manifest=read_manifest(path.with_suffix(".toml")),
        digest=hashlib.sha256(content).hexdigest(),
    )
    _try_out(detector)
    return detector


def _try_out(detector: Detector) -> None:
    """Run a model on pictures whose sides are odd multiples, as those of a flight may be."""
    step = detector.manifest.multiple_px
    rows, cols = (step * (-(-_TRIAL_PX // step) // 2 * 2 + more) for more in (1, 3))
    # Every value of a byte is in them, so that what a model gives for them tells its range.
    values = np.arange(3 * rows * cols, dtype=np.uint32) * 2654435761 >> 24
    picture = values.astype(np.uint8).reshape(3, rows, cols)
    given = _run(detector, picture, picture[:, ::-1])
    maps = len(detector.manifest.maps)
    grains = {grain for grain in range(1, step + 1) if step % grain == 0}
    if given.shape not in {(maps, rows // grain, cols // grain) for grain in grains}:
        text = _(
            "the detector {path} gives an output of {shape} for {rows} x {cols} pixels; its"
            " manifest names {count} maps, whose pixel must go into multiple_px"
        )
        told = {"shape": given.shape, "rows": rows, "cols": cols, "count": maps}
        raise DetectorError(text.format(path=detector.path, **told))


def look(
    detector: Detector,
    before: NDArray[np.uint8],
    after: NDArray[np.uint8],
    pixel_m: float,
    seen: NDArray[np.bool_],
) -> Maps:
    """Return what a model says of two pictures.

    Parameters
    ----------
    detector
        The model.
    before, after
        (3, row, col), red green blue, on one grid.
    pixel_m
        Ground pixel of the pictures, m.
    seen
        (row, col); where both show ground. The maps mean nothing elsewhere.

    Returns
    -------
    dict
        The maps at the pictures' own pixel.
    """
    maps = {name: np.zeros(seen.shape, np.float32) for name in detector.gives}
    if seen.any():
        place = _shown(seen, detector, pixel_m)
        first, second = (place.with_rim(picture) for picture in (before, after))
        again = detector.manifest.again
        for name, said in _said(detector, first, second, pixel_m, again=again).items():
            maps[name][place.rows, place.cols] = place.without_rim(said)
    return maps


def look_for_roofs(
    detector: Detector, picture: NDArray[np.uint8], pixel_m: float, seen: NDArray[np.bool_]
) -> NDArray[np.float32]:
    """Return how likely a model sees a roof at each pixel of one picture.

    A model looks at two: here the second is the first turned by half a circle, so that two looks
    cost no more than one.

    Parameters
    ----------
    detector
        The model; it gives both maps of roofs.
    picture
        (3, row, col), red green blue.
    pixel_m
        Ground pixel of the picture, m.
    seen
        (row, col); where it shows ground. The map means nothing elsewhere.

    Returns
    -------
    ndarray
        (row, col), in [0, 1].
    """
    roofs = np.zeros(seen.shape, np.float32)
    if seen.any():
        place = _shown(seen, detector, pixel_m)
        shown = place.with_rim(picture)
        maps = _said(detector, shown, shown[::-1, ::-1], pixel_m, again=False)
        both = agreed(maps["roof_before"], maps["roof_after"][::-1, ::-1])
        roofs[place.rows, place.cols] = place.without_rim(both)
    return roofs


@dataclass(frozen=True, slots=True)
class _Edge:
    """Pixels beyond the edge of what is seen, and those that they mirror; (count,) each."""

    rows: NDArray[np.int64]
    cols: NDArray[np.int64]
    of_rows: NDArray[np.int64]
    of_cols: NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shown:
    """The part of a picture that holds all that is seen, and how much goes on beyond it."""

    rows: slice
    cols: slice
    rim: tuple[int, int, int, int]
    """Pixels above, below, left and right of it."""
    edge: _Edge | None
    """What of the part lies beyond the edge of what is seen; None where all is seen."""

    def with_rim(self, picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return the part (row, col, band) of a picture, mirrored beyond its edges."""
        part = _continued(picture[:, self.rows, self.cols], self.edge)
        colour = np.ascontiguousarray(np.moveaxis(part, 0, -1))
        above, below, left, right = self.rim
        mirrored = cv2.copyMakeBorder(colour, above, below, left, right, cv2.BORDER_REFLECT_101)
        return np.asarray(mirrored, np.uint8)

    def without_rim(self, band: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the part (row, col) of a map that has the rim."""
        above, below, left, right = self.rim
        return band[above : band.shape[0] - below, left : band.shape[1] - right]


def _shown(seen: NDArray[np.bool_], detector: Detector, pixel_m: float) -> _Shown:
    """Return what must be looked at; with its rim it begins at whole steps of the model.

    So a model's own steps fall as they would in the whole picture.
    """
    manifest = detector.manifest
    step = max(1, round(manifest.multiple_px * manifest.pixel_m / pixel_m))
    rim = math.ceil(_RIM_M / pixel_m)
    parts, rims = [], []
    for axis, side in enumerate(seen.shape):
        first, last = (int(k) for k in np.flatnonzero(seen.any(axis=1 - axis))[[0, -1]])
        parts.append(slice(first, last + 1))
        rims += [first - max(0, first - rim) // step * step, min(rim, side - 1 - last)]
    edge = _beyond_the_edge(seen[parts[0], parts[1]], math.ceil(detector.sees_m / pixel_m))
    above, below, left, right = rims
    return _Shown(rows=parts[0], cols=parts[1], rim=(above, below, left, right), edge=edge)


def _said(
    detector: Detector,
    before: NDArray[np.uint8],
    after: NDArray[np.uint8],
    pixel_m: float,
    *,
    again: bool,
) -> Maps:
    """Run a model on two pictures (row, col, 3)."""
    manifest = detector.manifest
    shape = before.shape[:2]
    factor = pixel_m / manifest.pixel_m
    size = max(1, round(shape[0] * factor)), max(1, round(shape[1] * factor))
    padded = [_padded(_resized(colour, size), manifest.multiple_px) for colour in (before, after)]
    given = _run(detector, padded[0], padded[1])
    if again:
        changes = np.array([name in CHANGES for name in manifest.maps])
        run = partial(_run, detector)
        given = looked_again(run, (padded[0], padded[1]), given, changes, manifest.multiple_px)
    # Models give their maps at a part of the input's size.
    grain = padded[0].shape[1] // given.shape[1]
    maps: Maps = {}
    for name, band in zip(manifest.maps, given, strict=True):
        whole = cv2.resize(band, None, fx=grain, fy=grain, interpolation=cv2.INTER_LINEAR)
        whole = whole[: size[0], : size[1]]
        if size != shape:
            whole = cv2.resize(whole, shape[::-1], interpolation=cv2.INTER_LINEAR)
        maps |= dict.fromkeys(("appeared", "gone") if name == "changed" else (name,), whole)
    return {name: maps[name] for name in MAPS if name in maps}


def _beyond_the_edge(seen: NDArray[np.bool_], reach: int) -> _Edge | None:
    """Return what lies beyond the edge so near that a model at the edge looks at it."""
    if seen.all():
        return None
    away, nearest = cv2.distanceTransformWithLabels(
        (~seen).astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    rows, cols = np.nonzero(~seen & (away <= reach))
    places = np.zeros((nearest.max() + 1, 2), np.int64)
    places[nearest[seen]] = np.argwhere(seen)
    edge = places[nearest[rows, cols]]
    mirrored = 2 * edge - np.stack([rows, cols], axis=1)
    inside = ((mirrored >= 0) & (mirrored < seen.shape)).all(axis=1)
    inside[inside] = seen[mirrored[inside, 0], mirrored[inside, 1]]
    taken = np.where(inside[:, None], mirrored, edge)
    return _Edge(rows, cols, taken[:, 0], taken[:, 1])


def _continued(picture: NDArray[np.uint8], edge: _Edge | None) -> NDArray[np.uint8]:
    """Return a picture (band, row, col) mirrored at the edge of what is seen.

    Black beyond the edge would be something to a model: the far wall of a roof, or its shadow.
    """
    if edge is None:
        return picture
    whole = picture.copy()
    whole[:, edge.rows, edge.cols] = picture[:, edge.of_rows, edge.of_cols]
    return whole


def _resized(picture: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    """Return (row, col, 3) at another size."""
    if picture.shape[:2] == size:
        return picture
    way = cv2.INTER_AREA if size[0] < picture.shape[0] else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(picture, size[::-1], interpolation=way), np.uint8)


def _padded(picture: NDArray[np.uint8], multiple: int) -> NDArray[np.uint8]:
    """Return (3, row, col) with its last rows and columns repeated up to a multiple."""
    down, right = (-side % multiple for side in picture.shape[:2])
    whole = cv2.copyMakeBorder(picture, 0, down, 0, right, cv2.BORDER_REPLICATE)
    return np.ascontiguousarray(np.moveaxis(whole, -1, 0))


def _run(
    detector: Detector, before: NDArray[np.uint8], after: NDArray[np.uint8]
) -> NDArray[np.float32]:
    """Return (map, row, col) of probabilities."""
    manifest = detector.manifest
    scale = np.array(manifest.scale, np.float32)[:, None, None]
    offset = np.array(manifest.offset, np.float32)[:, None, None]
    pictures = [colour * scale + offset for colour in (before, after)]
    if len(manifest.inputs) == 1:
        pictures = [np.concatenate(pictures)]
    fed = {name: picture[None] for name, picture in zip(manifest.inputs, pictures, strict=True)}
    try:
        session = _session(str(detector.path), detector.digest)
        given = np.asarray(session.run(None, fed)[0], np.float32)[0]
    except refusals.InvalidProtobuf as error:
        text = _("the detector {path} is no ONNX file")
        raise DetectorError(text.format(path=detector.path)) from error
    except (*_REFUSALS, ValueError) as error:
        text = _(
            "the detector {path} cannot be run on {rows} x {cols} pixels (see `multiple_px`): {why}"
        )
        rows, cols = before.shape[1:]
        why = _CODE.sub("", str(error).strip().splitlines()[-1])
        raise DetectorError(
            text.format(path=detector.path, rows=rows, cols=cols, why=why)
        ) from error
    if manifest.output == "sigmoid":
        given = 1.0 / (1.0 + np.exp(-np.clip(given, -30.0, 30.0)))
    # Written so that what is no number fails, too: it would read as nothing found.
    if given.size and not (given.min() >= -_ROUNDING and given.max() <= 1.0 + _ROUNDING):
        text = _("the detector {path} gives numbers that are no probabilities: see `output`")
        raise DetectorError(text.format(path=detector.path))
    return np.asarray(np.clip(given, 0.0, 1.0), np.float32)


@lru_cache(maxsize=4)
def _session(path: str, digest: str) -> onnxruntime.InferenceSession:  # noqa: ARG001 - a file's content
    """Open a model; once while its file stays what it is."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = _THREADS
    # Planned in advance, its memory is twice as much and no faster.
    options.enable_mem_pattern = False
    options.log_severity_level = _FATAL_ONLY
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
