"""From the scene's light to a flight's orthophoto: lens, mosaic, exposure, noise, compression."""

import math
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from survey.simulation.camera.aim import Samples, aim, image_frame, shared_slices, tiles_in
from survey.simulation.camera.atlas import bounds_of
from survey.simulation.camera.lean import Leaned, lean_window
from survey.simulation.camera.mass import highest_near
from survey.simulation.camera.mosaic import light_gain, most_lean, seen_in
from survey.simulation.camera.render import light_window
from survey.simulation.camera.view import View
from survey.simulation.flights import Light, undo_displacement
from survey.simulation.painting.palette import to_srgb
from survey.simulation.painting.texture import fractal, mix_seed
from survey.windows import Window

__all__ = ["TILE_PX", "PixelTruth", "render_image", "render_truth"]

Singles = npt.NDArray[np.float32]
Pixels = npt.NDArray[np.uint8]
Numbers = npt.NDArray[np.int32]
Mask = npt.NDArray[np.bool_]

TILE_PX = 1024
"""Side of the tiles in which flights are rendered, pixels; a multiple of JPEG's blocks."""

_BLUR_SIGMAS = 3.0
_SHARPEN_PX = 1.1  # radius of the unsharp mask in small cameras
_GAIN_PX = 8  # seams are feathered over that many pixels
_LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601
_PIVOT = 0.45  # grey that a change of contrast leaves alone, share of full scale
_OWN_NOISE = 0.2  # share of the noise that each colour has to itself: cameras smooth colour most
_TEAR_STEP_M = 2.0  # step in height at which an edge tears in full
_GROUND_M = 0.3  # lower things do not hide the ground


@dataclass(frozen=True, slots=True, kw_only=True)
class PixelTruth:
    """What is exactly true of every pixel of an orthophoto's window."""

    east_m: Singles
    """Displacement in x of the ground point seen, metres, shape (height, width)."""
    north_m: Singles
    """Displacement in y of the ground point seen, metres, shape (height, width)."""
    rise_m: Singles
    """Height above the ground of what is seen, metres, shape (height, width)."""
    owner: Numbers
    """Number of the structure that is seen, roof or facade; 0 for none, shape (height, width)."""
    ground: Mask
    """True where open ground is seen, shape (height, width)."""
    valid: Mask
    """True where the mosaic has pixels, shape (height, width)."""


def render_image(view: View, window: Window) -> tuple[Pixels, Mask]:
    """Render one window of a flight's orthophoto.

    Parameters
    ----------
    view
        The flight, as from `view_of`.
    window
        Rows and columns of `image_frame`.

    Returns
    -------
    tuple of numpy.ndarray
        Pixels, uint8, shape (3, height, width), and where they are valid, shape (height, width).
        A pixel has the same value in every window that holds it.
    """
    pixels = np.empty((3, window.height, window.width), dtype=np.uint8)
    seen = np.empty((window.height, window.width), dtype=np.bool_)
    for tile in tiles_in(image_frame(view.plan, view.flight), window, TILE_PX):
        part, valid = _render_tile(view, tile)
        target, source = shared_slices(window, tile)
        pixels[(slice(None), *target)] = part[(slice(None), *source)]
        seen[target] = valid[source]
    return pixels, seen


def _look(view: View, tile: Window) -> tuple[Samples, Leaned]:
    """Light what a tile looks at, and draw it where the mosaic shows it."""
    plan, flight = view.plan, view.flight
    frame = image_frame(plan, flight)
    blur_px = max(flight.light.blur_px, _SHARPEN_PX)
    margin = 4 + math.ceil(2.0 * _BLUR_SIGMAS * blur_px)
    margin += math.ceil(3.0 * flight.mosaic.tear_m / plan.pixel_m)
    near = aim(plan, flight, frame, tile, lattice_m=plan.pixel_m, margin_px=margin)
    lean = most_lean(flight)
    if lean > 0.0:
        reach = highest_near(view.atlas, flight.index, bounds_of(near.lattice).grown(30.0)) * lean
        margin += math.ceil(reach / plan.pixel_m)
        near = aim(plan, flight, frame, tile, lattice_m=plan.pixel_m, margin_px=margin)
    lit = light_window(view.atlas, view.moment, near.lattice, flight.light.diffuse)
    return near, lean_window(view.atlas, view.moment, flight, lit)


def _render_tile(view: View, tile: Window) -> tuple[Pixels, Mask]:
    frame, flight = image_frame(view.plan, view.flight), view.flight
    samples, leaned = _look(view, tile)
    samples = _tear(view, samples, leaned)
    light = flight.light
    planes = [samples.take(_focus(leaned.image[band], light), cv2.INTER_CUBIC) for band in range(3)]
    image = np.stack(planes)
    image *= _gain(view, tile)
    image = _develop(image, light)
    image += _noise(view, tile)
    pixels = _compress(np.clip(image + np.float32(0.5), 0.0, 255.0).astype(np.uint8), light)
    rows, columns = (
        np.arange(first, first + size, dtype=np.float64)
        for first, size in ((tile.row, tile.height), (tile.col, tile.width))
    )
    side_m = frame.size * frame.pixel_m
    seen = seen_in(
        flight, (columns + 0.5) * frame.pixel_m, side_m - (rows + 0.5) * frame.pixel_m, side_m
    )
    pixels[:, ~seen] = 255 if flight.mosaic.collar == "white" else 0
    return pixels, seen


def _focus(image: Singles, light: Light) -> Singles:
    """Blur as the lens does, and sharpen as the camera does."""
    if light.blur_px > 0.0:
        image = _blur(image, light.blur_px)
    if light.sharpen > 0.0:
        soft = _blur(image, _SHARPEN_PX)
        image = image + (image - soft) * np.float32(light.sharpen)
    return image


def _blur(image: Singles, sigma_px: float) -> Singles:
    size = 2 * math.ceil(_BLUR_SIGMAS * sigma_px) + 1
    soft = cv2.GaussianBlur(image, (size, size), sigma_px, borderType=cv2.BORDER_REPLICATE)
    return np.asarray(soft, dtype=np.float32)


def _tear(view: View, samples: Samples, leaned: Leaned) -> Samples:
    """Stretch and tear what lies at steps in height, as matching misplaces edges of roofs."""
    tear_m = view.flight.mosaic.tear_m
    if tear_m == 0.0:
        return samples
    lattice, pixel_m = samples.lattice, view.plan.pixel_m
    size = 2 * max(1, round(0.3 / pixel_m)) + 1
    kernel = np.ones((size, size), dtype=np.uint8)
    step = cv2.dilate(leaned.rise, kernel) - cv2.erode(leaned.rise, kernel)
    edge = np.clip(step / np.float32(_TEAR_STEP_M), 0.0, 1.0)
    edge = cv2.blur(edge, (size, size), borderType=cv2.BORDER_REPLICATE)
    edge *= np.float32(tear_m / pixel_m)
    moves = []
    for axis in (0, 1):
        wander = fractal(lattice, mix_seed(view.flight.seed, 35, axis), 10.0, 2.5, 1.3)
        moves.append(samples.take(wander * edge))
    return samples.moved(columns=moves[0], rows=moves[1])


def _gain(view: View, tile: Window) -> Singles:
    """Give the factor of exposure and vignetting, shape (height, width)."""
    frame = image_frame(view.plan, view.flight)
    half = _GAIN_PX / 2.0 - 0.5
    columns, rows = (
        np.arange(-1, size // _GAIN_PX + 2, dtype=np.float64) * _GAIN_PX + half + first
        for first, size in ((tile.col, tile.width), (tile.row, tile.height))
    )
    x, y = np.meshgrid(
        frame.eastings(columns) - view.plan.west_m, frame.northings(rows) - view.plan.south_m
    )
    gain = light_gain(view.flight, x, y).astype(np.float32)
    size = (columns.size * _GAIN_PX, rows.size * _GAIN_PX)
    wide = cv2.resize(gain, size, interpolation=cv2.INTER_LINEAR)
    cut = wide[_GAIN_PX : _GAIN_PX + tile.height, _GAIN_PX : _GAIN_PX + tile.width]
    return np.asarray(cut, dtype=np.float32)


def _develop(image: Singles, light: Light) -> Singles:
    """Turn light into grey values, 0 to 255 and not yet clipped, as the flight's camera sees it."""
    balance = (light.red, 1.0, light.blue)
    for band in range(3):
        image[band] *= np.float32(balance[band] * light.exposure * (1.0 - light.haze))
    image += np.float32(light.haze)
    grey = np.asarray(to_srgb(image), dtype=np.float32)
    if light.saturation != 1.0:
        luma = sum(grey[band] * np.float32(weight) for band, weight in enumerate(_LUMA))
        grey = luma + (grey - luma) * np.float32(light.saturation)
    if light.contrast != 1.0:
        pivot = np.float32(255.0 * _PIVOT)
        grey = pivot + (grey - pivot) * np.float32(light.contrast)
    return np.asarray(grey, dtype=np.float32)


def _noise(view: View, tile: Window) -> Singles:
    """Give grainy noise, coarser than a pixel as demosaicking leaves it, shape (3, rows, cols)."""
    rng = np.random.Generator(np.random.SFC64([view.flight.seed, tile.row, tile.col]))
    shape = (tile.height, tile.width)
    shared = rng.standard_normal(shape, dtype=np.float32)
    own = rng.standard_normal((3, (tile.height + 1) // 2, (tile.width + 1) // 2), dtype=np.float32)
    noise = np.empty((3, *shape), dtype=np.float32)
    for band in range(3):
        grown = cv2.resize(own[band], None, fx=2.0, fy=2.0, interpolation=cv2.INTER_LINEAR)
        noise[band] = grown[: tile.height, : tile.width]
    noise *= np.float32(_OWN_NOISE * view.flight.light.noise)
    noise += shared * np.float32((1.0 - _OWN_NOISE**2) ** 0.5 * view.flight.light.noise)
    return noise


def _compress(pixels: Pixels, light: Light) -> Pixels:
    """Put pixels through JPEG as the camera does."""
    if light.jpeg_quality is None:
        return pixels
    bgr = np.ascontiguousarray(np.moveaxis(pixels[::-1], 0, -1))
    _, code = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, light.jpeg_quality])
    back = cv2.imdecode(code, cv2.IMREAD_COLOR)
    return np.ascontiguousarray(np.moveaxis(np.asarray(back, dtype=np.uint8), -1, 0)[::-1])


def render_truth(view: View, window: Window) -> PixelTruth:
    """Tell what is exactly true of every pixel of a window of a flight's orthophoto.

    Parameters
    ----------
    view
        The flight, as from `view_of`.
    window
        Rows and columns of `image_frame`.

    Returns
    -------
    PixelTruth
        Displacement, height, structure, open ground and validity. A leaning facade or roof is
        told as what it is, at the place where the orthophoto shows it; the torn edges of
        `Mosaic.tear_m` are not followed.
    """
    frame, flight = image_frame(view.plan, view.flight), view.flight
    shape = (window.height, window.width)
    rise, owner = np.empty(shape, dtype=np.float32), np.empty(shape, dtype=np.int32)
    for tile in tiles_in(frame, window, TILE_PX):
        samples, leaned = _look(view, tile)
        target, source = shared_slices(window, tile)
        rise[target] = samples.take(leaned.rise, cv2.INTER_NEAREST)[source]
        numbers = samples.take(leaned.owner.astype(np.float32), cv2.INTER_NEAREST)
        owner[target] = numbers[source].astype(np.int32)
    columns = np.arange(window.col, window.col + window.width, dtype=np.float64)
    rows = np.arange(window.row, window.row + window.height, dtype=np.float64)
    seen_x, seen_y = np.meshgrid(frame.eastings(columns), frame.northings(rows))
    true_x, true_y = undo_displacement(flight, seen_x, seen_y)
    pixel_m, side_m = frame.pixel_m, frame.size * frame.pixel_m
    valid = seen_in(flight, (columns + 0.5) * pixel_m, side_m - (rows + 0.5) * pixel_m, side_m)
    return PixelTruth(
        east_m=(seen_x - true_x).astype(np.float32),
        north_m=(seen_y - true_y).astype(np.float32),
        rise_m=rise,
        owner=owner,
        ground=(rise < _GROUND_M) & (owner == 0),
        valid=valid,
    )
