"""A city's permit layer, a picture of its middle, and changes, made up to measure with."""

import datetime as dt
import pickle
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyogrio
import rasterio
import shapely
from numpy.typing import NDArray
from rasterio import Affine
from rasterio.features import rasterize
from rasterio.windows import Window as FileWindow
from shapely import Polygon
from shapely.affinity import translate

from benchmarks.alignment_pictures import whole
from benchmarks.relation_cases import BROKEN
from change.changes import Change
from survey.simulation.permits.permit_damage import damage_outline, encode_outline

__all__ = ["AFTER", "BEFORE", "OFF_M", "Load", "draw_outlines", "files_of", "write_layer"]

KEPT = Path(__file__).parent / ".cache" / "permit_load"
OFF_M = (1.4, -0.9)
"""How far east and north the picture shows what the layer draws, metres."""
BEFORE, AFTER = dt.date(2025, 3, 15), dt.date(2025, 6, 14)
"""Days of the flights."""

Outlines = NDArray[np.object_]

_VERSION = 1  # kept files are made anew where this differs
_CRS, _WEST, _SOUTH = "EPSG:4547", 435_000.0, 2_550_000.0
_SPACING_M = 22.0  # from house to house: 200 000 on 10 x 10 km
_PIXEL_M, _BLOCK_PX = 0.2, 512
_BROKEN_SHARE = 0.05
_USES = ("住宅", "商业", "工业", "仓储", "办公")
_DATES = ("{0.year}年{0.month}月{0.day}日", "{0:%Y-%m-%d}", "{0.year}/{0.month}/{0.day}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """How much there is."""

    permits: int = 200_000
    """Rows of the layer."""
    changes: int = 5_000
    """Changes held against it."""
    side_m: float = 2_000.0
    """Side of the picture, metres; it lies in the middle of the layer."""
    seed: int = 7
    """Seed of everything."""

    @property
    def across(self) -> int:
        """Permits in one row of the grid they stand on."""
        return round(self.permits**0.5)

    @property
    def corner(self) -> tuple[float, float]:
        """West and north of the picture, metres."""
        middle = self.across * _SPACING_M / 2
        return _WEST + middle - self.side_m / 2, _SOUTH + middle + self.side_m / 2


def draw_outlines(load: Load) -> Outlines:
    """Draw houses of six and seven corners, turned any way, none touching another; sound."""
    rng = np.random.default_rng([load.seed, 1])
    count = load.permits
    long_m, wide_m = rng.uniform(6.0, 15.0, (2, count, 1))
    notch = rng.uniform(0.3, 0.7, (2, count, 1))
    bend = rng.uniform(0.3, 0.7, (count, 1))
    zero, one = np.zeros((count, 1)), np.ones((count, 1))
    u = np.hstack([zero, bend, one, one, notch[0], notch[0], zero]) - 0.5
    v = np.hstack([zero, -0.05 * one, zero, notch[1], notch[1], one, one]) - 0.5
    turn = rng.uniform(0.0, 2.0 * np.pi, (count, 1))
    x = u * long_m * np.cos(turn) - v * wide_m * np.sin(turn)
    y = u * long_m * np.sin(turn) + v * wide_m * np.cos(turn)
    row, col = np.divmod(np.arange(count), load.across)
    x += (_WEST + (col + 0.5) * _SPACING_M)[:, None]
    y += (_SOUTH + (row + 0.5) * _SPACING_M)[:, None]
    rings = np.stack([x, y], axis=-1).round(3)
    outlines: Outlines = shapely.polygons(np.concatenate([rings, rings[:, :1]], axis=1))
    return outlines


def write_layer(path: Path, load: Load, outlines: Outlines) -> None:
    """Write the layer as a GeoPackage with Chinese columns, one row in twenty broken."""
    rng = np.random.default_rng([load.seed, 2])
    encoded = shapely.to_wkb(outlines).astype(object)
    for order, index in enumerate(np.flatnonzero(rng.random(len(outlines)) < _BROKEN_SHARE)):
        kind = BROKEN[order % len(BROKEN)]
        broken = damage_outline(kind, outlines[index], rng).outline
        encoded[index] = (
            None if kind == "null" else encode_outline(broken, unclosed=kind == "unclosed")
        )
    columns = _columns(rng, shapely.area(outlines))
    pyogrio.raw.write(
        path,
        geometry=encoded,
        field_data=list(columns.values()),
        fields=list(columns),
        crs=_CRS,
        geometry_type="Unknown",
        driver="GPKG",
        layer="permits",
    )


def _columns(rng: np.random.Generator, areas_m2: NDArray[np.float64]) -> dict[str, NDArray[Any]]:
    """Draw a ledger: dates in three spellings, storeys with their unit, some permits that end."""
    count = len(areas_m2)
    storeys = rng.integers(1, 8, count)
    days = [BEFORE - dt.timedelta(days=int(n)) for n in rng.integers(30, 6000, count)]
    ends = [dt.date(2030, 12, 31), dt.date(2024, 12, 31)]
    ended = [ends[int(share < 0.02)] if share < 0.2 else None for share in rng.random(count)]
    return {
        "建设工程规划许可证号": _texts(f"建字第4499{n:08d}号" for n in range(count)),
        "权利人名称": _texts(f"第{n % 9973}户" for n in range(count)),
        "发证日期": _texts(_DATES[n % 3].format(day) for n, day in enumerate(days)),
        "有效期至": _texts("长期" if day is None else day.isoformat() for day in ended),
        "建筑占地面积": areas_m2.round(1),
        "建筑面积": (areas_m2 * storeys).round(1),
        "批准层数": _texts(f"{n}层" for n in storeys.tolist()),
        "批准高度": (3.2 * storeys).round(1),
        "房屋用途": _texts(_USES[n] for n in rng.integers(0, len(_USES), count).tolist()),
    }


def _texts(values: Iterator[str]) -> NDArray[np.object_]:
    return np.array(list(values), dtype=object)


def write_picture(path: Path, load: Load, outlines: Outlines) -> None:
    """Write a picture in which roofs are brighter than the ground, or darker, under noise."""
    rng = np.random.default_rng([load.seed, 3])
    west, north = load.corner
    size = round(load.side_m / _PIXEL_M)
    corner = Affine(_PIXEL_M, 0.0, west, 0.0, -_PIXEL_M, north)
    roofs = np.array([translate(outline, *OFF_M) for outline in outlines], dtype=object)
    tone = rng.integers(110, 240, len(roofs))
    tree = shapely.STRtree(roofs)
    profile = {
        "driver": "GTiff",
        "count": 3,
        "dtype": "uint8",
        "tiled": True,
        "compress": "deflate",
    }
    blocks = {"blockxsize": _BLOCK_PX, "blockysize": _BLOCK_PX, "predictor": 2}
    place = {"crs": _CRS, "transform": corner, "width": size, "height": size}
    with rasterio.open(path, "w", **profile, **blocks, **place) as target:
        target.update_tags(TIFFTAG_DATETIME=f"{BEFORE:%Y:%m:%d} 10:00:00")
        for row in range(0, size, _BLOCK_PX):
            height = min(_BLOCK_PX, size - row)
            top = north - row * _PIXEL_M
            strip = shapely.box(west, top - height * _PIXEL_M, west + load.side_m, top)
            inside = tree.query(strip)
            drawn = np.zeros((height, size), np.uint8)
            if len(inside):
                rasterize(
                    zip(roofs[inside], tone[inside].tolist(), strict=True),
                    out=drawn,
                    transform=corner @ Affine.translation(0, row),
                )
            shown = np.where(drawn, drawn, 135) + rng.integers(-12, 13, (3, height, size))
            target.write(
                np.clip(shown, 1, 254).astype(np.uint8), window=FileWindow(0, row, size, height)
            )


def draw_changes(load: Load, outlines: Outlines) -> list[Change]:
    """Draw changes on permits, across their edge, beside them, on top, and gone; in equal parts."""
    rng = np.random.default_rng([load.seed, 4])
    kinds = ("building", "annex", "shed", "storey", "removed")
    # In their own widths: on the permit, half across its edge, in the gap between four houses.
    aside = {"annex": 6.0, "shed": _SPACING_M / 2}
    changes = []
    for order, index in enumerate(rng.choice(len(outlines), load.changes, replace=False).tolist()):
        kind = kinds[order % len(kinds)]
        outline = translate(outlines[index], *OFF_M)
        if kind in aside:
            spot = translate(outline.centroid, aside[kind], aside[kind])
            outline = shapely.box(spot.x - 2.5, spot.y - 2.0, spot.x + 2.5, spot.y + 2.0)
        changes.append(_change(order, kind, outline))
    return changes


def _change(order: int, kind: str, outline: Polygon) -> Change:
    return Change(
        id=f"{order:06d}",
        outline=outline,
        area_m2=outline.area,
        area_raw_m2=outline.area,
        kind=kind,
        origin="new",
        height_gain_m=-3.0 if kind == "removed" else 3.0,
        score=0.9,
        tolerance_m=0.2,
        evidence=(),
    )


def files_of(load: Load) -> Path:
    """Return the folder with the files of a load; made on first use (two minutes) and kept."""
    name = f"{_VERSION}-{load.permits}-{load.changes}-{load.side_m:g}-{load.seed}"
    if not (KEPT / name).is_dir():
        with whole(KEPT / name) as draft:
            draft.mkdir()
            outlines = draw_outlines(load)
            write_layer(draft / "permits.gpkg", load, outlines)
            write_picture(draft / "before.tif", load, outlines)
            (draft / "changes.pickle").write_bytes(pickle.dumps(draw_changes(load, outlines)))
    return KEPT / name
