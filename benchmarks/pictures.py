"""The pictures that are compared: real ones from ORTHOWATCH_REAL_DATA, and rendered ones."""

import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import geopandas as gpd
import numpy as np
import rasterio
from numpy.typing import NDArray
from pyproj import Geod
from rasterio.warp import transform, transform_bounds
from shapely import Polygon, box
from shapely.geometry.base import BaseGeometry

from benchmarks.appearance import resampled
from survey.simulation import (
    AreaPlan,
    FlightPlan,
    Scene,
    draw_plan,
    image_frame,
    render_image,
    render_surface,
    scene_of,
    view_of,
)
from survey.windows import Window

__all__ = [
    "REAL_SETS",
    "TILE_PX",
    "GroundPicture",
    "at_pixel",
    "draw_scene",
    "heights_of",
    "picture_of",
    "real_folder",
    "real_outlines",
    "real_pictures",
    "rendered_pictures",
    "tiled",
]

Colours = NDArray[np.uint8]
Mask = NDArray[np.bool_]

TILE_PX = 512
"""Side of the pictures that are compared: statistics depend on the size they are taken over."""
# Which of the colour rasters qualify. The Colorado picture stands there in nine dialects, one is
# enough; the others with pixels of 5 to 60 cm show open water, or no ground at all.
REAL_SETS = {
    "banepa": "train/banepa/images/*.tif",
    "nothing-built": "train/nothing-built/*.tif",
    "colorado": "rasters/rio-tiler/cog_rgb.tif",
    "pix4d": "rasters/rio-tiler/my-bucket/pix4d/pix4d_alpha_nodata.tif",
    "cogeo": "rasters/rasterio/cogeo.tif",
}
"""Real pictures that may be learnt from: name of the set, and pattern of its files."""
# Share of a picture's ground on another one, over which they are of one group.
_SHARED = 0.01
_STRIP_M, _METRES_PER_DEGREE = 150.0, 111_000.0
_EMPTY_PX = 9
_LEAST_PX = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class GroundPicture:
    """A picture of ground and where it is from."""

    name: str
    """File or scene."""
    kind: str
    """Real set or simulated setting."""
    group: str
    """Pictures of one group share ground, or nearly: none may test what another one taught."""
    pixel_m: float
    """Pixel on the ground, metres."""
    colours: Colours
    """(3, row, col), sRGB; every pixel shows ground."""


def real_folder() -> Path | None:
    """Return the folder of real files, or None where the environment names none."""
    named = os.environ.get("ORTHOWATCH_REAL_DATA")
    return Path(named) if named else None


def real_pictures(folder: Path, kinds: Sequence[str] = tuple(REAL_SETS)) -> list[GroundPicture]:
    """Read real pictures at the pixel they have, in the order of their names."""
    found = []
    for kind in kinds:
        paths = sorted(folder.glob(REAL_SETS[kind]))
        groups = _groups([_place(path)[0] for path in paths])
        found += [_read(path, kind, group) for path, group in zip(paths, groups, strict=True)]
    return [picture for picture in found if min(picture.colours.shape[1:]) >= _LEAST_PX]


def _place(path: Path) -> tuple[Polygon, float]:
    """Return where a file lies, degrees, and its pixel on the ground, metres."""
    with rasterio.open(path) as dataset:
        middle = dataset.xy(dataset.height // 2, dataset.width // 2)
        beside = dataset.xy(dataset.height // 2, dataset.width // 2 + 1)
        x, y = transform(dataset.crs, "EPSG:4326", *zip(middle, beside, strict=True))
        place = box(*transform_bounds(dataset.crs, "EPSG:4326", *dataset.bounds))
    # Web Mercator stretches by 1/cos(latitude): only the ellipsoid knows the pixel on the ground.
    return place, float(Geod(ellps="WGS84").inv(x[0], y[0], x[1], y[1])[2])


def _groups(places: Sequence[Polygon]) -> list[str]:
    """Name what shows common ground alike; the rest is grouped into strips from west to east."""
    first = list(range(len(places)))
    for index, place in enumerate(places):
        for other in range(index):
            if place.intersection(places[other]).area > _SHARED * place.area:
                old, new = first[index], first[other]
                first = [new if name == old else name for name in first]
    sizes = Counter(first)
    return [
        f"overlap {name}"
        if sizes[name] > 1
        else f"strip {round(place.centroid.y * _METRES_PER_DEGREE / _STRIP_M)}"
        for name, place in zip(first, places, strict=True)
    ]


def _read(path: Path, kind: str, group: str) -> GroundPicture:
    with rasterio.open(path) as dataset:
        colours = dataset.read([1, 2, 3])
        empty = (dataset.dataset_mask() == 0).astype(np.uint8)
    # Deep shadow holds single black pixels; a black square has nothing to show.
    black = (~colours.any(axis=0)).astype(np.uint8)
    empty |= cv2.morphologyEx(black, cv2.MORPH_OPEN, np.ones((_EMPTY_PX, _EMPTY_PX), np.uint8))
    return GroundPicture(
        name=path.stem,
        kind=kind,
        group=f"{kind} {group}",
        pixel_m=_place(path)[1],
        colours=_largest_full(colours, empty == 0),
    )


def _largest_full(colours: Colours, valid: NDArray[np.bool_]) -> Colours:
    """Cut a picture to a central part without empty pixels."""
    rows, cols = valid.shape
    for margin in np.arange(0.0, 0.45, 0.02):
        row, col = int(rows * margin), int(cols * margin)
        if valid[row : rows - row, col : cols - col].all():
            return np.ascontiguousarray(colours[:, row : rows - row, col : cols - col])
    return colours[:, :0, :0]


def at_pixel(pictures: Sequence[GroundPicture], pixel_m: float) -> list[GroundPicture]:
    """Return the pictures that are fine enough, resampled to one ground pixel."""
    return [
        replace(
            picture,
            pixel_m=pixel_m,
            colours=resampled(picture.colours, picture.pixel_m, pixel_m),
        )
        for picture in pictures
        if picture.pixel_m * 0.97 <= pixel_m
    ]


def draw_scene(
    seed: int, side_m: float, pixel_m: float, setting: str = ""
) -> tuple[AreaPlan, Scene]:
    """Draw an area and what stands in it; no setting means what the simulator does by itself."""
    options: dict[str, Any] = {"setting": setting} if setting else {}
    plan = draw_plan(seed=seed, side_m=side_m, pixel_m=pixel_m, **options)
    return plan, scene_of(plan)


def picture_of(
    plan: AreaPlan, scene: Scene, flight: FlightPlan
) -> Callable[[Window], tuple[Colours, Mask]]:
    """Return what renders a window of a flight's orthophoto, and where it shows ground."""
    return partial(render_image, view_of(plan, scene, flight))


def heights_of(
    plan: AreaPlan, scene: Scene, flight: FlightPlan
) -> Callable[[Window], tuple[NDArray[np.floating[Any]], Mask]]:
    """Return what renders a window of a flight's surface model, and where it is known."""
    return partial(render_surface, view_of(plan, scene, flight))


def rendered_pictures(
    seeds: Sequence[int], side_m: float, pixel_m: float, setting: str = ""
) -> Iterator[GroundPicture]:
    """Yield the simulated areas as one of their flights sees them, tile by tile."""
    for seed in seeds:
        plan, scene = draw_scene(seed, side_m, pixel_m, setting)
        # Seasons and lights differ by flight: every flight gets its turn.
        flight = plan.flights[seed % len(plan.flights)]
        yield from _rendered_tiles(plan, scene, flight, f"{setting or 'simulated'} {seed}")


def _rendered_tiles(
    plan: AreaPlan, scene: Scene, flight: FlightPlan, name: str
) -> Iterator[GroundPicture]:
    size, render = image_frame(plan, flight).size, picture_of(plan, scene, flight)
    side = min(TILE_PX, size)
    for row in range(0, size - side + 1, side):
        for col in range(0, size - side + 1, side):
            colours, valid = render(Window(row=row, col=col, height=side, width=side))
            full = _largest_full(colours, valid)
            if min(full.shape[1:]) >= min(_LEAST_PX, side):
                yield GroundPicture(
                    name=f"{name} {row // side}.{col // side}",
                    kind=name.rsplit(" ", 1)[0],
                    group=name,
                    pixel_m=plan.pixel_m,
                    colours=full,
                )


def tiled(pictures: Sequence[GroundPicture], side: int) -> Iterator[GroundPicture]:
    """Cut pictures into squares that do not overlap; what is left at the rim is dropped."""
    for picture in pictures:
        rows, cols = picture.colours.shape[1:]
        for row in range(0, rows - side + 1, side):
            for col in range(0, cols - side + 1, side):
                cut = picture.colours[:, row : row + side, col : col + side]
                yield replace(picture, colours=np.ascontiguousarray(cut))


def real_outlines(folder: Path) -> list[BaseGeometry]:
    """Return the outlines of real buildings, metres; roofs that share a wall are apart in them."""
    found = gpd.read_file(folder / "train/banepa/labels/buildings.geojson")
    whole = found[found.is_valid & ~found.is_empty]
    return list(whole.geometry.to_crs(whole.estimate_utm_crs()))
