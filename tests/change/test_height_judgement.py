"""One candidate judged by heights: made windows whose truth is known."""

import cv2
import numpy as np
import pytest
import shapely
import xarray as xr
from affine import Affine
from scipy import ndimage
from shapely import box

from change.height_judgement import judge_by_height
from change.looks import Look
from survey.light import Light
from survey.settings import DetectSettings
from tests.change.test_height_evidence import HOUSE, PIXEL, SIDE, flown

PLACE = Affine(PIXEL, 0, 500_000, 0, -PIXEL, 2_500_000)
SAME_LIGHT = Light(np.tile(np.arange(256, dtype=np.uint8), (3, 1)), 20.0)
SOIL, CONCRETE, LEAVES = (150, 120, 90), (176, 172, 166), (70, 120, 50)


def picture(painted=(), seed=1):
    """Return bare soil with patches of other colours on it, each ((rows, cols), colour)."""
    grain = ndimage.gaussian_filter(np.random.default_rng(seed).normal(0, 8, (SIDE, SIDE)), 1.0)
    colours = np.array(SOIL)[:, None, None] + grain
    for where, colour in painted:
        colours[:, where[0], where[1]] = np.array(colour)[:, None, None]
        colours[:, where[0], where[1]] += 0.5 * grain[where]
    return np.clip(colours, 1, 254).astype(np.uint8)


def outline_of(where):
    rows, cols = where
    left, top = PLACE @ (cols.start, rows.start)
    right, bottom = PLACE @ (cols.stop, rows.stop)
    return box(left, bottom, right, top)


def look_at(where, lower, upper, *, pictures=None, gained=True, maps=None, attrs=None):
    """Return a candidate of which the evidence drew the middle only, as it does."""
    before, after = pictures or (picture(), picture([(where, CONCRETE)], seed=2))
    heights = lower, upper
    if not gained:
        before, after, heights = after, before, heights[::-1]
    seen = np.ones((SIDE, SIDE), bool)
    data = {
        "before": (("band", "y", "x"), before),
        "after": (("band", "y", "x"), after),
        "seen_before": (("y", "x"), seen),
        "seen_after": (("y", "x"), seen.copy()),
        "tolerance": (("y", "x"), np.full((SIDE, SIDE), 0.3, np.float32)),
        "height_before": (("y", "x"), heights[0]),
        "height_after": (("y", "x"), heights[1]),
    }
    data |= {name: (("y", "x"), band) for name, band in (maps or {}).items()}
    return Look(
        window=xr.Dataset(data, attrs=attrs or {}),
        transform=PLACE,
        outline=outline_of(where).buffer(-0.5),
        gained=gained,
        roofs=(),
    )


def judged(look):
    return judge_by_height(look, SAME_LIGHT, DetectSettings())


def likeness(one, other):
    return one.intersection(other).area / one.union(other).area


def sized(metres_wide, metres_long, row=50, col=40):
    return (
        slice(row, row + round(metres_wide / PIXEL)),
        slice(col, col + round(metres_long / PIXEL)),
    )


@pytest.mark.parametrize("gained", [True, False])
@pytest.mark.parametrize("metres", [3.0, 6.2, 18.0])
def test_a_house_is_told_with_its_size_and_height(metres, gained):
    house = judged(look_at(HOUSE, flown(), flown([(HOUSE, metres)], seed=2), gained=gained))
    assert house.score > 0.9
    assert house.height_gain_m == pytest.approx(metres if gained else -metres, abs=0.15)
    assert house.outline.area == pytest.approx(outline_of(HOUSE).area, rel=0.03)
    assert likeness(house.outline, outline_of(HOUSE)) > 0.93
    assert house.kind == (("building" if metres > 3.2 else "shed") if gained else "removed")


@pytest.mark.parametrize("blurred_m", [0.2, 0.4, 0.6])
def test_smoothing_moves_no_wall(blurred_m):
    """Half of the height is reached where the wall stands, however soft it is drawn."""
    upper = flown([(HOUSE, 5.0)], seed=2, blurred_m=blurred_m)
    area = judged(look_at(HOUSE, flown(blurred_m=blurred_m), upper)).outline.area
    assert area == pytest.approx(outline_of(HOUSE).area, rel=0.03)


def test_a_house_beside_a_tower_keeps_its_own_outline():
    tower, house = sized(10, 8), sized(10, 8, col=80)
    upper = flown([(tower, 15.0), (house, 5.0)], seed=2)
    pictures = picture(), picture([(tower, CONCRETE), (house, CONCRETE)], seed=2)
    found = judged(look_at(house, flown(), upper, pictures=pictures))
    assert likeness(found.outline, outline_of(house)) > 0.8
    assert found.height_gain_m == pytest.approx(5.0, abs=0.4)


def test_kinds_follow_from_what_stood_there():
    alone, house = sized(8, 6, col=20), sized(8, 12, col=70)
    before, after = flown([(house, 6.0)]), flown([(house, 6.0), (alone, 2.9)], seed=2)
    assert judged(look_at(alone, before, after)).kind == "shed"
    higher = flown([(house, 6.0), (alone, 4.5)], seed=2)
    assert judged(look_at(alone, before, higher)).kind == "building"
    whole = judged(look_at(house, before, flown([(house, 9.0)], seed=2)))
    assert (whole.kind, round(whole.height_gain_m)) == ("storey", 3)
    room = sized(6, 4, row=52, col=90)
    top = judged(look_at(room, before, flown([(house, 6.0), (room, 2.8)], seed=2)))
    assert top.kind == "roof_addition"
    assert top.score > 0.5


def test_a_touching_wing_is_an_annex():
    wing, house = sized(8, 6, col=40), sized(8, 12, col=70)
    before, after = flown([(house, 6.0)]), flown([(house, 6.0), (wing, 3.5)], seed=2)
    pictures = picture([(house, CONCRETE)]), picture([(house, CONCRETE), (wing, CONCRETE)], seed=2)
    assert judged(look_at(wing, before, after, pictures=pictures)).kind == "annex"


def crown(where, metres, seed=7):
    rough = ndimage.gaussian_filter(np.random.default_rng(seed).normal(0, 1, (SIDE, SIDE)), 2)
    rows, cols = np.indices((SIDE, SIDE))
    middle = [(part.start + part.stop) / 2 for part in where]
    radius = (where[0].stop - where[0].start) / 2
    round_ = np.clip(1 - ((rows - middle[0]) ** 2 + (cols - middle[1]) ** 2) / radius**2, 0, 1)
    return (round_**0.5 * (metres + rough / rough.std()) * (round_ > 0)).astype(np.float32)


def test_a_crown_is_no_structure():
    where = sized(6, 6)
    heights = flown(seed=2) + crown(where, 5.0)
    pictures = picture(), picture([(where, LEAVES)], seed=2)
    assert judged(look_at(where, flown(), heights, pictures=pictures)).score < 0.2


def test_a_lorry_is_less_likely_than_a_shed():
    shed, lorry = sized(5, 8), sized(2.4, 8)
    scores = [
        judged(look_at(where, flown(), flown([(where, 2.8)], seed=2))).score
        for where in (shed, lorry)
    ]
    assert scores[0] > 0.5 > scores[1]


def test_small_things_that_went_are_believed_less_than_what_came():
    """Goods leave as often as they come, and less is torn down than built."""
    box_ = sized(3.5, 5)
    pictures = picture(), picture(seed=2)
    came, went = (
        judged(look_at(box_, flown(), flown([(box_, 2.7)], seed=2), pictures=pictures, gained=way))
        for way in (True, False)
    )
    assert went.score < came.score
    assert not {"went", "gained"} & {name for name, _value in came.evidence + went.evidence}


def test_what_did_not_rise_is_no_structure():
    """A coat of paint, which a map of the picture may well propose."""
    assert judged(look_at(HOUSE, flown(), flown(seed=2))) is None


def test_a_slab_is_told_by_its_edges_and_the_picture():
    slab = flown([(HOUSE, 0.45)], seed=2, noise_m=0.02)
    found = judged(look_at(HOUSE, flown(noise_m=0.02), slab))
    assert found.height_gain_m == pytest.approx(0.45, abs=0.08)
    assert likeness(found.outline, outline_of(HOUSE)) > 0.85
    green = picture(), picture([(HOUSE, LEAVES)], seed=2)
    grass = judged(look_at(HOUSE, flown(noise_m=0.02), slab, pictures=green))
    assert grass.score < 0.5 < found.score
    assert found.kind == "site"


def test_a_map_that_sees_a_roof_counts_and_none_says_nothing():
    shed = sized(4, 5)
    lower, upper = flown(), flown([(shed, 2.5)], seed=2)
    plain = judged(look_at(shed, lower, upper))
    scores = {}
    for said in (0.05, 0.95):
        band = np.full((SIDE, SIDE), said, np.float32)
        maps = {"roof_before": 0 * band, "roof_after": band, "appeared": band, "gone": 0 * band}
        found = judged(look_at(shed, lower, upper, maps=maps))
        scores[said] = found.score
        assert dict(found.evidence)["seen_as_roof"] == pytest.approx(said, abs=1e-3)
    assert max(scores[0.05], plain.score) < scores[0.95]
    assert "seen_as_roof" not in dict(plain.evidence)


def test_the_error_of_the_height_holds_what_is_known_of_it():
    small, large = sized(4, 4), sized(16, 20, row=30, col=30)
    errors = {}
    for name, where in (("small", small), ("large", large)):
        rng = np.random.default_rng(3)
        bumps = cv2.GaussianBlur(rng.normal(0, 1, (SIDE, SIDE)).astype(np.float32), (0, 0), 4)
        upper = flown([(where, 5.0)], seed=2) + 0.3 * bumps / bumps.std()
        numbers = dict(judged(look_at(where, flown(), upper)).evidence)
        errors[name] = numbers["height_error_m"]
    assert 0.02 < errors["large"] < errors["small"] < 0.6
    known = judged(
        look_at(small, flown(), flown([(small, 5.0)], seed=2), attrs={"datum_error_m": 0.4})
    )
    assert dict(known.evidence)["height_error_m"] >= 0.4


def test_what_has_no_heights_is_not_judged():
    blind = np.full((SIDE, SIDE), np.nan, np.float32)
    assert judged(look_at(HOUSE, blind, flown())) is None


def test_the_outline_is_whole_and_its_numbers_are_told_in_order():
    found = judged(look_at(HOUSE, flown(), flown([(HOUSE, 6.0)], seed=2)))
    assert shapely.is_valid(found.outline)
    names = [name for name, _value in found.evidence]
    assert names == sorted(names)
    assert {"height_gain_m", "height_error_m", "wall", "rectangular", "on_roof"} <= set(names)
    assert found.tolerance_m == pytest.approx(0.3)
