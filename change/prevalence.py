"""How many candidates of a job are right, told by their scores, and what each is worth then. Pure.

A score is learnt where more than half of the candidates are right. Where a city hardly changed the
same look means less; on a building site it means more (``change.shares``).
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from change.looks import Measured, with_numbers
from change.shares import adjusted_to, share_of

__all__ = ["LEARNT", "USUAL", "adjusted", "share_right", "weighed_by_share"]

LEARNT = 0.605
"""Share of right candidates in the rendered flights that the trees by picture learnt from."""
USUAL = 0.5
"""What is taken for the share where nothing is seen."""

# The usual share counts like so many candidates: few tell little of a place. Scores are not
# calibrated well enough to believe a share beyond these two. Of what was tried, these brought the
# scores of candidates that trees had not seen nearest to what is true (docs/decisions/0016, 0024).
_AS_MANY = 10
_LEAST, _MOST = 0.05, 0.75


def share_right(scores: Sequence[float], counting: Sequence[float] | None = None) -> float:
    """Return which share of candidates is right, between 0.05 and 0.75.

    Parameters
    ----------
    scores
        What each is told.
    counting
        How much each counts, from 0 to 1; None for all in full.
    """
    known = np.asarray(scores, float)
    weights = np.ones(len(known)) if counting is None else np.asarray(counting, float)
    share = share_of(known, weights, learnt=LEARNT, usual=USUAL, as_many=_AS_MANY)
    return min(_MOST, max(_LEAST, share))


def adjusted(score: float, share: float) -> float:
    """Return what a score is worth where such a share of candidates is right."""
    return float(adjusted_to(share, np.array([score]), LEARNT)[0])


def weighed_by_share(
    measured: Iterable[Measured], least_m2: float
) -> tuple[list[Measured], float | None]:
    """Adjust the scores of what pictures alone judged to how many of them are right here.

    What is taken for a displaced roof (``change.displaced``) is no candidate, as likely as it is
    one: it tells nothing of the others, and is worth that much less.

    Parameters
    ----------
    measured
        All candidates of a job.
    least_m2
        Smaller ones are no candidates, m2.

    Returns
    -------
    list of Measured
        All of them; those adjusted say in their evidence what their score was (``score_alone``).
    float or None
        The share that is right; None where heights judged everything.
    """
    items = list(measured)
    seen = [m for m in items if m.height_gain_m is None and m.outline.area >= least_m2]
    if not seen:
        return items, None
    share = share_right([m.score for m in seen], [_in_place(m) for m in seen])
    return [item if item.height_gain_m is not None else _with(item, share) for item in items], share


def _in_place(item: Measured) -> float:
    """Return how likely a candidate is no displaced roof."""
    return 1.0 - dict(item.evidence).get("like_displaced", 0.0)


def _with(item: Measured, share: float) -> Measured:
    told = replace(item, score=adjusted(item.score, share) * _in_place(item))
    return with_numbers(told, {"score_alone": item.score})
