"""Copies of a picture under a known warp, and what makes them hard to match. Pure.

Everything lives on one plane: the pixels of the picture the copy is made of, as (col, row) of pixel
centres. A copy shows at q what the picture shows at ``Warp.source(q)``; what the picture shows at p
the copy shows at ``Warp.target(p)``. Masks and leans are kept every ``LATTICE_PX`` pixels.
"""

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = [
    "LATTICE_PX",
    "Leans",
    "Warp",
    "Wave",
    "blobs",
    "crowns",
    "draw_warp",
    "noisy",
    "on_lattice",
    "ragged",
    "relit",
    "resample",
    "seasoned",
    "shadows_moved",
]

Floats = NDArray[np.float64]
Singles = NDArray[np.float32]
Colours = NDArray[np.uint8]
Mask = NDArray[np.bool_]

LATTICE_PX = 4
"""Distance of the nodes of masks and leans, pixels."""

# Wavelengths of the local warp, pixels; those of the co-registration trials.
_LENGTHS_PX = (500.0, 2000.0)
_WAVES = 4
# The inverse converges by the steepest slope per round: 0.3 at 15 px, and 5 degrees more.
_ROUNDS, _NEAR_PX = 60, 1e-5
_ROWS = 256  # rows warped at a time
_LUMA = np.array([0.299, 0.587, 0.114], np.float32)  # ITU-R BT.601


@dataclass(frozen=True, slots=True, kw_only=True)
class Wave:
    """One plane wave of the local warp."""

    col_px: float
    """Amplitude along rows, pixels."""
    row_px: float
    """Amplitude along columns, pixels."""
    length_px: float
    """Wavelength, pixels."""
    bearing: float
    """Direction in which it runs, radians."""
    phase: float
    """Phase at the plane's first pixel, radians."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Warp:
    """Where on the picture a copy of it looks."""

    center: tuple[float, float]
    """(col, row) of the centre of turn and stretch."""
    shift: tuple[float, float]
    """(col, row) added, pixels."""
    turn: float = 0.0
    """Rotation about the centre, radians."""
    stretch: float = 1.0
    """Scale about the centre."""
    waves: tuple[Wave, ...] = ()
    """The smooth local warp."""

    def source(self, cols: Floats, rows: Floats) -> tuple[Floats, Floats]:
        """Return where on the picture the copy looks at (cols, rows)."""
        u, v = cols - self.center[0], rows - self.center[1]
        along, across = self.stretch * math.cos(self.turn), self.stretch * math.sin(self.turn)
        found_col = self.center[0] + self.shift[0] + along * u - across * v
        found_row = self.center[1] + self.shift[1] + across * u + along * v
        for wave in self.waves:
            way = (math.cos(wave.bearing) * cols + math.sin(wave.bearing) * rows) / wave.length_px
            swing = np.sin(2.0 * math.pi * way + wave.phase)
            found_col = found_col + wave.col_px * swing
            found_row = found_row + wave.row_px * swing
        return found_col, found_row

    def target(self, cols: Floats, rows: Floats) -> tuple[Floats, Floats]:
        """Return where the copy shows what the picture shows at (cols, rows), to 0.00001 px.

        Raises
        ------
        ValueError
            The warp folds: no place is the only one.
        """
        at_col, at_row = cols - self.shift[0], rows - self.shift[1]
        for _ in range(_ROUNDS):
            found_col, found_row = self.source(at_col, at_row)
            off_col, off_row = cols - found_col, rows - found_row
            at_col, at_row = at_col + off_col, at_row + off_row
            if max(np.abs(off_col).max(initial=0.0), np.abs(off_row).max(initial=0.0)) < _NEAR_PX:
                return at_col, at_row
        raise ValueError(f"a warp that folds: {self}")


def draw_warp(
    rng: np.random.Generator,
    size: tuple[int, int],
    *,
    shift_px: float,
    warp_px: float,
    turn_deg: float = 0.0,
    stretch: float = 1.0,
) -> Warp:
    """Draw a warp of a plane of (rows, cols): the direction of its shift, and its waves.

    The waves together reach ``warp_px`` at the most, somewhere on the plane.
    """
    way = rng.uniform(0.0, 2.0 * math.pi)
    waves = tuple(
        Wave(
            col_px=float(rng.normal()),
            row_px=float(rng.normal()),
            length_px=float(rng.uniform(*_LENGTHS_PX)),
            bearing=float(rng.uniform(0.0, 2.0 * math.pi)),
            phase=float(rng.uniform(0.0, 2.0 * math.pi)),
        )
        for _ in range(_WAVES)
    )
    bare = Warp(center=(size[1] / 2, size[0] / 2), shift=(0.0, 0.0), waves=waves)
    cols, rows = np.meshgrid(np.linspace(0, size[1], 65), np.linspace(0, size[0], 65))
    moved_col, moved_row = bare.source(cols, rows)
    factor = warp_px / float(np.hypot(moved_col - cols, moved_row - rows).max())
    return Warp(
        center=bare.center,
        shift=(shift_px * math.cos(way), shift_px * math.sin(way)),
        turn=math.radians(turn_deg),
        stretch=stretch,
        waves=tuple(_scaled(wave, factor) for wave in waves),
    )


def _scaled(wave: Wave, factor: float) -> Wave:
    return Wave(
        col_px=wave.col_px * factor,
        row_px=wave.row_px * factor,
        length_px=wave.length_px,
        bearing=wave.bearing,
        phase=wave.phase,
    )


def _nodes(size: tuple[int, int]) -> tuple[int, int]:
    return -(-size[0] // LATTICE_PX) + 1, -(-size[1] // LATTICE_PX) + 1


def on_lattice(values: Mask | Singles, cols: Floats, rows: Floats) -> Singles:
    """Interpolate what is kept on the lattice at places of the plane; held constant beyond."""
    found = cv2.remap(
        values.astype(np.float32),
        (cols / LATTICE_PX).astype(np.float32),
        (rows / LATTICE_PX).astype(np.float32),
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return np.asarray(found, np.float32)


def _smooth_noise(rng: np.random.Generator, size: tuple[int, int], reach_px: float) -> Singles:
    """Return noise of mean 0 and deviation 1 on the lattice, smooth over ``reach_px``."""
    rows, cols = _nodes(size)
    # Smoothed on a raster of its own, fine enough for the reach, and enlarged.
    step = max(1.0, reach_px / LATTICE_PX / 4.0)
    small = rng.standard_normal((math.ceil(rows / step) + 24, math.ceil(cols / step) + 24))
    sigma = reach_px / LATTICE_PX / step
    soft = cv2.GaussianBlur(small.astype(np.float32), (0, 0), sigma)[12:-12, 12:-12]
    grown = cv2.resize(soft, (cols, rows), interpolation=cv2.INTER_CUBIC)
    return np.asarray((grown - grown.mean()) / max(float(grown.std()), 1e-9), np.float32)


def blobs(
    rng: np.random.Generator, size: tuple[int, int], *, share: float, reach_px: float
) -> Mask:
    """Draw patches that cover a share of a plane of (rows, cols), on the lattice."""
    noise = _smooth_noise(rng, size, reach_px)
    return np.asarray(noise > np.quantile(noise, 1.0 - share), bool)


def ragged(rng: np.random.Generator, size: tuple[int, int], *, depth_px: float) -> Mask:
    """Draw where a mosaic shows ground: not within a ragged edge, on the lattice."""
    rows, cols = _nodes(size)
    down, across = np.arange(rows)[:, None], np.arange(cols)[None]
    inside = np.minimum(
        np.minimum(down, size[0] // LATTICE_PX - down),
        np.minimum(across, size[1] // LATTICE_PX - across),
    )
    edge = np.clip(0.5 + 0.25 * _smooth_noise(rng, size, depth_px / 2), 0.0, 1.0)
    return np.asarray(inside * LATTICE_PX >= edge * depth_px, bool)


@dataclass(frozen=True, slots=True, kw_only=True)
class Leans:
    """What stands above the ground and is seen from elsewhere, on the lattice."""

    cols: Singles
    """How far it is displaced along rows, pixels."""
    rows: Singles
    """How far it is displaced along columns, pixels."""
    tall: Mask
    """True where it stands or is displaced to."""


def crowns(
    rng: np.random.Generator,
    size: tuple[int, int],
    *,
    share: float,
    radius_px: tuple[float, float],
    lean_px: float,
) -> Leans:
    """Draw crowns that lean: domes in groves, leaning alike where they stand together.

    Parameters
    ----------
    rng
        Draws them.
    size
        Of the plane, (rows, cols).
    share
        Of the plane that groves cover.
    radius_px
        Smallest and largest radius of a crown, pixels.
    lean_px
        Largest displacement of a crown's top, pixels.
    """
    grove = blobs(rng, size, share=share, reach_px=80.0)
    bearing = _smooth_noise(rng, size, 300.0) * np.float32(1.5)
    cols, rows = np.zeros(grove.shape, np.float32), np.zeros(grove.shape, np.float32)
    tall = np.zeros(grove.shape, bool)
    apart = (radius_px[0] + radius_px[1]) * 0.7 / LATTICE_PX
    for row in np.arange(apart, grove.shape[0] - 1, apart):
        for col in np.arange(apart, grove.shape[1] - 1, apart):
            spot = rng.uniform(-0.3, 0.3, 2) * apart + (row, col)
            radius, top = rng.uniform(*radius_px) / LATTICE_PX, rng.uniform(0.3, 1.0) * lean_px
            at = tuple(np.clip(spot, 0, np.array(grove.shape) - 1).astype(int))
            if not grove[at]:
                continue
            _raise_crown((cols, rows, tall), spot, radius, (top, float(bearing[at])))
    # The ground a leaning crown hides lies as far beyond its foot as it leans.
    beyond = np.ones((2 * math.ceil(lean_px / LATTICE_PX) + 1,) * 2, np.uint8)
    wide = cv2.dilate(tall.astype(np.uint8), beyond) > 0
    return Leans(cols=cols, rows=rows, tall=np.asarray(wide, bool))


def _raise_crown(
    leans: tuple[Singles, Singles, Mask], spot: Floats, radius: float, lean: tuple[float, float]
) -> None:
    """Let one crown lean: nothing at its rim, most at its middle."""
    reach = math.ceil(radius) + 1
    row, col = (max(0, int(v) - reach) for v in spot)
    part = slice(row, int(spot[0]) + reach + 1), slice(col, int(spot[1]) + reach + 1)
    shape = leans[0][part].shape
    down = np.arange(row, row + shape[0])[:, None] - spot[0]
    across = np.arange(col, col + shape[1])[None] - spot[1]
    dome = np.clip(1.0 - (down**2 + across**2) / radius**2, 0.0, 1.0).astype(np.float32)
    higher = dome > 0
    leans[0][part][higher] = (dome * np.float32(lean[0] * math.cos(lean[1])))[higher]
    leans[1][part][higher] = (dome * np.float32(lean[0] * math.sin(lean[1])))[higher]
    leans[2][part] |= higher


def resample(colours: Colours, cols: Singles, rows: Singles) -> Colours:
    """Look at a picture, (row, col, 3), at places: cubic, black beyond it.

    OpenCV places a sample to 1/32 px, so single samples are up to 0.016 px off the truth told.
    """
    found = np.empty((*cols.shape, 3), np.uint8)
    for first in range(0, cols.shape[0], _ROWS):
        part = slice(first, first + _ROWS)
        found[part] = cv2.remap(colours, cols[part], rows[part], cv2.INTER_CUBIC)
    return found


def _clipped(values: Singles) -> Colours:
    return np.clip(values + np.float32(0.5), 0, 255).astype(np.uint8)


def relit(rng: np.random.Generator, colours: Colours, *, strength: float) -> Colours:
    """Give a picture another exposure, white balance, tone curve and a gradient of light."""
    height, width = colours.shape[:2]
    gain = 1.0 + strength * rng.uniform(-0.3, 0.3) + strength * rng.uniform(-0.1, 0.1, 3)
    gamma = math.exp(strength * rng.uniform(-0.4, 0.4))
    levels = np.linspace(0.0, 1.0, 256)[:, None] ** gamma * gain * 255.0
    tables = np.clip(levels + 0.5, 0, 255).astype(np.uint8).reshape(256, 1, 3)
    slope = rng.uniform(-0.15, 0.15, 2) * strength
    across = np.linspace(-slope[0], slope[0], width, dtype=np.float32)[None, :, None]
    down = np.linspace(-slope[1], slope[1], height, dtype=np.float32)[:, None, None]
    return _clipped(cv2.LUT(colours, tables).astype(np.float32) * (1.0 + across + down))


def shadows_moved(
    rng: np.random.Generator, colours: Colours, *, reach_px: tuple[float, float]
) -> Colours:
    """Lighten what is darkest and darken the ground beside it, as under another sun."""
    luma = cv2.GaussianBlur(colours.astype(np.float32) @ _LUMA, (0, 0), 2.0)
    seen = luma[::8, ::8]
    darkest = np.quantile(seen[seen > 0], 0.12) if (seen > 0).any() else 0.0
    shade = cv2.GaussianBlur((luma < darkest).astype(np.float32), (0, 0), 1.5)
    reach, way = rng.uniform(*reach_px), rng.uniform(0.0, 2.0 * math.pi)
    moved = np.array(
        [[1.0, 0.0, reach * math.cos(way)], [0.0, 1.0, reach * math.sin(way)]], np.float64
    )
    fallen = cv2.warpAffine(shade, moved, shade.shape[::-1])
    light = (1.0 + 0.8 * shade) * (1.0 - 0.5 * fallen * (1.0 - shade))
    return _clipped(colours.astype(np.float32) * light[..., None])


def seasoned(rng: np.random.Generator, colours: Colours, *, strength: float) -> Colours:
    """Turn what is green brown, and invert the contrast of some fields."""
    values = colours.astype(np.float32)
    luma = values @ _LUMA
    green = 2.0 * values[..., 1] - values[..., 0] - values[..., 2]
    leafy = strength * np.clip((cv2.GaussianBlur(green, (0, 0), 2.0) - 5.0) / 20.0, 0.0, 1.0)
    brown = luma[..., None] * np.array([1.15, 0.98, 0.68], np.float32) + 12.0
    values += leafy[..., None] * (brown - values)
    height, width = luma.shape
    fields = blobs(rng, (height, width), share=0.3 * strength, reach_px=60.0)
    where = cv2.resize(fields.astype(np.float32), (width, height), interpolation=cv2.INTER_LINEAR)
    mean = cv2.GaussianBlur(values, (0, 0), 20.0)
    values += (1.6 * where)[..., None] * (mean - values)
    return _clipped(values)


def noisy(rng: np.random.Generator, colours: Colours, *, sigma: float) -> Colours:
    """Add noise of a standard deviation in grey values, mostly shared by the colours."""
    noise = rng.standard_normal(colours.shape[:2], dtype=np.float32)[..., None]
    own = rng.standard_normal(colours.shape, dtype=np.float32)
    return _clipped(colours + np.float32(sigma) * (0.9 * noise + np.float32(0.44) * own))
