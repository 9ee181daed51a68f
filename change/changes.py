"""The record of a change: one structure that appeared, grew or vanished. Pure."""

import hashlib
from dataclasses import dataclass

import shapely
from shapely import Polygon

from change.looks import VANISHED, Measured

__all__ = ["KINDS", "Change", "change_of", "content_id"]

KINDS = (
    "building",
    "shed",
    "annex",
    "roof_addition",
    "storey",
    "site",
    "removed",
    "partly_removed",
)
"""What a change can be; the slugs that data carries."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One structure that appeared, grew or vanished."""

    id: str
    """Content hash within a run: kind, origin and outline to the centimetre."""
    outline: Polygon
    """Squared outline in metres of the area's projected CRS, on the ground of the before flight."""
    area_m2: float
    """Area of ``outline``, m2."""
    area_raw_m2: float
    """Area before squaring, m2: the measurement, where ``outline`` is the drawing."""
    kind: str
    """One of ``KINDS``."""
    origin: str
    """``new`` (appeared between the flights) or ``stock`` (stood in both)."""
    height_gain_m: float | None
    """Median height gained (negative: lost) inside the outline, m; None without surface models."""
    score: float
    """Probability of a real structural change, in [0, 1]."""
    tolerance_m: float
    """How far the two flights may be misaligned here, m."""
    evidence: tuple[tuple[str, float], ...]
    """What spoke for and against it, as (name, number) in a fixed order."""

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"unknown kind of change: {self.kind!r}")
        if not 0 <= self.score <= 1:
            raise ValueError(f"a score lies in [0, 1], got {self.score}")

    @property
    def vanished(self) -> bool:
        """Whether something is gone, wholly or in part."""
        return self.kind in VANISHED


def content_id(kind: str, origin: str, outline: Polygon) -> str:
    """Return the id of a change within a run: a hash of what it is and where, to the centimetre."""
    words = shapely.to_wkt(shapely.normalize(outline), rounding_precision=2)
    return hashlib.sha256(f"{kind} {origin} {words}".encode()).hexdigest()[:12]


def change_of(item: Measured, outline: Polygon) -> Change:
    """Return what was measured as a change, drawn with an outline."""
    gain = item.height_gain_m
    return Change(
        id=content_id(item.kind, "new", outline),
        outline=outline,
        area_m2=round(outline.area, 2),
        area_raw_m2=round(item.outline.area, 2),
        kind=item.kind,
        origin="new",
        height_gain_m=None if gain is None else round(gain, 2),
        score=round(item.score, 3),
        tolerance_m=round(item.tolerance_m, 3),
        evidence=item.evidence,
    )
