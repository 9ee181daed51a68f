"""What became of each permit in a layer with dirt, and what a judge may say then. Pure."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

__all__ = ["SAME_SHARE", "Deed", "Fate", "JudgedChange", "expected_reason"]

SAME_SHARE = 0.05
"""Area lost or gained, as a share of the permit's, up to which an outline counts as repairable."""

# What a change is called when its permit is not in the layer; other reasons stay as they are.
_WITHOUT_PERMIT = {
    "as_permitted": "no_permit",
    "exceeds_permit": "no_permit",
    "grown_beyond_permit": "no_permit",
    "permit_expired": "no_permit",
    "before_grant": "no_permit",
    "removed_permitted": "removed_unpermitted",
}
_SLIGHT_COVER = 0.1  # of a change by its neighbours' permits: no judge takes that for its own


@dataclass(frozen=True, slots=True, kw_only=True)
class Deed:
    """One thing that was done to the layer."""

    number: str
    """True number of the permit; empty for the layer as a whole."""
    row: int | None
    """Row of the file, counted from 1; None where none is left, or for the layer as a whole."""
    kind: str
    """Name of the field of `survey.simulation.permits.permit_dirt.Dirt` that asked for it."""
    column: str
    """Column of the truth; ``geometry`` for outlines, empty for whole rows."""
    amount: float
    """By how much, in ``unit``."""
    unit: str
    """``m``, ``m2``, ``deg``, ``ppm`` or empty where there is nothing to measure."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fate:
    """What the layer says of one permit of the truth."""

    number: str
    """Its true number."""
    state: Literal["present", "missing", "duplicated", "merged"]
    """``missing``: no row; ``duplicated``: several; ``merged``: only the row of a neighbour."""
    rows: tuple[int, ...]
    """Its rows in the file, counted from 1."""
    written: tuple[str, ...]
    """What these rows have as number; empty text for none."""
    east_m: float
    """How far east of the truth its outline was drawn, before any damage, m at its centroid."""
    north_m: float
    """How far north, m."""
    ground: BaseGeometry
    """What all its rows still tell after ordinary repair, in the area's CRS; perhaps empty."""
    lost_share: float
    """Area of the outline, as moved, that ``ground`` lacks, over the area of the outline."""
    gained_share: float
    """Area of ``ground`` beyond the outline, as moved, over the area of the outline; for a row
    that stands for neighbours, beyond all of theirs."""
    granted: dt.date | None
    """Latest day of grant that its rows tell."""
    valid_until: dt.date | None
    """Latest last day that its rows tell; None where one of them tells none."""
    dates_kept: bool
    """True where one of its rows has both of its true dates."""

    @property
    def repairable(self) -> bool:
        """Whether the outline can be had back, where it was drawn, to `SAME_SHARE`."""
        return self.lost_share + self.gained_share <= SAME_SHARE

    @property
    def moved_m(self) -> float:
        """How far it was drawn from the truth, m."""
        return float(np.hypot(self.east_m, self.north_m))


class JudgedChange(Protocol):
    """A change with its true reason; `survey.simulation.truth.ExpectedChange` is one."""

    @property
    def kind(self) -> str:
        """Slug of ``kind``."""

    @property
    def reason(self) -> str:
        """Slug of ``reason`` by the true permits."""

    @property
    def permit_number(self) -> str | None:
        """True number of the permit it has, if any."""


def expected_reason(
    change: JudgedChange,
    outline: BaseGeometry,
    fates: Sequence[Fate],
    *,
    flown_before: dt.date,
    tolerance_m: float,
) -> str | None:
    """Tell what a perfect judge says of a change who knows the permits by the layer only.

    Parameters
    ----------
    change
        The change.
    outline
        Its outline in the area's CRS.
    fates
        What became of all permits.
    flown_before
        Day of the earlier flight.
    tolerance_m
        How far permits may lie off before a judge holds it against the building, m.

    Returns
    -------
    str or None
        The reason; None where the dirt leaves it open: the permit's outline is beyond repair or
        lies farther off than the tolerance, or another's has come to lie here.
    """
    others = [
        fate
        for fate in fates
        if fate.number != change.permit_number
        and shapely.dwithin(fate.ground, outline, tolerance_m)
    ]
    if any(fate.gained_share > SAME_SHARE or fate.moved_m > tolerance_m for fate in others):
        return None
    own = next((fate for fate in fates if fate.number == change.permit_number), None)
    if own is None:
        return change.reason
    if own.ground.is_empty:
        return _without_permit(change, outline, others, tolerance_m)
    if not own.repairable or own.moved_m > tolerance_m:
        return None
    return _by_dates(change, own, flown_before)


def _without_permit(
    change: JudgedChange, outline: BaseGeometry, others: list[Fate], tolerance_m: float
) -> str | None:
    grown = shapely.buffer(shapely.union_all([fate.ground for fate in others]), tolerance_m)
    cover = outline.intersection(grown).area / outline.area
    if cover > _SLIGHT_COVER or (change.kind == "annex" and others):
        return None
    return _WITHOUT_PERMIT.get(change.reason, change.reason)


def _by_dates(change: JudgedChange, own: Fate, flown_before: dt.date) -> str | None:
    """Judge by a permit that lies where it should."""
    if own.dates_kept and own.state != "duplicated":
        return change.reason
    # What is on top of a house is judged by the day its permit was granted.
    if change.kind in ("storey", "roof_addition"):
        return change.reason if change.reason == "grown_beyond_permit" else None
    if change.reason in ("permit_expired", "before_grant"):
        return None
    if own.state == "merged" and change.reason == "as_permitted":
        return None
    ended = own.valid_until is not None and own.valid_until < flown_before
    return "permit_expired" if ended and change.reason == "as_permitted" else change.reason
