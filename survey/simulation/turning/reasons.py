"""Why buildings that could have gone stand in both pictures, in words."""

from collections.abc import Mapping

from survey.simulation.turning.changes import Left
from survey.words import _

__all__ = ["told_reasons"]


def told_reasons(left: Mapping[Left, int]) -> str:
    """Return how many buildings stay for which reason, the most frequent first.

    Parameters
    ----------
    left
        Numbers by slug.

    Examples
    --------
    >>> told_reasons({"too_small": 1, "neighbour_too_near": 3, "too_large": 0})
    '3 with a neighbour too near, 1 too small (--min-area)'
    """
    words: dict[Left, str] = {
        "too_small": _("too small (--min-area)"),
        "too_large": _("too large (--max-area)"),
        "at_the_edge": _("at the edge of the picture, or of what is valid in it"),
        "outlined_twice": _("outlined twice"),
        "neighbour_too_near": _("with a neighbour too near"),
        "endless_shadow": _("with a shadow whose end is not seen"),
        "no_ground": _("without plain ground nearby that fits in their place"),
        "another_change_near": _("too near to another one that went, or to a decoy"),
        "no_room_for_decoy": _("without room for a decoy of their size"),
    }
    most = sorted(left.items(), key=lambda item: -item[1])
    return ", ".join(f"{count} {words[why]}" for why, count in most if count)
