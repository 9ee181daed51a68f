"""The way from the ground to a flight's pixels: displacement, blur, exposure, noise, collar."""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.ndimage import gaussian_filter1d, map_coordinates

from survey.simulation.canvas import Lattice
from survey.simulation.flights import AreaPlan, FlightPlan, Light, undo_displacement
from survey.simulation.moment import moment_of
from survey.simulation.palette import to_srgb
from survey.simulation.render import light_window, paint_window
from survey.simulation.scene import Scene
from survey.simulation.texture import hash_lattice, mix_seed, smooth_noise
from survey.windows import Window

__all__ = ["Frame", "image_frame", "render_image", "render_surface", "surface_frame"]

Floats = npt.NDArray[np.float64]
Singles = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]

# The inverse displacement is evaluated every 16 pixels and interpolated: over 1.3 m a warp of
# 0.5 m and 80 m wavelength bends by less than 1 mm.
_KNOT_PX = 16
# Sampling positions are rounded to 1/256 pixel, so that windows agree to the last bit.
_SUBPIXEL = 256.0
_BLUR_SIGMAS = 4.0
_COLLAR_M = 3.0
_NOISE_SPREAD = 6.0**0.5  # the sum of two uniform numbers has a variance of 1/6


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """The georeferenced pixel grid of a file, north up."""

    west: float
    """Easting of the left edge, metres."""
    north: float
    """Northing of the upper edge, metres."""
    pixel_m: float
    """Pixel, metres."""
    size: int
    """Pixels along each side."""

    @property
    def window(self) -> Window:
        """The whole frame."""
        return Window(row=0, col=0, height=self.size, width=self.size)

    def eastings(self, columns: Floats) -> Floats:
        """Give the eastings of column centres, metres."""
        return self.west + (columns + 0.5) * self.pixel_m

    def northings(self, rows: Floats) -> Floats:
        """Give the northings of row centres, metres."""
        return self.north - (rows + 0.5) * self.pixel_m


def image_frame(plan: AreaPlan, flight: FlightPlan) -> Frame:
    """Give the grid of a flight's orthophoto."""
    return _frame(plan, flight, plan.pixel_m)


def surface_frame(plan: AreaPlan, flight: FlightPlan) -> Frame:
    """Give the grid of a flight's surface model."""
    return _frame(plan, flight, plan.surface_pixel_m)


def _frame(plan: AreaPlan, flight: FlightPlan, pixel_m: float) -> Frame:
    return Frame(
        west=plan.west_m + flight.shift_east_m,
        north=plan.south_m + plan.side_m + flight.shift_north_m,
        pixel_m=pixel_m,
        size=round(plan.side_m / pixel_m),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Samples:
    """Where on a lattice of the scene the pixels of a window look."""

    lattice: Lattice
    """The part of the scene they look at, with a margin."""
    rows: Floats
    """Row positions within the lattice, shape of the window."""
    columns: Floats
    """Column positions within the lattice, shape of the window."""

    def take(self, image: Singles) -> Floats:
        """Interpolate an image of the lattice, shape (rows, columns), at the samples."""
        taken = map_coordinates(
            image, (self.rows, self.columns), output=np.float64, order=1, prefilter=False
        )
        return np.asarray(taken, dtype=np.float64)


def _knots(first: int, count: int) -> tuple[Floats, npt.NDArray[np.int64], Floats]:
    """Give knots that are anchored to the frame, and for each pixel its knot and weight."""
    pixels = np.arange(first, first + count)
    start = first // _KNOT_PX
    knots = np.arange(start, (first + count - 1) // _KNOT_PX + 2) * _KNOT_PX
    return knots.astype(np.float64), pixels // _KNOT_PX - start, (pixels % _KNOT_PX) / _KNOT_PX


def _spread(values: Floats, window: Window) -> Floats:
    """Interpolate values at knots to all pixels of a window."""
    _, row, down = _knots(window.row, window.height)
    _, column, across = _knots(window.col, window.width)
    lines = values[row] + (values[row + 1] - values[row]) * down[:, None]
    step = np.diff(lines, axis=1)
    return np.asarray(lines[:, column] + step[:, column] * across, dtype=np.float64)


def _aim(
    plan: AreaPlan,
    flight: FlightPlan,
    window: Window,
    *,
    frame: Frame,
    lattice_m: float,
    blur_px: float,
) -> _Samples:
    """Find where the pixels of a window look on the scene's lattice of `lattice_m`.

    The lattice reaches as far beyond them as a blur of `blur_px` looks.
    """
    rows, _, _ = _knots(window.row, window.height)
    columns, _, _ = _knots(window.col, window.width)
    seen_x, seen_y = np.meshgrid(frame.eastings(columns), frame.northings(rows))
    true_x, true_y = undo_displacement(flight, seen_x, seen_y)
    across = _spread((true_x - plan.west_m) / lattice_m - 0.5, window)
    down = _spread((plan.south_m - true_y) / lattice_m - 0.5, window)
    across, down = np.round(across * _SUBPIXEL) / _SUBPIXEL, np.round(down * _SUBPIXEL) / _SUBPIXEL
    margin = 3 + math.ceil(_BLUR_SIGMAS * blur_px)
    column, row = int(np.floor(across.min())) - margin, int(np.floor(down.min())) - margin
    lattice = Lattice(
        pixel_m=lattice_m,
        column=column,
        row=row,
        columns=int(np.ceil(across.max())) + margin + 1 - column,
        rows=int(np.ceil(down.max())) + margin + 1 - row,
    )
    return _Samples(lattice=lattice, rows=down - row, columns=across - column)


def _blur(image: Singles, sigma_px: float) -> Singles:
    if sigma_px <= 0.0:
        return image
    for axis in (0, 1):
        image = gaussian_filter1d(image, sigma_px, axis=axis, mode="nearest", truncate=_BLUR_SIGMAS)
    return np.asarray(image, dtype=np.float32)


def _noise(window: Window, seed: int) -> Floats:
    """Give noise of mean 0 and standard deviation 1 that depends on the pixel alone."""
    columns = np.arange(window.col, window.col + window.width)
    rows = np.arange(window.row, window.row + window.height)
    first = hash_lattice(columns, rows, mix_seed(seed, 1))
    first += hash_lattice(columns, rows, mix_seed(seed, 2))
    return np.asarray((first - 1.0) * _NOISE_SPREAD, dtype=np.float64)


def _seen(flight: FlightPlan, frame: Frame, window: Window) -> Mask:
    """Say where the mosaic has pixels: everywhere, or inside a ragged collar."""
    shape = (window.height, window.width)
    if flight.collar == "none":
        return np.ones(shape, dtype=np.bool_)
    columns = np.arange(window.col, window.col + window.width, dtype=np.float64)
    rows = np.arange(window.row, window.row + window.height, dtype=np.float64)
    x, y = (columns + 0.5) * frame.pixel_m, (rows + 0.5) * frame.pixel_m
    side = frame.size * frame.pixel_m
    edge = np.minimum(np.minimum(x, side - x)[None, :], np.minimum(y, side - y)[:, None])
    ragged = smooth_noise(x, y, 11.0, mix_seed(flight.seed, 31))
    ragged += 0.3 * smooth_noise(x, y, 2.0, mix_seed(flight.seed, 32))
    return np.asarray(edge > _COLLAR_M * (ragged - 0.25), dtype=np.bool_)


def _develop(light: Floats, band: int, camera: Light) -> Floats:
    """Turn light into grey values as the flight's camera sees it."""
    balance = (camera.red, 1.0, camera.blue)[band] * camera.exposure
    lit = light * (balance * (1.0 - camera.haze)) + camera.haze
    return to_srgb(lit.astype(np.float32))


def render_image(
    plan: AreaPlan, scene: Scene, flight: FlightPlan, window: Window
) -> tuple[npt.NDArray[np.uint8], Mask]:
    """Render one window of a flight's orthophoto.

    Parameters
    ----------
    plan
        The area.
    scene
        What is there.
    flight
        One of the plan's flights.
    window
        Rows and columns of `image_frame`.

    Returns
    -------
    tuple of numpy.ndarray
        Pixels, uint8, shape (3, height, width), and where they are valid, shape (height, width).
        A pixel has the same value in every window that holds it.
    """
    frame = image_frame(plan, flight)
    blur_px = flight.light.blur_px
    samples = _aim(plan, flight, window, frame=frame, lattice_m=plan.pixel_m, blur_px=blur_px)
    light = light_window(scene, moment_of(flight), flight.light, samples.lattice)
    shared = _noise(window, flight.seed) * (0.85 * flight.light.noise)
    seen = _seen(flight, frame, window)
    pixels = np.zeros((3, window.height, window.width), dtype=np.uint8)
    for band in range(3):
        grey = _develop(samples.take(_blur(light[band], blur_px)), band, flight.light)
        own = _noise(window, mix_seed(flight.seed, band, 7)) * (0.5 * flight.light.noise)
        grey = np.clip(np.floor(grey + shared + own + 0.5), 1.0, 255.0)
        pixels[band] = np.where(seen, grey, 0.0).astype(np.uint8)
    return pixels, seen


def render_surface(
    plan: AreaPlan, scene: Scene, flight: FlightPlan, window: Window
) -> tuple[Floats, Mask]:
    """Render one window of a flight's surface model.

    Parameters
    ----------
    plan
        The area.
    scene
        What is there.
    flight
        One of the plan's flights.
    window
        Rows and columns of `surface_frame`.

    Returns
    -------
    tuple of numpy.ndarray
        Heights in metres on the flight's own datum, and where they are valid; both of shape
        (height, width). A pixel has the same value in every window that holds it.
    """
    frame, error = surface_frame(plan, flight), flight.surface
    fine_m = plan.surface_pixel_m / 2.0
    blur_px = error.smoothing_m / fine_m
    samples = _aim(plan, flight, window, frame=frame, lattice_m=fine_m, blur_px=blur_px)
    canvas = paint_window(scene, moment_of(flight), samples.lattice)
    heights = samples.take(_blur(canvas.height, blur_px))
    columns = np.arange(window.col, window.col + window.width, dtype=np.float64)
    rows = np.arange(window.row, window.row + window.height, dtype=np.float64)
    east = frame.eastings(columns) - plan.west_m - plan.side_m / 2
    north = frame.northings(rows) - plan.south_m - plan.side_m / 2
    heights += error.datum_m + 1e-3 * (error.east_mm_per_m * east)[None, :]
    heights += 1e-3 * (error.north_mm_per_m * north)[:, None]
    swell = smooth_noise(frame.eastings(columns), frame.northings(rows), 1.5, flight.seed)
    heights += error.noise_m * (
        0.7 * _noise(window, mix_seed(flight.seed, 41)) + 2.4 * (swell - 0.5)
    )
    return heights, _seen(flight, frame, window)
