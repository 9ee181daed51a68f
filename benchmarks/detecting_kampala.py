"""Kampala turned back: real pictures of a town, before some of its roofs stood.

Each draw takes roofs off a picture and fills as many decoys, in other light, shifted and bent; the
permit layer holds every other building. For measuring only: nothing is tuned on them.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import rasterio
import shapely
from pyproj import CRS

from benchmarks.alignment_pictures import whole
from benchmarks.detecting_counts import COVER, Truth
from benchmarks.detecting_line import Flown, PairTruth, Ran, entry_of, moved_to, run
from benchmarks.detecting_scenes import KEPT, shown_in
from benchmarks.pictures import real_folder
from survey.simulation import FlightPlan, Turning, turn_back_file
from survey.simulation.flights import Displacement, Wave
from survey.simulation.turning.shading import Shadow
from survey.simulation.turning.warping import earlier_flight

__all__ = ["KampalaCase", "kampala_cases", "layer_without", "measure_kampala", "whole_picture"]

_SEED, _DRAWS = 65_000, 10
# The other picture, an urban village, leaves no room for a single decoy. All roofs of this one are
# wanted gone, so that as many go as leave ground to fill their place with, and room for a decoy.
_PICTURE, _SHARE = "ne", 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class KampalaCase:
    """One draw."""

    number: int
    """Its number."""

    @property
    def name(self) -> str:
        """What to call it."""
        return f"kampala-{self.number:02d}"


def kampala_cases(*, judge: bool) -> tuple[KampalaCase, ...]:  # noqa: ARG001 - there is one draw
    """List the draws; none where there are no real files."""
    if real_folder() is None:
        return ()
    return tuple(KampalaCase(number=number) for number in range(_DRAWS))


def _kampala() -> Path:
    folder = real_folder()
    assert folder is not None  # or there would be no such case
    return folder / "kampala"


def whole_picture() -> Path:
    """Return the picture without its alpha band, which makes holes of all deep shadow; kept.

    Roofs beside a hole could not be taken off.
    """
    kept = KEPT / "kampala" / f"{_PICTURE}.tif"
    if not kept.exists():
        with rasterio.open(_kampala() / f"kampala_{_PICTURE}_z21.tif") as dataset:
            colours = dataset.read([1, 2, 3])
            place = {"crs": dataset.crs, "transform": dataset.transform}
        profile = {"driver": "GTiff", "count": 3, "dtype": "uint8", "compress": "deflate"}
        size = {"height": colours.shape[1], "width": colours.shape[2]}
        with (
            whole(kept) as draft,
            rasterio.open(draft, "w", **profile, **place, **size, tiled=True) as target,
        ):
            target.write(colours)
    return kept


def _turned(case: KampalaCase) -> Path:
    """Return the folder of a draw, made on first use (minutes) and kept."""
    folder = KEPT / "kampala" / f"{case.name}-{_SEED + case.number}-{_SHARE:g}"
    if not folder.is_dir():
        buildings = gpd.read_file(_kampala() / "buildings.geojson")
        with whole(folder) as draft:
            turn_back_file(
                whole_picture(),
                buildings,
                draft,
                seed=_SEED + case.number,
                turning=Turning(share=_SHARE),
            )
            rows = gpd.read_file(draft / "truth.gpkg", layer="appeared")["row"].tolist()
            layer_without(buildings, rows).to_file(draft / "permits.gpkg", layer="permits")
    return folder


def layer_without(buildings: gpd.GeoDataFrame, rows: list[int]) -> gpd.GeoDataFrame:
    """Return a layer without some of its rows, counted from 1."""
    kept = ~np.isin(np.arange(1, len(buildings) + 1), rows)
    return gpd.GeoDataFrame(buildings[kept], geometry="geometry")


def _flight(folder: Path) -> tuple[FlightPlan, dict[str, Any]]:
    """Return how far the earlier flight lies off, and all that is told of the pair."""
    told = json.loads((folder / "truth.json").read_text(encoding="utf-8"))
    known = dict(told["displacement_of_before"])
    waves = tuple(Wave(**wave) for wave in known.pop("waves"))
    shadow = Shadow(**told["shadow"])
    plan = earlier_flight(
        Displacement(waves=waves, **known), flown_on=None, shadow=shadow, seed=told["seed"]
    )
    return plan, told


def measure_kampala(case: KampalaCase) -> dict[str, Any]:
    """Measure a draw, with the layer that lacks what came."""
    folder = _turned(case)
    flight, told = _flight(folder)
    crs = CRS.from_wkt(told["crs_wkt"])
    appeared = gpd.read_file(folder / "truth.gpkg", layer="appeared")
    decoys = gpd.read_file(folder / "truth.gpkg", layer="decoys")
    ground = shapely.union_all([shown_in(flight, shape) for shape in decoys.geometry])

    def beside(ran: Ran) -> dict[str, Any]:
        shown = ground if ran.crs is None else moved_to(ground, crs, ran.crs)
        outlines = [change.outline for change in ran.reported]
        hit = sum(o.intersection(shown).area >= COVER * o.area for o in outlines)
        return {"decoys": len(decoys), "on_decoys": int(hit), "roofs": appeared["row"].tolist()}

    truth = PairTruth(
        crs=crs,
        changes=tuple(
            Truth(outline=shown_in(flight, shape), kind="building", gained=True)
            for shape in appeared.geometry
        ),
    )
    flown = Flown(
        before=folder / "before.tif",
        after=folder / "after.tif",
        permits=folder / "permits.gpkg",
    )
    return {"name": case.name} | entry_of(run(flown), truth, beside)
