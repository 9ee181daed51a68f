"""One candidate at a close look: made structures, and what only looks like one."""

import numpy as np
import pytest
import xarray as xr
from affine import Affine
from scipy import ndimage
from shapely import box

from change import picture_judgement
from change.changes import KINDS
from change.looks import MARGIN_M, Look, Measured
from change.model.trees import Split, Trees
from change.objects import measure
from survey.light import Light
from survey.settings import DetectSettings

PIXEL, SIDE, LIKELY = 0.2, 240, 0.95
TRANSFORM = Affine(PIXEL, 0, 1000, 0, -PIXEL, 2000)
LIGHT = Light(np.tile(np.arange(256, dtype=np.uint8), (3, 1)), 20.0)
SETTINGS = DetectSettings()
SOIL, CONCRETE, BLUE, LEAVES = (150, 120, 90), (195, 195, 190), (60, 100, 190), (70, 120, 50)


class Ground:
    """Soil and level ground, to which things are added; rectangles are metres from the corner."""

    def __init__(self, seed):
        rng = np.random.default_rng(seed)
        grain = ndimage.gaussian_filter(rng.normal(0, 12, (SIDE, SIDE)), 1.0)
        self.colour = np.clip(np.array(SOIL)[:, None, None] + grain, 1, 254)
        self.heights = 20 + rng.normal(0, 0.03, (SIDE, SIDE))
        self.rng = rng

    def put(self, place, metres, colour=CONCRETE, rough=0.0):
        left, top, right, bottom = (round(v / PIXEL) for v in place)
        self.heights[top:bottom, left:right] = 20 + metres
        grain = self.rng.normal(0, 2, (3, bottom - top, right - left))
        self.colour[:, top:bottom, left:right] = np.array(colour)[:, None, None] + grain
        if rough:
            crown = ndimage.gaussian_filter(self.rng.normal(0, 1, (SIDE, SIDE)), 1.2)
            crown *= rough / crown.std()
            self.heights[top:bottom, left:right] += crown[top:bottom, left:right]
        return self

    def seen(self):
        """Return colours and heights as photogrammetry gives them: walls a little sloped."""
        heights = ndimage.gaussian_filter(self.heights, 1.5)
        return np.clip(self.colour, 1, 254).astype(np.uint8), heights.astype(np.float32)


def look_at(before, after, place, *, gained=True, heights=True, lone=None, roofs=()):
    seen = np.ones((SIDE, SIDE), bool)
    (colour_before, low), (colour_after, high) = before.seen(), after.seen()
    data = {
        "before": (("band", "y", "x"), colour_before),
        "after": (("band", "y", "x"), colour_after),
        "seen_before": (("y", "x"), seen),
        "seen_after": (("y", "x"), seen.copy()),
        "tolerance": (("y", "x"), np.full((SIDE, SIDE), 0.25, np.float32)),
    }
    if heights:
        data["height_before"] = (("y", "x"), low)
        data["height_after"] = (("y", "x"), high)
    if lone is not None:
        data[f"surface_{lone}"] = (("y", "x"), low if lone == "before" else high)
    left, top, right, bottom = place
    rows, cols = (
        slice(round(a / PIXEL), round(b / PIXEL)) for a, b in ((top, bottom), (left, right))
    )
    shown = np.zeros((SIDE, SIDE), np.float32)
    shown[rows, cols] = LIKELY
    # What a detector says of it: sure inside, doubtful about the rim.
    shown = ndimage.gaussian_filter(shown, 1.5)
    names = ("appeared", "roof_after") if gained else ("gone", "roof_before")
    for name in ("appeared", "gone", "roof_before", "roof_after"):
        data[name] = (("y", "x"), shown if name in names else np.full_like(shown, 0.03))
    outline = box(1000 + left, 2000 - bottom, 1000 + right, 2000 - top)
    return Look(
        window=xr.Dataset(data),
        transform=TRANSFORM,
        outline=outline,
        gained=gained,
        roofs=tuple(roofs),
    )


def judge(before, after, place, **options) -> Measured:
    (found,) = measure(look_at(before, after, place, **options), LIGHT, SETTINGS)
    assert found.kind in KINDS
    return found


def overlap(one, other):
    return one.intersection(other).area / one.union(other).area


HOUSE, BESIDE, ON_TOP = (16, 16, 28, 26), (28, 18, 33, 25), (18, 18, 23, 24)


@pytest.mark.parametrize(
    ("before", "after", "place", "kind", "gain"),
    [
        pytest.param([], [(HOUSE, 6.0)], HOUSE, "building", 6.0, id="a house"),
        pytest.param([], [(HOUSE, 2.6)], HOUSE, "shed", 2.6, id="a low shed"),
        pytest.param([], [(HOUSE, 6.0, BLUE)], HOUSE, "shed", 6.0, id="a steel shed"),
        pytest.param(
            [(HOUSE, 6.0)], [(HOUSE, 6.0), (BESIDE, 4.0)], BESIDE, "annex", 4.0, id="an annex"
        ),
        pytest.param([(HOUSE, 6.0)], [(HOUSE, 9.2)], HOUSE, "storey", 3.2, id="a storey"),
        pytest.param(
            [(HOUSE, 6.0)],
            [(HOUSE, 6.0), (ON_TOP, 9.0)],
            ON_TOP,
            "roof_addition",
            3.0,
            id="a room on the roof",
        ),
    ],
)
def test_what_rises_is_named(before, after, place, kind, gain):
    first, second = Ground(1), Ground(2)
    for thing in before:
        first.put(*thing)
    for thing in after:
        second.put(*thing)
    found = judge(first, second, place)
    assert found.kind == kind
    assert found.score > 0.8
    assert found.height_gain_m == pytest.approx(gain, abs=0.4)
    left, top, right, bottom = place
    assert overlap(found.outline, box(1000 + left, 2000 - bottom, 1000 + right, 2000 - top)) > 0.8
    assert found.tolerance_m == pytest.approx(0.25)


@pytest.mark.parametrize(
    ("left", "place", "kind"),
    [
        pytest.param([], HOUSE, "removed", id="gone"),
        pytest.param([((22, 16, 28, 26), 6.0)], (16, 16, 22, 26), "partly_removed", id="half"),
        pytest.param([(HOUSE, 3.0)], HOUSE, "partly_removed", id="a storey less"),
    ],
)
def test_what_sinks_is_named(left, place, kind):
    before, after = Ground(1).put(HOUSE, 6.0), Ground(2)
    for thing in left:
        after.put(*thing)
    found = judge(before, after, place, gained=False)
    assert found.kind == kind
    assert found.height_gain_m < -2.5
    assert found.score > 0.7


@pytest.mark.parametrize(
    ("place", "thing"),
    [
        pytest.param((18, 18, 20.4, 30), (2.6, BLUE), id="a freight container"),
        pytest.param((18, 18, 20, 23), (1.9, (220, 220, 220)), id="a van"),
        pytest.param((16, 16, 24, 24), (6.0, LEAVES, 1.2), id="a tree"),
    ],
)
def test_what_is_no_structure_scores_low(place, thing):
    found = judge(Ground(1), Ground(2).put(place, *thing), place)
    assert found.score < 0.5


@pytest.mark.parametrize("colour", [CONCRETE, BLUE])
def test_without_heights_a_house_is_told_by_its_picture_and_without_a_height(colour):
    found = judge(Ground(1), Ground(2).put(HOUSE, 6.0, colour), HOUSE, heights=False)
    assert found.height_gain_m is None
    assert found.score > 0.5
    assert found.kind == ("shed" if colour is BLUE else "building")


def test_heights_that_are_unknown_leave_the_picture_to_judge():
    look = look_at(Ground(1), Ground(2).put(HOUSE, 6.0), HOUSE)
    look.window["height_before"].values[:] = np.nan
    (found,) = measure(look, LIGHT, SETTINGS)
    assert found.height_gain_m is None


@pytest.mark.parametrize("gained", [True, False])
def test_one_surface_model_tells_whether_anything_stands_there(gained):
    flights = [Ground(1), Ground(2).put(HOUSE, 6.0)]
    painted = [Ground(1), Ground(2).put(HOUSE, 0.0)]
    roles = ["before", "after"]
    if not gained:
        flights, painted, roles = flights[::-1], painted[::-1], roles[::-1]
    scores = {}
    for what, pair in (("house", flights), ("paint", painted)):
        found = judge(*pair, HOUSE, gained=gained, heights=False, lone=roles[1])
        assert found.height_gain_m is None
        numbers = dict(found.evidence)
        assert numbers["stands_m"] == pytest.approx(6.0 if what == "house" else 0.0, abs=0.2)
        assert numbers["like_flat"] == float(what == "paint")
        if gained:
            assert found.kind == ("building" if what == "house" else "site")
        scores[what] = found.score
    assert scores["paint"] < scores["house"] - 0.1


def test_without_heights_the_score_is_told_which_way_a_change_goes(monkeypatch):
    asks = Trees(0.0, (Split("gained", 0.5, False, -3.0, 3.0),))
    monkeypatch.setattr(picture_judgement, "shipped_trees", lambda _name: asks)
    bare, built = Ground(1), Ground(2).put(HOUSE, 6.0)
    assert judge(bare, built, HOUSE, heights=False).score > 0.9
    assert judge(built, bare, HOUSE, gained=False, heights=False).score < 0.1


def test_what_stood_there_already_is_told_by_the_earlier_surface_model_alone():
    """A coat of paint on a house looks like a new one."""
    old, new = Ground(1).put(HOUSE, 6.0, SOIL), Ground(2).put(HOUSE, 6.0)
    found = judge(old, new, HOUSE, heights=False, lone="before")
    assert dict(found.evidence)["stands_other_m"] == pytest.approx(6.0, abs=0.2)
    assert dict(found.evidence)["like_old"] == 1.0
    assert found.score < judge(old, new, HOUSE, heights=False).score


def test_an_outline_outside_the_window_is_nothing():
    look = look_at(Ground(1), Ground(2), (400, 400, 410, 410))
    assert measure(look, LIGHT, SETTINGS) == []


def test_the_evidence_is_named_finite_and_in_order():
    found = judge(Ground(1), Ground(2).put(HOUSE, 6.0), HOUSE)
    names = [name for name, _value in found.evidence]
    assert names == sorted(names)
    assert np.isfinite([value for _name, value in found.evidence]).all()
    assert 0 <= found.score <= 1
    assert MARGIN_M >= 6
