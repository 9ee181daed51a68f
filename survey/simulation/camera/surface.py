"""From the scene's heights to a flight's surface model, with what photogrammetry makes of them."""

import math

import cv2
import numpy as np
import numpy.typing as npt

from survey.simulation.camera.aim import Samples, aim, shared_slices, surface_frame, tiles_in
from survey.simulation.camera.mosaic import seen_in
from survey.simulation.camera.render import paint_window
from survey.simulation.camera.view import View
from survey.simulation.flights import SurfaceError
from survey.simulation.painting.texture import fractal, mix_seed, speckle
from survey.windows import Window

__all__ = ["render_surface"]

Floats = npt.NDArray[np.float64]
Singles = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]

_TILE_PX = 512
_FINER = 2.0  # the scene is looked at in half pixels of the surface model
_SIGMAS = 3.0
_BRIDGED = 0.65  # how far a gap that is bridged fills up, share of its depth
_WANDER_M = 0.12  # how far matching misplaces edges, metres; most where heights jump
_SWELL = (12.0, 1.0)  # wavelengths of the noise that matching leaves, metres
_BLUNDER = (9.0, 1.0)  # wavelengths of the heights matched on water and glass, metres
_GLASSY = 0.35
_LOST = 1.0  # standard deviations of its blunders beyond which water has no height at all


def render_surface(view: View, window: Window) -> tuple[Floats, Mask]:
    """Render one window of a flight's surface model.

    Parameters
    ----------
    view
        The flight, as from `view_of`.
    window
        Rows and columns of `surface_frame`.

    Returns
    -------
    tuple of numpy.ndarray
        Heights in metres on the flight's own datum, and where they are valid; both of shape
        (height, width). A pixel has the same value in every window that holds it.
    """
    heights = np.empty((window.height, window.width), dtype=np.float64)
    seen = np.empty((window.height, window.width), dtype=np.bool_)
    for tile in tiles_in(surface_frame(view.plan, view.flight), window, _TILE_PX):
        target, source = shared_slices(window, tile)
        part, valid = _render_tile(view, tile)
        heights[target] = part[source]
        seen[target] = valid[source]
    return heights, seen


def _render_tile(view: View, tile: Window) -> tuple[Floats, Mask]:
    plan, error = view.plan, view.flight.surface
    frame = surface_frame(plan, view.flight)
    fine_m = plan.surface_pixel_m / _FINER
    reach_m = _SIGMAS * error.smoothing_m + error.bridged_m + 4.0 * _WANDER_M
    samples = aim(
        plan, view.flight, frame, tile, lattice_m=fine_m, margin_px=4 + math.ceil(reach_m / fine_m)
    )
    canvas = paint_window(view.matched, view.moment, samples.lattice)
    heights = _match(canvas.height, error, fine_m)
    if error.noise_m > 0.0:
        samples = _wander(view, samples)
    mirror = samples.take(canvas.mirror)
    matched = samples.take(heights).astype(np.float64)
    columns = np.arange(tile.col, tile.col + tile.width, dtype=np.float64)
    rows = np.arange(tile.row, tile.row + tile.height, dtype=np.float64)
    east = frame.eastings(columns) - plan.west_m - plan.side_m / 2
    north = frame.northings(rows) - plan.south_m - plan.side_m / 2
    matched += error.datum_m + 1e-3 * (error.east_mm_per_m * east)[None, :]
    matched += 1e-3 * (error.north_mm_per_m * north)[:, None]
    matched += _noise(view, samples)
    blunder = samples.take(fractal(canvas.lattice, mix_seed(view.flight.seed, 42), *_BLUNDER))
    glassy = (mirror > _GLASSY) if error.blunder_m > 0.0 else np.zeros_like(mirror, dtype=np.bool_)
    matched += np.where(glassy, error.blunder_m * blunder, 0.0)
    side_m = frame.size * frame.pixel_m
    places = (columns + 0.5) * frame.pixel_m, side_m - (rows + 0.5) * frame.pixel_m
    return matched, seen_in(view.flight, *places, side_m) & ~(glassy & (np.abs(blunder) > _LOST))


def _match(height: Singles, error: SurfaceError, pixel_m: float) -> Singles:
    """Bridge narrow gaps and round edges, as windows that are matched do."""
    if error.bridged_m > 0.0:
        size = 2 * max(1, round(error.bridged_m / 2.0 / pixel_m)) + 1
        kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))
        closed = cv2.morphologyEx(height, cv2.MORPH_CLOSE, kernel)
        height = height + (np.asarray(closed) - height) * np.float32(_BRIDGED)
    if error.smoothing_m > 0.0:
        sigma_px = error.smoothing_m / pixel_m
        size = 2 * math.ceil(_SIGMAS * sigma_px) + 1
        soft = cv2.GaussianBlur(height, (size, size), sigma_px, borderType=cv2.BORDER_REPLICATE)
        height = np.asarray(soft, dtype=np.float32)
    return height


def _wander(view: View, samples: Samples) -> Samples:
    """Misplace heights by decimetres, which shows where they jump."""
    reach = np.float32(_WANDER_M / samples.lattice.pixel_m)
    moves = [
        samples.take(fractal(samples.lattice, mix_seed(view.flight.seed, 43, axis), 4.0, 0.5))
        for axis in (0, 1)
    ]
    return samples.moved(columns=moves[0] * reach, rows=moves[1] * reach)


def _noise(view: View, samples: Samples) -> Singles:
    """Give the noise of matching: mostly long waves, a little from pixel to pixel."""
    lattice, seed = samples.lattice, view.flight.seed
    noise = fractal(lattice, mix_seed(seed, 44), *_SWELL) * np.float32(0.8)
    noise += speckle(lattice, mix_seed(seed, 41)) * np.float32(0.6)
    return samples.take(noise) * np.float32(view.flight.surface.noise_m)
