"""Boosted decision trees: from named numbers to a probability, along branches that can be read.

Friedman (2001), Greedy function approximation: a gradient boosting machine. Trees add points on the
logistic scale. They are learnt by ``training/scores.py``, which lets most numbers count one way
only: a straighter outline is never held against a structure.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

__all__ = ["Split", "Trees", "parse_trees", "shipped_trees"]

_FURTHEST = 30.0  # on the logistic scale: further makes no difference


@dataclass(frozen=True, slots=True)
class Split:
    """A question about one number, and what follows from either answer."""

    name: str
    """The number asked about."""
    most: float
    """Up to here the answer is yes."""
    unknown: bool
    """The answer where the number is not known."""
    yes: "Split | float"
    no: "Split | float"


@dataclass(frozen=True, slots=True)
class Trees:
    """What candidates with certain numbers proved to be."""

    start: float
    """Points before anything is known, on the logistic scale."""
    trees: tuple[Split | float, ...]
    """Each adds points."""

    def probability(self, numbers: Mapping[str, float]) -> float:
        """Return how likely a candidate with these numbers is what was learnt, in [0, 1]."""
        points = self.start + sum(_followed(tree, numbers) for tree in self.trees)
        return 1.0 / (1.0 + math.exp(-max(-_FURTHEST, min(_FURTHEST, points))))


def _followed(node: Split | float, numbers: Mapping[str, float]) -> float:
    while isinstance(node, Split):
        value = numbers.get(node.name, math.nan)
        yes = node.unknown if math.isnan(value) else value <= node.most
        node = node.yes if yes else node.no
    return node


def parse_trees(text: str) -> Trees:
    """Read trees from JSON: `start`, and `trees` of numbers or [name, most, unknown, yes, no].

    Raises
    ------
    ValueError
        The text is no such JSON.
    """
    try:
        data = json.loads(text)
        return Trees(float(data["start"]), tuple(_node(tree) for tree in data["trees"]))
    except (KeyError, TypeError) as error:
        raise ValueError(f"these are no trees: {error}") from error


def _node(data: Any) -> Split | float:
    if not isinstance(data, list):
        return float(data)
    name, most, unknown, yes, no = data
    return Split(str(name), float(most), bool(unknown), _node(yes), _node(no))


@cache
def shipped_trees(name: str) -> Trees:
    """Return trees that come with the package, such as ``by_picture``: a file beside this one."""
    return parse_trees(Path(__file__).with_name(f"{name}.json").read_text(encoding="utf-8"))
