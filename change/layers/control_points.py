"""Control points: a city's own coordinates carried to the area's CRS by a similarity.

Two shifts, a rotation and a scale, fitted by least squares to points known in both systems: the
"four parameters" that a surveying office hands over, found again from its points.
"""

import csv
import io
import math
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from change.layers.attributes import find_column
from survey.errors import LayerError
from survey.words import _

__all__ = ["Similarity", "fit_similarity", "read_similarity"]

Points = NDArray[np.float64]
"""Coordinates (n, 2): x east, y north, m."""

_NAMES = {
    "from_x": ("from x", "from east", "from easting", "x1", "old x", "source x", "local x",
               "源x", "原x", "旧x", "地方x", "源东", "原东", "旧东",
               "源坐标x", "原坐标x", "旧坐标x"),
    "from_y": ("from y", "from north", "from northing", "y1", "old y", "source y", "local y",
               "源y", "原y", "旧y", "地方y", "源北", "原北", "旧北",
               "源坐标y", "原坐标y", "旧坐标y"),
    "to_x": ("to x", "to east", "to easting", "x2", "new x", "target x",
             "目标x", "新x", "目标东", "新东", "目标坐标x", "新坐标x"),
    "to_y": ("to y", "to north", "to northing", "y2", "new y", "target y",
             "目标y", "新y", "目标北", "新北", "目标坐标y", "新坐标y"),
    "name": ("name", "point", "id", "no", "点号", "点名", "名称", "编号"),
}  # fmt: skip
# Between two projections of one place lengths differ by less than 0.1 %; feet for metres, or a
# point entered for another, by more.
_SCALE_OFF = 0.02
# The accuracy of the coarsest town survey that permits are drawn on; more is a wrong point.
_WORST_M = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Similarity:
    """x' = east + a x - b y and y' = north + b x + a y, taken about the middle of the points."""

    a: float
    """Scale times the cosine of the rotation."""
    b: float
    """Scale times the sine of the rotation."""
    middle: tuple[float, float]
    """Mean of the points in their own system (x, y), m."""
    target: tuple[float, float]
    """Mean of the points in the target CRS (x, y), m."""
    points: int
    """How many points it was fitted to."""
    rms_m: float
    """Root mean square of the distances left over, m."""
    worst_m: float
    """The largest of them, m."""
    worst: str
    """Name of the point it is found at."""

    @property
    def scale(self) -> float:
        """Length after over length before."""
        return math.hypot(self.a, self.b)

    @property
    def rotation_deg(self) -> float:
        """Rotation, degrees clockwise from north."""
        return -math.degrees(math.atan2(self.b, self.a))

    def moved(self, points: Points) -> Points:
        """Return coordinates (n, 2) in the target CRS."""
        x, y = points[:, 0] - self.middle[0], points[:, 1] - self.middle[1]
        east, north = self.target
        return np.stack([east + self.a * x - self.b * y, north + self.b * x + self.a * y], axis=1)

    def sentence(self, name: str) -> str:
        """Return what a user hears of it; ``name`` is the file of the points."""
        text = _(
            "{path}: {points} control points, rotation {rotation:.5f} degrees, scale {scale:.7f};"
            " {rms:.3f} m left over on average, {worst:.3f} m at most (point {point})"
        ).format(
            path=name,
            points=self.points,
            rotation=self.rotation_deg,
            scale=self.scale,
            rms=self.rms_m,
            worst=self.worst_m,
            point=self.worst,
        )
        unchecked = _("two points leave nothing to check them by")
        return f"{text}; {unchecked}" if self.points == 2 else text


def fit_similarity(source: Points, target: Points, names: tuple[str, ...]) -> Similarity:
    """Return the similarity that carries ``source`` to ``target`` with the least squares left over.

    Parameters
    ----------
    source, target
        The same points in both systems, shape (n, 2), m; n is at least 2.
    names
        What the points are called, n of them.

    Raises
    ------
    ValueError
        All points of one system lie in one place.
    """
    middle, home = source.mean(axis=0), target.mean(axis=0)
    # As complex numbers a similarity is one product.
    z = (source - middle) @ np.array([1, 1j])
    w = (target - home) @ np.array([1, 1j])
    spread = float((z.conj() * z).real.sum())
    if spread < 1e-6 or float((w.conj() * w).real.sum()) < 1e-6:
        raise ValueError("the points lie in one place")
    factor = complex((z.conj() * w).sum() / spread)
    left = np.abs(factor * z - w)
    worst = int(left.argmax())
    return Similarity(
        a=factor.real,
        b=factor.imag,
        middle=(float(middle[0]), float(middle[1])),
        target=(float(home[0]), float(home[1])),
        points=len(source),
        rms_m=float(np.sqrt(np.mean(left**2))),
        worst_m=float(left[worst]),
        worst=names[worst],
    )


def read_similarity(path: str | Path) -> Similarity:
    """Read control points and fit the similarity they define.

    Parameters
    ----------
    path
        CSV with the columns ``from_x``, ``from_y``, ``to_x``, ``to_y`` (or their usual Chinese
        names) and, if need be, one of names.

    Raises
    ------
    LayerError
        The table cannot be read, has fewer than two points, or they contradict each other: lengths
        differ by more than 2 %, or a point is left more than 2 m off.
    """
    file = Path(path)
    source, target, names = _read(file)
    try:
        found = fit_similarity(source, target, names)
    except ValueError as error:
        raise LayerError(
            _("{path}: its control points lie in one place").format(path=file)
        ) from error
    if abs(found.scale - 1) > _SCALE_OFF or found.worst_m > _WORST_M:
        raise LayerError(_refusal(file, found, source, target, names))
    return found


def _refusal(
    path: Path, found: Similarity, source: Points, target: Points, names: tuple[str, ...]
) -> str:
    """Say what contradicts a similarity: swapped axes, one point, or the scale."""
    turned = fit_similarity(source[:, ::-1], target, names)
    if len(source) > 2 and turned.worst_m <= _WORST_M and abs(turned.scale - 1) <= _SCALE_OFF:
        return _(
            "{path}: its control points fit once x and y are swapped on one side;"
            " x is east and y is north here"
        ).format(path=path)
    if found.worst_m > _WORST_M:
        return _(
            "{path}: control point {point} is {worst:.2f} m off what the others say"
            " (at most {limit:.0f} m); correct it or leave it out"
        ).format(path=path, point=_culprit(source, target, names), worst=found.worst_m,
                 limit=_WORST_M)  # fmt: skip
    return _(
        "{path}: its control points change lengths by {percent:.1f} % (at most {limit:.0f} %);"
        " are both sides metres, and each point the same one?"
    ).format(path=path, percent=100 * (found.scale - 1), limit=100 * _SCALE_OFF)


def _culprit(source: Points, target: Points, names: tuple[str, ...]) -> str:
    """Return the point without which the others agree best; with three, the worst is as good."""
    if len(source) < 4:
        return fit_similarity(source, target, names).worst
    rest = [np.arange(len(source)) != i for i in range(len(source))]
    left = [fit_similarity(source[k], target[k], names[:-1]).rms_m for k in rest]
    return names[int(np.argmin(left))]


def _read(path: Path) -> tuple[Points, Points, tuple[str, ...]]:
    rows = _rows(path)
    columns = {
        item: find_column(list(rows[0]) if rows else [], usual) for item, usual in _NAMES.items()
    }
    missing = [item for item, column in columns.items() if column is None and item != "name"]
    if missing:
        raise LayerError(
            _("{path}: no column {name}; control points need from_x, from_y, to_x, to_y").format(
                path=path, name=missing[0]
            )
        )
    named = [row.get(columns["name"] or "") or str(n) for n, row in enumerate(rows, start=1)]
    used = [str(columns[item]) for item in ("from_x", "from_y", "to_x", "to_y")]
    values = np.array(
        [
            [_number(row[column], name, path) for column in used]
            for row, name in zip(rows, named, strict=True)
        ]
    ).reshape(-1, 4)
    if len(values) < 2:
        raise LayerError(
            _("{path}: {count} control points; a shift with rotation takes two or more").format(
                path=path, count=len(values)
            )
        )
    return values[:, :2], values[:, 2:], tuple(named)


def _rows(path: Path) -> list[dict[str, str]]:
    try:
        content = path.read_bytes()
        try:
            text = content.decode("utf-8-sig")
        except UnicodeDecodeError:
            text = content.decode("gb18030")
        # Not every spreadsheet separates by commas.
        head = text.split("\n", 1)[0]
        mark = max(",;\t", key=head.count)
        table = list(csv.DictReader(io.StringIO(text), delimiter=mark, restval=""))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise LayerError(
            _("{path}: not a readable table of control points ({error})").format(
                path=path, error=getattr(error, "strerror", None) or error
            )
        ) from error
    return [row for row in table if any((value or "").strip() for k, value in row.items() if k)]


def _number(text: str, name: str, path: Path) -> float:
    try:
        number = float(re.sub(r"[\s,]", "", text))
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise LayerError(
            _("{path}: control point {point}: {text} is not a number").format(
                path=path, point=name, text=repr(text[:40])
            )
        )
    return number
