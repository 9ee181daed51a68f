"""How many of many are of a kind, told by what each is said to be. Pure.

What is said was learnt where a share of all was of the kind. Where it is another, the same look is
worth more or less: the share is the one at which what is said, adjusted to it, adds up to it
(Saerens, Latinne and Decaestecker 2002, Adjusting the outputs of a classifier to new a priori
probabilities).
"""

import numpy as np
from numpy.typing import NDArray

__all__ = ["adjusted_to", "share_of"]

Likely = NDArray[np.float64]

_STEPS, _CLOSE = 200, 1e-5


def adjusted_to(share: float, likely: Likely, learnt: float) -> Likely:
    """Return what probabilities learnt at one share are worth where another is of the kind."""
    for_it = likely * share / learnt
    against = (1.0 - likely) * (1.0 - share) / (1.0 - learnt)
    return np.asarray(for_it / (for_it + against))


def share_of(
    likely: Likely, weights: Likely, *, learnt: float, usual: float, as_many: float
) -> float:
    """Return the share that is of the kind.

    Parameters
    ----------
    likely
        (item,), in [0, 1]; what each is said to be.
    weights
        (item,); how much each counts.
    learnt
        The share where that was learnt.
    usual
        The share that is expected before anything is seen.
    as_many
        How many items that counts for.
    """
    share = usual
    for _step in range(_STEPS):
        told = float((weights * adjusted_to(share, likely, learnt)).sum())
        new = (told + as_many * usual) / (float(weights.sum()) + as_many)
        if abs(new - share) < _CLOSE:
            break
        share = new
    return share
