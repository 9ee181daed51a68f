"""Ranking: how much a suspect matters, as points that a person can add up. Pure."""

import math

from survey.settings import SeveritySettings

__all__ = ["NO_SUSPICION", "points_for"]

NO_SUSPICION = frozenset({"as_permitted", "removed_permitted", "removed_unpermitted"})
"""Reasons that call nobody out."""

_SMALL_M2 = 10.0
_MOST = 100.0


def points_for(
    reason: str,
    *,
    area_m2: float,
    height_m: float | None,
    score: float,
    protected: float,
    settings: SeveritySettings,
) -> tuple[tuple[str, float], ...]:
    """Return the points that make the severity, each with the name of what it is for.

    Size counts by the logarithm, ``log(1 + A/10) / log(1 + large/10)``, so that ten times the area
    adds the same everywhere; height in proportion; both are cut off where they reach all of their
    points. Unknown height adds nothing. No bureau's own scale was seen: the order is no permit at
    all, then more than permitted, then formal flaws, and every weight can be set.

    Parameters
    ----------
    reason
        One of ``change.suspicion.REASONS``.
    area_m2
        The area in question: the excess where a permit is exceeded, otherwise the whole change, m2.
    height_m
        Height in question, m; None where unknown.
    score
        Probability of a real structural change.
    protected
        Points of the protected ground it stands on.
    settings
        The weights.

    Examples
    --------
    >>> told = points_for(
    ...     "no_permit",
    ...     area_m2=1000.0,
    ...     height_m=9.0,
    ...     score=1.0,
    ...     protected=20.0,
    ...     settings=SeveritySettings(),
    ... )
    >>> told
    (('reason', 35.0), ('protected', 20.0), ('size', 25.0), ('height', 10.0), ('certainty', 10.0))
    >>> points_for(
    ...     "as_permitted",
    ...     area_m2=1000.0,
    ...     height_m=9.0,
    ...     score=1.0,
    ...     protected=0.0,
    ...     settings=SeveritySettings(),
    ... )
    ()
    """
    if reason in NO_SUSPICION:
        return ()
    largest = math.log1p(settings.large_m2 / _SMALL_M2)
    size = math.log1p(max(0.0, area_m2) / _SMALL_M2) / largest
    height = 0.0 if height_m is None else max(0.0, height_m) / settings.tall_m
    told = (
        ("reason", float(getattr(settings, reason))),
        ("protected", protected),
        ("size", settings.size * min(1.0, size)),
        ("height", settings.height * min(1.0, height)),
        ("certainty", settings.certainty * min(1.0, max(0.0, 2.0 * score - 1.0))),
    )
    return _at_most(tuple((name, round(points, 1)) for name, points in told if points > 0))


def _at_most(points: tuple[tuple[str, float], ...]) -> tuple[tuple[str, float], ...]:
    """Return points that add up to no more than all there are, whatever weights were set."""
    total = sum(value for _name, value in points)
    if total <= _MOST:
        return points
    return tuple((name, round(_MOST * value / total, 1)) for name, value in points)
