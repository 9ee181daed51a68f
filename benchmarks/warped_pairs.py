"""A picture and a warped, relit, partly replaced copy of it, as two files with their truth."""

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from affine import Affine
from numpy.typing import NDArray
from pyproj import CRS

from benchmarks.alignment_pictures import Picture, write_picture
from benchmarks.alignment_truth import Plane, WarpedTruth
from benchmarks.crops import place_of
from benchmarks.warps import (
    LATTICE_PX,
    Leans,
    Warp,
    blobs,
    crowns,
    draw_warp,
    noisy,
    on_lattice,
    ragged,
    relit,
    resample,
    seasoned,
    shadows_moved,
)
from survey.windows import Window

__all__ = ["CRS_NAME", "Recipe", "plane_of", "warped_pair", "write_part"]

CRS_NAME = "EPSG:4547"
"""Where pictures are said to lie: CGCS2000, 3-degree zone 114E, whatever they show."""

_WEST, _SOUTH = 435_600.0, 2_556_400.0
_ROWS = 256  # rows made at a time
_BLOB_PX = 120.0
# Crowns of 1.5 to 4 m in radius at 5 cm, as trees in towns have.
_CROWN_PX = (30.0, 80.0)
_SHADOW_M = (1.0, 4.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """How a copy differs from the picture it is made of; lengths in pixels of the picture."""

    shift_px: float
    """Length of the shift."""
    warp_px: float
    """Largest displacement by the smooth local warp."""
    turn_deg: float = 0.0
    """Rotation."""
    stretch: float = 1.0
    """Scale."""
    replaced: float = 0.2
    """Share of the area that shows other content."""
    lean_px: float = 0.0
    """Largest displacement of leaning crowns; 0 for none."""
    light: float = 0.7
    """How differently it is exposed, 0 to 1.3."""
    shadows: bool = True
    """Whether shadows have moved."""
    season: float = 0.0
    """How much green turned brown and fields inverted their contrast, 0 to 1."""
    noise: float = 3.0
    """Standard deviation of the noise, grey values."""
    blur_px: float = 0.0
    """Standard deviation of the blur."""
    coarser: float = 1.0
    """Pixel of the copy in pixels of the picture."""
    crs: str = CRS_NAME
    """CRS of the copy."""


def plane_of(picture: Picture) -> Plane:
    """Return where a picture is said to lie."""
    top = _SOUTH + picture.valid.shape[0] * picture.pixel_m
    return Plane(crs=CRS_NAME, left=_WEST, top=top, pixel_m=picture.pixel_m)


def write_part(path: Path, picture: Picture, window: Window) -> None:
    """Write a window of a picture at its place."""
    plane = plane_of(picture)
    corner = Affine.translation(plane.left, plane.top) @ Affine.scale(plane.pixel_m, -plane.pixel_m)
    part = window.slices_in(place_of(picture))
    write_picture(
        path,
        picture.colours[part],
        picture.valid[part],
        (CRS_NAME, corner @ Affine.translation(window.col, window.row)),
    )


def warped_pair(
    folder: Path,
    picture: Picture,
    windows: tuple[Window, Window],
    recipe: Recipe,
    rng: np.random.Generator,
) -> WarpedTruth:
    """Write `before.tif` and `after.tif`, and return what is true of them.

    Parameters
    ----------
    folder
        Where to write.
    picture
        What both show.
    windows
        The part of the picture that each of them shows.
    recipe
        How the copy differs.
    rng
        Draws the rest.
    """
    before = np.zeros_like(picture.valid)
    part = windows[0].slices_in(place_of(picture))
    before[part] = picture.valid[part]
    write_part(folder / "before.tif", picture, windows[0])
    copy = _draw_copy(picture, windows[1], recipe, rng)
    colours, seen, transform = _render(copy, windows[1], rng)
    write_picture(folder / "after.tif", colours, seen, (recipe.crs, transform))
    hidden = copy.replaced if copy.leans is None else copy.replaced | copy.leans.tall
    return WarpedTruth(
        plane=plane_of(picture), warp=copy.warp, before=before, after=copy.seen, hidden=hidden
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Copy:
    """A copy as drawn: where it looks and what is hidden in it."""

    picture: Picture
    recipe: Recipe
    warp: Warp
    replaced: NDArray[np.bool_]
    seen: NDArray[np.bool_]
    leans: Leans | None


def _draw_copy(picture: Picture, window: Window, recipe: Recipe, rng: np.random.Generator) -> _Copy:
    size = picture.valid.shape[0], picture.valid.shape[1]
    warp = draw_warp(
        rng,
        size,
        shift_px=recipe.shift_px,
        warp_px=recipe.warp_px,
        turn_deg=recipe.turn_deg,
        stretch=recipe.stretch,
    )
    reach = min(_BLOB_PX, min(size) / 8)
    replaced = blobs(rng, size, share=recipe.replaced, reach_px=reach)
    edge = ragged(rng, (window.height, window.width), depth_px=0.03 * min(size))
    seen = np.zeros(replaced.shape, bool)
    row, col = window.row // LATTICE_PX, window.col // LATTICE_PX
    room = seen[row : row + edge.shape[0], col : col + edge.shape[1]]
    room[:] = edge[: room.shape[0], : room.shape[1]]
    leans = None
    if recipe.lean_px:
        leans = crowns(rng, size, share=0.25, radius_px=_CROWN_PX, lean_px=recipe.lean_px)
    return _Copy(
        picture=picture, recipe=recipe, warp=warp, replaced=replaced, seen=seen, leans=leans
    )


def _render(
    copy: _Copy, window: Window, rng: np.random.Generator
) -> tuple[NDArray[np.uint8], NDArray[np.bool_], Affine]:
    """Resample the picture once onto the grid of the copy, and change how it looks."""
    recipe, picture = copy.recipe, copy.picture
    height, width = (round(side / recipe.coarser) for side in (window.height, window.width))
    transform = _transform(copy, window, (height, width))
    base, valid = picture.colours, picture.valid.astype(np.uint8) * 255
    if recipe.coarser > 1.2:
        base = cv2.GaussianBlur(base, (0, 0), 0.45 * recipe.coarser)
    other, other_valid = _other_content(base), _other_content(valid)
    colours = np.empty((height, width, 3), np.uint8)
    seen = np.empty((height, width), bool)
    for first in range(0, height, _ROWS):
        part = slice(first, min(first + _ROWS, height))
        at = _places(copy, transform, part, width)
        source = _sources(copy, *at)
        hidden = on_lattice(copy.replaced, *at) > 0.5
        flat = at[0].astype(np.float32), at[1].astype(np.float32)
        fresh = resample(base, *source)
        fresh[hidden] = resample(other, *flat)[hidden]
        colours[part] = fresh
        shows = cv2.remap(valid, *source, cv2.INTER_LINEAR)
        shows[hidden] = cv2.remap(other_valid, *flat, cv2.INTER_LINEAR)[hidden]
        seen[part] = (shows > 250) & (on_lattice(copy.seen, *at) > 0.5)
    return _changed(copy, colours, rng), seen, transform


def _other_content(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return other places of the same picture, upside down."""
    thirds = [side // 3 for side in pixels.shape[:2]]
    return np.ascontiguousarray(np.roll(pixels[::-1, ::-1], thirds, (0, 1)))


def _transform(copy: _Copy, window: Window, size: tuple[int, int]) -> Affine:
    """Return the transform of the copy's file: the window's rectangle in the copy's CRS."""
    plane, crs = plane_of(copy.picture), CRS.from_user_input(copy.recipe.crs)
    edges = [side - 0.5 for side in (window.col, window.col + window.width)]
    downs = [side - 0.5 for side in (window.row, window.row + window.height)]
    x, y = plane.xy(np.array([edges[0], edges[1], edges[1], edges[0]]),
                    np.array([downs[0], downs[0], downs[1], downs[1]]), crs)  # fmt: skip
    step = Affine.scale((x.max() - x.min()) / size[1], -(y.max() - y.min()) / size[0])
    return Affine.translation(float(x.min()), float(y.max())) @ step


def _places(
    copy: _Copy, transform: Affine, part: slice, width: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the plane's (cols, rows) at the pixels of some rows of the copy."""
    cols, rows = np.meshgrid(np.arange(width) + 0.5, np.arange(part.start, part.stop) + 0.5)
    x = transform.a * cols + transform.c
    y = transform.e * rows + transform.f
    crs = CRS.from_user_input(copy.recipe.crs)
    return plane_of(copy.picture).pixels(x, y, crs)


def _sources(
    copy: _Copy, cols: NDArray[np.float64], rows: NDArray[np.float64]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return where on the picture the copy looks at places of the plane."""
    if copy.leans is not None:
        lean_cols = on_lattice(copy.leans.cols, cols, rows)
        lean_rows = on_lattice(copy.leans.rows, cols, rows)
        cols, rows = cols - lean_cols, rows - lean_rows
    found_col, found_row = copy.warp.source(cols, rows)
    return found_col.astype(np.float32), found_row.astype(np.float32)


def _changed(
    copy: _Copy, colours: NDArray[np.uint8], rng: np.random.Generator
) -> NDArray[np.uint8]:
    """Change how a copy looks: season, shadows, light, blur, noise."""
    recipe = copy.recipe
    pixel_m = copy.picture.pixel_m * recipe.coarser
    if recipe.season:
        colours = seasoned(rng, colours, strength=recipe.season)
    if recipe.shadows:
        reach = (max(2.0, _SHADOW_M[0] / pixel_m), max(4.0, _SHADOW_M[1] / pixel_m))
        colours = shadows_moved(rng, colours, reach_px=reach)
    colours = relit(rng, colours, strength=recipe.light)
    if recipe.blur_px:
        soft = cv2.GaussianBlur(colours, (0, 0), max(0.3, recipe.blur_px / recipe.coarser))
        colours = np.asarray(soft, np.uint8)
    return noisy(rng, colours, sigma=recipe.noise)
