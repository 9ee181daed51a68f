"""How many candidates of a job are right, told by their scores, and what each is worth then. Pure.

A score is learnt where more than half of the candidates are right. Where a city hardly changed the
same look means less; on a building site it means more. The share that is right is the one at which
the scores, adjusted to it, add up to it (Saerens, Latinne and Decaestecker 2002, Adjusting the
outputs of a classifier to new a priori probabilities).
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from change.looks import Measured, with_numbers

__all__ = ["LEARNT", "USUAL", "adjusted", "share_right", "weighed_by_share"]

LEARNT = 0.587
"""Share of right candidates in the rendered flights that the trees by picture learnt from."""
USUAL = 0.5
"""What is taken for the share where nothing is seen."""

# The usual share counts like so many candidates: few tell little of a place. Scores are not
# calibrated well enough to believe a share beyond these two. Of what was tried, these brought the
# scores of candidates that trees had not seen nearest to what is true (docs/decisions/0016).
_AS_MANY = 10
_LEAST, _MOST = 0.05, 0.65
_STEPS, _CLOSE = 200, 1e-5


def share_right(scores: Sequence[float], counting: Sequence[float] | None = None) -> float:
    """Return which share of candidates is right, between 0.05 and 0.65.

    Parameters
    ----------
    scores
        What each is told.
    counting
        How much each counts, from 0 to 1; None for all in full.
    """
    known = np.asarray(scores, float)
    weights = np.ones(len(known)) if counting is None else np.asarray(counting, float)
    share = USUAL
    for _step in range(_STEPS):
        told = float((weights * _adjusted(known, share)).sum())
        new = (told + _AS_MANY * USUAL) / (float(weights.sum()) + _AS_MANY)
        if abs(new - share) < _CLOSE:
            break
        share = new
    return min(_MOST, max(_LEAST, share))


def adjusted(score: float, share: float) -> float:
    """Return what a score is worth where such a share of candidates is right."""
    return float(_adjusted(np.array([score]), share)[0])


def _adjusted(scores: NDArray[np.float64], share: float) -> NDArray[np.float64]:
    for_it = scores * share / LEARNT
    against = (1.0 - scores) * (1.0 - share) / (1.0 - LEARNT)
    return np.asarray(for_it / (for_it + against))


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
