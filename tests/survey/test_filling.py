"""Holes filled in pictures that were made here, so that what belongs there is known."""

import cv2
import numpy as np
import pytest
from scipy import ndimage

from survey.simulation.turning.filling import Ground, fill
from survey.simulation.turning.footprints import Surroundings, cover, lit_ground
from survey.simulation.turning.masks import grow, grow_towards, luminance
from survey.simulation.turning.salience import plain_ground, roughness, salience, shows_object
from survey.simulation.turning.shading import Shadow, find_shadow, relative_light, shadow_profile

SIDE = 300


def meadow(seed: int, side: int = SIDE) -> np.ndarray:
    """Return a picture of textured ground whose colour drifts slowly."""
    rng = np.random.default_rng(seed)
    rows, cols = np.mgrid[0:side, 0:side] / side
    patches = ndimage.gaussian_filter(rng.normal(size=(side, side)), 6) * 90
    tufts = ndimage.gaussian_filter(rng.normal(size=(side, side)), 1.2) * 30
    grey = 110 + 20 * rows + 10 * cols + patches + tufts
    colour = np.stack([grey + 8, grey + 14, grey - 22]) + rng.normal(0, 3, (3, side, side))
    return np.clip(np.rint(colour), 0, 255).astype(np.uint8)


def house(side: int = SIDE) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return core, skirt and hole of a house in the middle."""
    core = np.zeros((side, side), bool)
    core[side // 2 - 22 : side // 2 + 20, side // 2 - 30 : side // 2 + 28] = True
    skirt = grow(core, 12) & ~core
    return core, skirt, core | skirt


def slope(image: np.ndarray) -> np.ndarray:
    grey = luminance(image)
    return np.hypot(cv2.Sobel(grey, cv2.CV_32F, 1, 0), cv2.Sobel(grey, cv2.CV_32F, 0, 1)) / 8


@pytest.fixture(params=[0, 1, 2])
def filled(request):
    image = meadow(request.param)
    core, skirt, hole = house()
    shown = image.copy()
    shown[:, core] = np.array([190, 60, 60], np.uint8)[:, None]
    allowed = ~grow(core, 4)
    result = fill(
        shown, hole, Ground(free=allowed), np.random.default_rng(request.param), skirt=skirt
    )
    assert result is not None
    return image, shown, result


def test_nothing_changes_outside_the_hole(filled):
    _image, shown, result = filled
    _core, _skirt, hole = house()
    assert np.array_equal(result[:, ~hole], shown[:, ~hole])


def test_no_pixel_of_the_house_is_left(filled):
    image, _shown, result = filled
    core, _skirt, _hole = house()
    redness = result[0].astype(int) - result[1]
    usual = image[0].astype(int) - image[1]
    assert redness[core].max() <= usual.max() + 6


def test_the_filling_has_the_statistics_of_the_ground(filled):
    _image, _shown, result = filled
    _core, _skirt, hole = house()
    around = grow(hole, 40) & ~hole
    fine = luminance(result) - cv2.GaussianBlur(luminance(result), (0, 0), 1.0)
    assert fine[hole].std() == pytest.approx(fine[around].std(), rel=0.1)
    for band in result.astype(float):
        assert abs(band[hole].mean() - band[around].mean()) < 8
        assert band[hole].std() == pytest.approx(band[around].std(), rel=0.4)


def test_there_is_no_seam(filled):
    _image, _shown, result = filled
    core, _skirt, hole = house()
    steepness = slope(result)
    ground = steepness[~grow(hole, 4)]
    for mask in (core, hole):
        rim = grow(mask, 2) & grow(~mask, 2)
        assert steepness[rim].mean() < 1.15 * ground.mean()
        assert np.percentile(steepness[rim], 99) < 1.25 * np.percentile(ground, 99)


def test_the_same_seed_fills_alike_and_another_differently():
    image, (_core, skirt, hole) = meadow(5), house()
    once, again = (
        fill(image, hole, Ground(free=~hole), np.random.default_rng(1), skirt=skirt)
        for _ in range(2)
    )
    assert np.array_equal(once, again)
    others = [
        fill(image, hole, Ground(free=~hole), np.random.default_rng(seed), skirt=skirt)
        for seed in range(2, 8)
    ]
    assert any(not np.array_equal(once, other) for other in others)


def test_a_hole_too_large_for_one_piece_is_filled_by_several():
    image, (core, skirt, hole) = meadow(7), house()
    allowed = ~grow(core, 4)
    allowed[::40] = False  # no stretch of ground is higher than 39 rows
    result = fill(image, hole, Ground(free=allowed), np.random.default_rng(1), skirt=skirt)
    assert result is not None
    assert np.array_equal(result[:, ~hole], image[:, ~hole])


def test_only_allowed_ground_is_copied():
    image, (_core, skirt, hole) = meadow(3), house()
    image[:, :, :150] = np.minimum(image[:, :, :150], 200)
    poison = np.zeros_like(hole)
    poison[40:80, 40:260] = True
    image[:, poison] = np.array([255, 0, 255], np.uint8)[:, None]
    allowed = ~grow(hole, 1) & ~poison
    result = fill(image, hole, Ground(free=allowed), np.random.default_rng(1), skirt=skirt)
    assert result is not None
    assert (result[0].astype(int) - result[1])[hole].max() < 60


def test_no_ground_is_told_and_not_made_up():
    image, (_core, _skirt, hole) = meadow(3), house()
    assert fill(image, hole, Ground(free=np.zeros_like(hole)), np.random.default_rng(1)) is None


def test_the_cast_shadow_goes_with_the_house():
    image = meadow(9, 400).astype(float)
    houses = np.zeros((400, 400), bool)
    for row in (80, 200, 320):
        for col in (80, 200, 320):
            houses[row - 15 : row + 15, col - 15 : col + 15] = True
    shade = grow_towards(houses, 20, 20) & ~houses
    image[:, shade] *= 0.4
    colour = image.astype(np.uint8)
    grey, valid = luminance(colour), np.ones_like(houses)
    shadow = find_shadow([shadow_profile(grey, houses, valid, 0.2)])
    assert shadow.contrast > 10
    assert shadow.down == pytest.approx(0.5**0.5, abs=0.15)
    around = Surroundings(
        grey=grey,
        valid=valid,
        buildings=houses,
        pixel_m=0.2,
        shadow=shadow,
        light=relative_light(grey, ~grow(houses, 6), 0.2),
    )
    one = np.zeros_like(houses)
    one[185:215, 185:215] = True
    found = cover(one, houses & ~one, lit_ground(around), around)
    own = grow_towards(one, 20, 20) & ~houses
    assert found.core[own].mean() > 0.97
    assert not (found.hole & houses & ~one).any()


def test_a_shadow_on_a_bright_lane_goes_too():
    """On a lane half as bright again as the meadow, a shadow is hardly darker than the meadow."""
    image = meadow(11, 400).astype(float)
    image[:, :, 230:300] *= 1.45
    house = np.zeros((400, 400), bool)
    house[180:220, 170:225] = True
    shade = grow_towards(house, 0, 45) & ~house
    image[:, shade] *= 0.55
    image[:, house] = 180
    grey = luminance(np.clip(image, 0, 255).astype(np.uint8))
    around = Surroundings(
        grey=grey,
        light=relative_light(grey, ~grow(house, 6), 0.15),
        valid=house | ~house,
        buildings=house,
        pixel_m=0.15,
        shadow=Shadow(down=0.0, across=1.0, contrast=20.0),
    )
    found = cover(house, house & ~house, lit_ground(around), around)
    lane = shade.copy()
    lane[:, :235] = False
    assert grey[lane].mean() > 0.75 * grey[:, :150].mean()
    assert found.core[lane].mean() > 0.97
    assert found.core[:, 290:].mean() < 0.05


def test_a_neighbours_shadow_stays():
    image = meadow(12, 400).astype(float)
    houses = np.zeros((400, 400), bool)
    houses[200:230, 100:140] = houses[200:230, 240:280] = True
    image[:, grow_towards(houses, 30, 0) & ~houses] *= 0.45
    grey = luminance(image.astype(np.uint8))
    shadow = find_shadow([shadow_profile(grey, houses, houses | ~houses, 0.2)])
    around = Surroundings(
        grey=grey,
        light=relative_light(grey, ~grow(houses, 6), 0.2),
        valid=houses | ~houses,
        buildings=houses,
        pixel_m=0.2,
        shadow=shadow,
    )
    one = np.zeros_like(houses)
    one[200:230, 100:140] = True
    found = cover(one, houses & ~one, lit_ground(around), around)
    assert found.core[232:255, 102:138].mean() > 0.97
    assert not found.core[:, 230:].any()


def lorry(image, row, col):
    image[:, row : row + 18, col : col + 42] = np.array([220, 220, 235], np.uint8)[:, None, None]
    image[:, row : row + 18, col + 42 : col + 50] = np.array([30, 40, 90], np.uint8)[:, None, None]


def test_a_lorry_is_not_laid_into_the_hole():
    image, (_core, skirt, hole) = meadow(4), house()
    for row in (20, 70, 230, 270):
        for col in (10, 80, 150, 220):
            lorry(image, row, col)
    valid = np.ones_like(hole)
    odd = salience(image, valid, 0.15)
    rough = roughness(image.astype(np.float32), valid, 0.15)
    plain, limit = plain_ground(odd, rough, ~grow(hole, 2), 0.15)
    assert not plain[25:33, 15:50].any()
    assert plain.mean() > 0.3
    ground = Ground(free=plain & ~hole, rim=~hole, odd=odd, pixel_m=0.15)
    filled = fill(image, hole, ground, np.random.default_rng(2), skirt=skirt)
    assert filled is not None
    assert not shows_object(salience(filled, valid, 0.15), hole & ~skirt, limit, 0.15)
    assert filled[:, hole & ~skirt].max() < 215


def test_what_lies_alone_in_a_filling_is_seen_and_what_goes_on_outside_is_not():
    image, (core, _skirt, _hole) = meadow(4), house()
    valid = np.ones_like(core)
    odd = salience(image, valid, 0.15)
    rough = roughness(image.astype(np.float32), valid, 0.15)
    _plain, limit = plain_ground(odd, rough, ~core, 0.15)
    assert not shows_object(odd, core, limit, 0.15)
    inside, across = image.copy(), image.copy()
    lorry(inside, 140, 125)
    across[:, 146:152, :] = 240  # a wall from edge to edge
    assert shows_object(salience(inside, valid, 0.15), core, limit, 0.15)
    assert not shows_object(salience(across, valid, 0.15), core, limit, 0.15)


def test_without_shadows_no_direction_is_made_up():
    houses = np.zeros((200, 200), bool)
    houses[80:120, 80:120] = True
    grey = np.full((200, 200), 120.0, np.float32)
    assert find_shadow([shadow_profile(grey, houses, ~houses | houses, 0.2)]).contrast == 0
