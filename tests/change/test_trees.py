"""Boosted trees: what they add up to, and that numbers count the way they may."""

import json
import math

import pytest

from change.innocent import INNOCENT, INNOCENT_BY_HEIGHT
from change.model.trees import parse_trees, shipped_trees

TREES = {
    "start": -1.0,
    "trees": [0.5, ["size", 20, False, -1.0, ["green", 0.4, True, 2.0, -2.0]]],
}


def logistic(points):
    return 1 / (1 + math.exp(-points))


@pytest.mark.parametrize(
    ("numbers", "points"),
    [
        ({"size": 20.0, "green": 0.0}, -1.5),
        ({"size": 21.0, "green": 0.4}, 1.5),
        ({"size": 21.0, "green": 0.5}, -2.5),
        ({"green": 0.5}, -2.5),
        ({"size": 21.0}, 1.5),
        ({"size": 21.0, "green": math.nan}, 1.5),
    ],
)
def test_points_of_every_tree_add_up(numbers, points):
    assert parse_trees(json.dumps(TREES)).probability(numbers) == pytest.approx(logistic(points))


@pytest.mark.parametrize("text", ["{}", "[1]", '{"start": 0}', '{"start": 0, "trees": [["a"]]}'])
def test_what_are_no_trees_is_refused(text):
    with pytest.raises(ValueError, match=r"."):
        parse_trees(text)


def asked(trees):
    """Return every number that trees ask about, with the borders it is held against."""
    borders = {}
    stack = [tree for tree in trees.trees if not isinstance(tree, float)]
    while stack:
        node = stack.pop()
        borders.setdefault(node.name, set()).add(node.most)
        stack += [side for side in (node.yes, node.no) if not isinstance(side, float)]
    return borders


@pytest.mark.parametrize(
    ("name", "against"),
    [("by_picture", INNOCENT), ("by_one_model", INNOCENT), ("by_height", INNOCENT_BY_HEIGHT)],
)
def test_shipped_trees_never_take_an_innocent_explanation_for_a_structure(name, against):
    trees = shipped_trees(name)
    borders = asked(trees)
    assert len(borders) > 10
    middle = {number: sorted(places)[len(places) // 2] for number, places in borders.items()}
    for number in (f"like_{slug}" for slug in against):
        told = [trees.probability(middle | {number: fit / 10}) for fit in range(11)]
        assert told == sorted(told, reverse=True)


@pytest.mark.parametrize("name", ["by_picture", "by_one_model", "by_height"])
def test_shipped_trees_do_without_maps_of_roofs(name):
    middle = {number: sorted(at)[len(at) // 2] for number, at in asked(shipped_trees(name)).items()}
    bare = {number: at for number, at in middle.items() if "roof" not in number}
    assert 0 < shipped_trees(name).probability(bare) < 1


@pytest.mark.parametrize("name", ["by_picture", "by_one_model"])
def test_shipped_trees_believe_what_came_sooner_than_what_went(name):
    trees = shipped_trees(name)
    middle = {number: sorted(at)[len(at) // 2] for number, at in asked(trees).items()}
    went, came = (trees.probability(middle | {"gained": way}) for way in (0.0, 1.0))
    assert went < came
