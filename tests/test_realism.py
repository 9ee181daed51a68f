"""The statistics of pictures, against pictures made to have them."""

import math

import cv2
import numpy as np
import pytest
from shapely import box
from shapely.affinity import rotate

from benchmarks.appearance import (
    describe,
    edge_rise_px,
    lab_of,
    noise_of,
    octave_contrast,
    resampled,
    shadow_mask,
    spectral_slope,
)
from benchmarks.pictures import GroundPicture, at_pixel, tiled
from benchmarks.realism import compare, describe_all, mean_distance, outline_sizes, quantiles, table

PIXEL_M = 0.1


def power_law(exponent: float, side: int, seed: int = 0) -> np.ndarray:
    """Return noise whose power falls with the given power of frequency."""
    rng = np.random.default_rng(seed)
    reach = np.hypot(np.fft.fftfreq(side)[:, None], np.fft.fftfreq(side)[None, :])
    reach[0, 0] = 1
    waves = np.fft.fft2(rng.standard_normal((side, side))) * reach ** (exponent / 2)
    return np.fft.ifft2(waves).real.astype(np.float32)


def leaning_step(sigma_px: float, contrast: float = 60.0) -> np.ndarray:
    """Return a straight edge at 17 degrees, blurred by a Gaussian."""
    row, col = np.indices((200, 200))
    turn = math.radians(17)
    away = (col - 100) * math.cos(turn) + (row - 100) * math.sin(turn)
    step = np.vectorize(math.erf)(away / sigma_px / math.sqrt(2))
    return (20 + contrast * (1 + step) / 2).astype(np.float32)


def textured(seed: int, spread: float) -> np.ndarray:
    rng = np.random.default_rng(seed)
    noise = cv2.GaussianBlur(rng.standard_normal((160, 160)).astype(np.float32), (0, 0), 1)
    grey = np.clip(120 + spread * noise, 0, 255)
    return np.stack([grey, grey, 0.9 * grey]).astype(np.uint8)


@pytest.mark.parametrize("exponent", [-1.0, -2.0, -3.0])
def test_slope_of_power_law_noise(exponent):
    slope, _ = spectral_slope(power_law(exponent, 512), PIXEL_M)
    assert slope == pytest.approx(exponent, abs=0.1)


def test_level_is_the_density_at_one_metre():
    # White noise of variance v has a density of v times the area of a pixel, at any wavelength.
    white = 3 * np.random.default_rng(1).standard_normal((512, 512)).astype(np.float32)
    slope, level = spectral_slope(white, PIXEL_M)
    assert slope == pytest.approx(0, abs=0.05)
    assert 10**level == pytest.approx(9 * PIXEL_M**2, rel=0.1)


def test_a_wave_is_in_its_octave_alone():
    east = np.arange(512) * PIXEL_M
    wave = np.tile(4 * np.sin(2 * np.pi * east / 2.4), (512, 1)).astype(np.float32)
    bands = octave_contrast(wave, PIXEL_M)
    assert bands["rms_1.6_3.2m"] == pytest.approx(4 / math.sqrt(2), rel=0.05)
    assert bands["rms_0.4_0.8m"] < 0.02
    assert bands["rms_6.4_12.8m"] < 0.05


def test_bands_that_cannot_be_told_are_not_a_number():
    bands = octave_contrast(power_law(-2, 128), 0.5)
    assert math.isnan(bands["rms_0.4_0.8m"])
    assert math.isnan(bands["rms_12.8_25.6m"]) is (25.6 > 0.51 * 64)
    assert not math.isnan(bands["rms_1.6_3.2m"])


@pytest.mark.parametrize("sigma_px", [1.0, 1.5, 2.0])
def test_rise_of_a_blurred_edge(sigma_px):
    # From 10 to 90 % of a Gaussian step: twice its 90th percentile, 1.2816 sigma.
    rises = edge_rise_px(leaning_step(sigma_px))
    assert np.median(rises) == pytest.approx(2 * 1.2816 * sigma_px, rel=0.06)


def test_weak_edges_have_no_rise():
    assert edge_rise_px(leaning_step(1.0, contrast=8.0)).size == 0


def test_noise_of_a_flat_picture():
    rng = np.random.default_rng(2)
    lab = np.full((256, 256, 3), 50.0, np.float32)
    lab[..., 0] += 1.5 * rng.standard_normal((256, 256)).astype(np.float32)
    told = noise_of(lab)
    assert told["L_median_block"] == pytest.approx(1.5, rel=0.1)
    assert told["a_flat"] < 1e-4
    assert abs(told["neighbour_correlation"]) < 0.1
    assert told["jpeg_blocks"] < 0.1


def test_jpeg_shows_its_blocks():
    picture = cv2.GaussianBlur(20 * power_law(-2, 256) + 128, (0, 0), 1)
    _, coded = cv2.imencode(".jpg", picture.clip(0, 255), [cv2.IMWRITE_JPEG_QUALITY, 30])
    lossy = cv2.imdecode(coded, cv2.IMREAD_GRAYSCALE)
    plain, blocked = (
        noise_of(lab_of(np.stack([grey.astype(np.uint8)] * 3)))["jpeg_blocks"]
        for grey in (picture.clip(0, 255), lossy)
    )
    assert blocked > 0.1
    assert blocked > 2 * plain


def test_shadow_and_colour_of_a_known_picture():
    picture = np.full((3, 100, 100), 180, np.uint8)
    picture[:, :25] = 60  # 4.5 % of linear light, against 46 %
    told = describe(picture, PIXEL_M)
    assert shadow_mask(picture)[:24].all()
    assert told["tone.shadow_share"] == pytest.approx(0.25, abs=0.015)
    assert told["colour.near_grey"] == 1
    assert told["colour.hues_bits"] == 0
    assert told["colour.chroma_q99"] < 0.1
    assert told["tone.saturated"] == 0


def test_every_statistic_of_a_picture_is_finite():
    told = describe(np.concatenate([textured(s, 60)[:1] for s in (1, 2, 3)]), PIXEL_M)
    missing = {name for name, value in told.items() if math.isnan(value)}
    # 16 m hold no two waves of 12.8 to 25.6 m, and nothing here is in shadow.
    assert {name for name in missing if "shadow" not in name} <= {
        "texture.rms_12.8_25.6m",
        "texture.rms_6.4_12.8m",
    } | {f"contrast.std_in_8m_q{q}" for q in (10, 50, 90)}


def test_resampling_keeps_the_mean_and_refuses_to_invent():
    picture = textured(4, 40)
    small = resampled(picture, 0.1, 0.2)
    assert small.shape == (3, 80, 80)
    assert small.mean() == pytest.approx(picture.mean(), abs=0.5)
    assert resampled(picture, 0.1, 0.101) is picture
    with pytest.raises(ValueError, match="cannot be shown"):
        resampled(picture, 0.2, 0.1)


def test_distance_is_nil_between_like_and_large_between_unlike():
    real = [textured(seed, 30 + seed) for seed in range(20)]
    like = [textured(seed, 30 + seed - 100) for seed in range(100, 120)]
    flat = [textured(seed, 3) for seed in range(200, 210)]
    near, far = compare(real, like, PIXEL_M), compare(real, flat, PIXEL_M)
    assert mean_distance(near)["all"] < 0.5
    assert mean_distance(far)["texture"] > 5
    assert abs(far[0].distance) >= abs(far[-1].distance)
    by_name = {item.name: item for item in far}
    assert by_name["gradient.q50"].distance < -4
    assert by_name["gradient.q50"].inside == 0
    assert by_name["gradient.q50"].family == "gradient"
    assert table(far, rows=3).count("\n") == 4
    assert compare(describe_all(real, PIXEL_M), like, PIXEL_M) == near


def test_quantiles_pass_over_what_is_not_known():
    assert quantiles([math.nan, 2.0, 2.0]) == (2.0,) * 5
    assert all(math.isnan(value) for value in quantiles([math.nan]))


def test_sizes_of_a_known_outline():
    sizes = outline_sizes([rotate(box(0, 0, 12, 4), 30), rotate(box(0, 0, 12, 4), 80)])
    assert sizes["area_m2"][2] == pytest.approx(48)
    assert sizes["elongation"][2] == pytest.approx(3)
    assert sizes["rectangularity"][2] == pytest.approx(1)


def test_pictures_are_cut_and_brought_to_one_pixel():
    fine, coarse = (
        GroundPicture(name="x", kind="x", group="x", pixel_m=size, colours=textured(1, 20))
        for size in (0.1, 0.5)
    )
    kept = at_pixel([fine, coarse], 0.2)
    assert [picture.colours.shape for picture in kept] == [(3, 80, 80)]
    crops = list(tiled(kept, 32))
    assert len(crops) == 4
    assert (crops[3].colours == kept[0].colours[:, 32:64, 32:64]).all()
