"""What a picture of ground looks like, in numbers: colour, tone, contrast, texture, edges, noise.

Every function takes one picture, uint8 (3, row, col) in sRGB, or its lightness, and where it
matters its ground pixel. Pictures can be held against each other only at equal ground pixel.
"""

import itertools
import math

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.stats import kurtosis

from survey.checks import _sharpness as sharpness_of  # the measure the tool itself warns by
from survey.reading import Picture

__all__ = [
    "OCTAVES_M",
    "colour_of",
    "contrast_of",
    "describe",
    "edge_rise_px",
    "edges_of",
    "gradient_of",
    "lab_of",
    "noise_of",
    "octave_contrast",
    "radial_power",
    "resampled",
    "shadow_mask",
    "spectral_slope",
    "texture_of",
    "tone_of",
]

Colours = NDArray[np.uint8]
Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]
Mask = NDArray[np.bool_]
Statistics = dict[str, float]

OCTAVES_M = (0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8, 25.6)
"""Limits of the bands of wavelength, metres."""
# A chroma under 6 reads as grey; JPEG and white balance move a grey roof by about as much.
_GREY = 6.0
_CHROMA_EDGES = (0.0, 2.0, 5.0, 10.0, 15.0, 20.0, 30.0, 45.0, 200.0)
_CHROMA_STEP, _CHROMA_REACH = 2.0, 80.0
# Sunlit ground is three to eight times as bright as its shadow at noon; 0.3 lies between.
_SHADOW_RATIO = 0.3
_BLOCK_PX = 16
_LOCAL_M = (0.5, 1.0, 2.0, 4.0, 8.0)
_PROFILE_PX, _PROFILE_STEP = 6.0, 0.25
_EDGES, _EDGE_CONTRAST = 1500, 12.0


def lab_of(colours: Colours) -> Floats:
    """Return CIE L*a*b* under D65, (row, col, 3)."""
    stacked = np.ascontiguousarray(np.moveaxis(colours, 0, -1), np.float32)
    return np.asarray(cv2.cvtColor(stacked / 255.0, cv2.COLOR_RGB2LAB), np.float32)


def resampled(colours: Colours, pixel_m: float, wanted_m: float) -> Colours:
    """Return a picture at a coarser ground pixel, averaged over areas.

    A difference under 3 % is left alone: resampling would soften more than it mends.

    Raises
    ------
    ValueError
        The wanted pixel is finer: detail that was not taken cannot be compared.
    """
    ratio = wanted_m / pixel_m
    if ratio < 0.97:
        raise ValueError(f"a picture of {pixel_m} m cannot be shown at {wanted_m} m")
    if ratio < 1.03:
        return colours
    size = [max(1, round(side / ratio)) for side in (colours.shape[2], colours.shape[1])]
    small = cv2.resize(np.moveaxis(colours, 0, -1), size, interpolation=cv2.INTER_AREA)
    return np.ascontiguousarray(np.moveaxis(small, -1, 0))


def describe(colours: Colours, pixel_m: float) -> Statistics:
    """Return every statistic of a picture, named ``family.statistic``; NaN where it cannot be told.

    Examples
    --------
    >>> grey = np.full((3, 64, 64), 119, np.uint8)
    >>> round(describe(grey, 0.1)["colour.L_mean"])
    50
    """
    lab = lab_of(colours)
    families: dict[str, Statistics] = {
        "colour": colour_of(lab),
        "tone": tone_of(colours, lab),
        "contrast": contrast_of(lab[..., 0], pixel_m),
        "gradient": gradient_of(lab[..., 0]),
        "texture": texture_of(lab[..., 0], pixel_m),
        "edges": edges_of(colours, lab[..., 0]),
        "noise": noise_of(lab),
    }
    return {f"{f}.{name}": float(v) for f, values in families.items() for name, v in values.items()}


def colour_of(lab: Floats) -> Statistics:
    """Return means, spreads, covariance and the distribution of chroma."""
    flat = lab.reshape(-1, 3).astype(np.float64)
    spread = np.cov(flat.T)
    chroma = np.hypot(flat[:, 1], flat[:, 2])
    told: Statistics = {}
    for index, name in enumerate("Lab"):
        told[f"{name}_mean"] = flat[:, index].mean()
        told[f"{name}_std"] = math.sqrt(spread[index, index])
    for one, other in ((0, 1), (0, 2), (1, 2)):
        told[f"cov_{'Lab'[one]}{'Lab'[other]}"] = spread[one, other]
    for share in (10, 50, 90, 99):
        told[f"chroma_q{share}"] = np.percentile(chroma, share)
    shares = np.histogram(chroma, _CHROMA_EDGES)[0] / chroma.size
    for low, value in zip(_CHROMA_EDGES, shares, strict=False):
        told[f"chroma_from_{low:.0f}"] = value
    told["near_grey"] = (chroma < _GREY).mean()
    bins = np.arange(-_CHROMA_REACH, _CHROMA_REACH + 1, _CHROMA_STEP)
    joint = np.histogram2d(flat[:, 1], flat[:, 2], (bins, bins))[0].ravel()
    filled = joint[joint > 0] / flat.shape[0]
    told["hues_bits"] = -(filled * np.log2(filled)).sum()
    return told


def _luminance(colours: Colours) -> Floats:
    """Return linear luminance, 0 to 1 (IEC 61966-2-1, Rec. 709 weights)."""
    scale = np.arange(256) / 255.0
    linear = np.where(scale <= 0.04045, scale / 12.92, ((scale + 0.055) / 1.055) ** 2.4)
    red, green, blue = linear.astype(np.float32)[colours]
    return np.asarray(0.2126 * red + 0.7152 * green + 0.0722 * blue, np.float32)


def shadow_mask(colours: Colours) -> Mask:
    """Return the pixels far darker than what the sun lights, (row, col).

    Dark roofs, asphalt and water pass for shadow as well: the share is an upper limit.
    """
    light = cv2.GaussianBlur(_luminance(colours), (0, 0), 1.0)
    lit = np.percentile(light, 75)
    return np.asarray(light < _SHADOW_RATIO * lit)


def tone_of(colours: Colours, lab: Floats) -> Statistics:
    """Return quantiles of lightness, and what is lost in shadow and in glare."""
    dark = shadow_mask(colours)
    light = lab[..., 0]
    told: Statistics = {f"L_q{q:02d}": float(np.percentile(light, q)) for q in (1, 10, 50, 90, 99)}
    told["saturated"] = (colours == 255).any(axis=0).mean()
    told["black"] = (colours == 0).any(axis=0).mean()
    told["shadow_share"] = dark.mean()
    # Under a hundredth there is no shadow to speak of.
    some = 0.01 < dark.mean() < 0.9
    told["shadow_L"] = light[dark].mean() if some else math.nan
    told["shadow_b_less_lit_b"] = (
        lab[dark][:, 2].mean() - lab[~dark][:, 2].mean() if some else math.nan
    )
    fine = np.abs(light - cv2.GaussianBlur(light, (0, 0), 2.0))
    told["shadow_detail_over_lit"] = fine[dark].mean() / fine[~dark].mean() if some else math.nan
    return told


def contrast_of(light: Floats, pixel_m: float) -> Statistics:
    """Return quantiles over the picture of the spread of lightness within small windows.

    A renderer that paints flat areas has a low tenth percentile at an ordinary median.
    """
    told: Statistics = {}
    for side_m in _LOCAL_M:
        side = max(2, round(side_m / pixel_m))
        if 2 * side > min(light.shape):
            spread = np.array([math.nan])
        else:
            mean = cv2.blur(light, (side, side))
            square = cv2.blur(light * light, (side, side))
            spread = np.sqrt(np.maximum(square - mean * mean, 0))
        for share in (10, 50, 90):
            told[f"std_in_{side_m:g}m_q{share}"] = np.percentile(spread, share)
    return told


def gradient_of(light: Floats) -> Statistics:
    """Return the distribution of gradients of lightness, L* per pixel."""
    across = cv2.Sobel(light, cv2.CV_32F, 1, 0, scale=1 / 8)
    down = cv2.Sobel(light, cv2.CV_32F, 0, 1, scale=1 / 8)
    steep = np.hypot(across, down)
    told: Statistics = {f"q{q}": np.percentile(steep, q) for q in (10, 25, 50, 75, 90, 99)}
    # 3 for a normal distribution; natural pictures lie far above, flat paint with sharp rims more.
    told["kurtosis"] = float(kurtosis(across, axis=None, fisher=False))
    told["over_mean_q99"] = told["q99"] / max(float(steep.mean()), 1e-6)
    turned = steep**2 * np.exp(4j * np.arctan2(down, across))
    told["right_angles"] = abs(turned.sum()) / max(float((steep**2).sum()), 1e-6)
    return told


def _power(light: Floats, pixel_m: float) -> tuple[Doubles, Doubles]:
    """Return cycles per metre and power, which sums to the variance, of every wave of a picture."""
    rows, cols = light.shape
    taper = np.outer(np.hanning(rows), np.hanning(cols))
    level = (light * taper).sum() / taper.sum()
    power = np.abs(np.fft.fft2((light - level) * taper)) ** 2
    power /= (taper**2).sum() * light.size
    cycles = np.hypot(
        np.fft.fftfreq(rows, pixel_m)[:, None], np.fft.fftfreq(cols, pixel_m)[None, :]
    )
    return cycles, np.asarray(power, np.float64)


def octave_contrast(light: Floats, pixel_m: float) -> Statistics:
    """Return the RMS contrast of lightness in every octave of wavelength, L*.

    Bands finer than two pixels, or coarser than half the picture, are NaN; the band that holds two
    pixels is cut there and comparable only at equal pixel.
    """
    cycles, power = _power(light, pixel_m)
    told: Statistics = {}
    for low, high in itertools.pairwise(OCTAVES_M):
        waves = (cycles > 1 / high) & (cycles <= 1 / low)
        told_here = high > 2 * pixel_m and high <= 0.51 * min(light.shape) * pixel_m
        told[f"rms_{low:g}_{high:g}m"] = (
            math.sqrt(float(power[waves].sum())) if told_here else math.nan
        )
    return told


def radial_power(light: Floats, pixel_m: float) -> tuple[Doubles, Doubles]:
    """Return wavelengths, metres, and mean power density there, L*2 m2, a quarter octave apart."""
    cycles, power = _power(light, pixel_m)
    density = power * light.size * pixel_m**2
    finest, coarsest = 1 / (2.5 * pixel_m), 4 / (min(light.shape) * pixel_m)
    count = max(2, 1 + int(4 * math.log2(finest / coarsest)))
    edges = np.geomspace(coarsest, finest, count)
    index = np.digitize(cycles.ravel(), edges)
    weight = np.bincount(index, minlength=count + 1)[1:count]
    total = np.bincount(index, density.ravel(), minlength=count + 1)[1:count]
    filled = weight > 0
    middle = np.sqrt(edges[:-1] * edges[1:])
    return 1 / middle[filled], total[filled] / weight[filled]


def spectral_slope(light: Floats, pixel_m: float) -> tuple[float, float]:
    """Return the exponent of the power spectrum, and log10 of its density at a wave of 1 m.

    Natural scenes have an exponent near -2 (Field 1987); flat areas with sharp rims have -3.
    """
    waves, density = radial_power(light, pixel_m)
    if waves.size < 3:
        return math.nan, math.nan
    slope, level = np.polyfit(np.log10(1 / waves), np.log10(np.maximum(density, 1e-12)), 1)
    return float(slope), float(level)


def texture_of(light: Floats, pixel_m: float) -> Statistics:
    """Return contrast by octave of wavelength, and slope and level of the power spectrum."""
    slope, level = spectral_slope(light, pixel_m)
    return octave_contrast(light, pixel_m) | {"slope": slope, "log10_level_1m": level}


def _strong_edges(light: Floats) -> tuple[Doubles, Doubles, Doubles, Doubles]:
    """Return (row, col) and unit direction uphill of the crests of the steepest slopes."""
    smooth = cv2.GaussianBlur(light, (0, 0), 0.8)
    across = cv2.Sobel(smooth, cv2.CV_32F, 1, 0, scale=1 / 8)
    down = cv2.Sobel(smooth, cv2.CV_32F, 0, 1, scale=1 / 8)
    steep = np.hypot(across, down)
    reach = math.ceil(_PROFILE_PX)
    crest = steep >= np.percentile(steep, 97)
    crest &= steep > 0.5  # L* per pixel: flatter than that is texture, whatever its rank
    crest[:reach], crest[-reach:], crest[:, :reach], crest[:, -reach:] = (False,) * 4
    rows, cols = np.nonzero(crest)
    way = np.stack([down, across])[:, rows, cols] / steep[rows, cols]
    ahead = steep[np.rint(rows + way[0]).astype(int), np.rint(cols + way[1]).astype(int)]
    behind = steep[np.rint(rows - way[0]).astype(int), np.rint(cols - way[1]).astype(int)]
    top = np.flatnonzero((steep[rows, cols] >= ahead) & (steep[rows, cols] >= behind))
    top = top[:: max(1, top.size // _EDGES)]
    return (
        rows[top].astype(float),
        cols[top].astype(float),
        way[0, top].astype(float),
        way[1, top].astype(float),
    )


def edge_rise_px(light: Floats) -> Doubles:
    """Return the way from 10 to 90 % of the rise across each strong edge, pixels.

    A step blurred by a Gaussian of sigma pixels has 2.56 sigma. The rise runs as far as lightness
    keeps going up; edges of less than 12 L* are left out.
    """
    rows, cols, down, right = _strong_edges(light)
    along = np.arange(-_PROFILE_PX, _PROFILE_PX + 1e-9, _PROFILE_STEP)
    if not rows.size:
        return np.zeros(0)
    row = (rows[:, None] + down[:, None] * along).astype(np.float32)
    col = (cols[:, None] + right[:, None] * along).astype(np.float32)
    profile = cv2.remap(light, col, row, cv2.INTER_CUBIC).astype(np.float64)
    step = np.diff(profile, axis=1)
    rising = step > 0.03 * step.max(axis=1, keepdims=True)
    middle = along.size // 2
    kept = np.concatenate(
        [
            np.logical_and.accumulate(rising[:, :middle][:, ::-1], axis=1)[:, ::-1],
            np.logical_and.accumulate(rising[:, middle:], axis=1),
        ],
        axis=1,
    )
    rise = np.where(kept, step, 0)
    total = rise.sum(axis=1, keepdims=True)
    done = np.cumsum(rise, axis=1) / np.maximum(total, 1e-9)
    before = done - rise / np.maximum(total, 1e-9)
    part = np.clip(done, 0.1, 0.9) - np.clip(before, 0.1, 0.9)
    length = _PROFILE_STEP * (part * total / np.where(kept, np.maximum(step, 1e-9), 1)).sum(axis=1)
    return np.asarray(length[total[:, 0] >= _EDGE_CONTRAST], np.float64)


def edges_of(colours: Colours, light: Floats) -> Statistics:
    """Return how sharp the strongest edges are, and the sharpness the tool itself measures."""
    rises = edge_rise_px(light)
    enough = rises.size >= 20
    told: Statistics = {
        f"rise_px_q{q}": np.percentile(rises, q) if enough else math.nan for q in (10, 50, 90)
    }
    picture = Picture(colour=colours, valid=np.ones(light.shape, bool))
    sharp = sharpness_of(picture)
    told["sharpness"] = math.nan if sharp is None else sharp
    return told


def _blocks(values: Floats) -> Floats:
    """Cut (row, col) into square blocks, (block, row, col)."""
    rows, cols = (side // _BLOCK_PX for side in values.shape)
    cut = values[: rows * _BLOCK_PX, : cols * _BLOCK_PX]
    cut = cut.reshape(rows, _BLOCK_PX, cols, _BLOCK_PX).swapaxes(1, 2)
    return cut.reshape(-1, _BLOCK_PX, _BLOCK_PX)


def _filtered(values: Floats, mask: Doubles) -> Floats:
    return np.asarray(cv2.filter2D(values, -1, mask), np.float32)


def noise_of(lab: Floats) -> Statistics:
    """Return the noise of the flattest twentieth of the blocks, and the marks of JPEG.

    Noise is measured by a filter that no plane and no straight edge passes (Immerkaer 1996).
    """
    mask = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]]) / 6
    told: Statistics = {}
    light = _blocks(_filtered(lab[..., 0], mask))
    spreads = np.sqrt((light**2).mean(axis=(1, 2)))
    flat = spreads <= np.percentile(spreads, 5)
    told["L_flat"] = float(np.median(spreads[flat]))
    told["L_median_block"] = float(np.median(spreads))
    for index, name in ((1, "a"), (2, "b")):
        blocks = _blocks(_filtered(lab[..., index], mask))[flat]
        told[f"{name}_flat"] = float(np.sqrt((blocks**2).mean()))
    still = _blocks(lab[..., 0])[flat]
    rest = still - still.mean(axis=(1, 2), keepdims=True)
    told["neighbour_correlation"] = float(
        (rest[:, :, 1:] * rest[:, :, :-1]).mean() / max(float((rest**2).mean()), 1e-9)
    )
    told["jpeg_blocks"] = _blockiness(lab[..., 0])
    return told


def _blockiness(light: Floats) -> float:
    """Return how much the strongest of eight column phases jumps over the middle one, minus 1."""
    jumps = np.abs(light[:, 1:-2] - light[:, 2:-1])
    around = (np.abs(light[:, :-3] - light[:, 1:-2]) + np.abs(light[:, 2:-1] - light[:, 3:])) / 2
    excess = (jumps - around).mean(axis=0)
    if excess.size < 16:
        return math.nan
    phases = np.array([excess[phase::8].mean() for phase in range(8)])
    return float((phases.max() - np.median(phases)) / max(float(jumps.mean()), 1e-6))
