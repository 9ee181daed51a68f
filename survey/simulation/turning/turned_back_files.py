"""A real orthophoto turned back, from file to folder: read by windows, written whole or not at all.

::

    ortho ----+--find_shadows--> where shadows fall
    outlines -+--choose, tile by tile--> patches, kept on the disk
              +--blocks--> after.tif   the real picture and half of the decoys
              +--blocks--> before.tif  buildings gone, the other decoys; warped, in another light

Memory holds one tile with its surroundings, whatever the size of the picture. Both pictures keep
the grid of the orthophoto. Displacement and truth are in `working_crs`, metres: the orthophoto's
own CRS where that is metric, else the zone around its middle.
"""

import json
import shutil
from collections.abc import Iterator
from dataclasses import asdict, replace
from datetime import date
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import rasterio
from pyproj import CRS
from rasterio.features import shapes as polygons_of
from rasterio.transform import Affine
from shapely import Polygon, STRtree

from survey.blocks import Progress
from survey.crs import describe_crs, transformer
from survey.errors import FlightError, LayerError, SettingsError
from survey.examination import examine
from survey.flight import Flight, open_flight
from survey.grid import ground_pixel, working_crs
from survey.reading import Picture
from survey.simulation.flights import FlightPlan
from survey.simulation.new_folder import new_folder, require_room
from survey.simulation.turning.changes import LEFT, Turning
from survey.simulation.turning.choosing import Chosen, Done, Stage, choose, find_shadows, patched
from survey.simulation.turning.pair_files import SOFTWARE, Draft, Rows, write_layers
from survey.simulation.turning.reasons import told_reasons
from survey.simulation.turning.relighting import (
    RELIGHT_HALO_PX,
    Relighting,
    draw_relighting,
    relight,
)
from survey.simulation.turning.shading import Shadow
from survey.simulation.turning.standing import Buildings, Outlines, place_outlines
from survey.simulation.turning.warping import (
    Warp,
    draw_displacement,
    earlier_flight,
    sample,
    span_of,
)
from survey.windows import Window, cut_blocks
from survey.words import _

__all__ = ["require_earlier", "turn_back_file"]

_BLOCK_PX = 1024
# Finest pixel, m: below it, a house is more than what is looked at at once.
_LEAST_PIXEL_M = 0.01
# Bytes per pixel while it is made: two pictures of noise with overviews, and a draft of one.
_BYTES_PER_PX, _MORE_BYTES = 11.0, 20e6


def turn_back_file(
    ortho: Path | Flight,
    buildings: Buildings | gpd.GeoDataFrame | gpd.GeoSeries,
    folder: Path,
    *,
    seed: int,
    turning: Turning | None = None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Make a pair of flights with known changes from one real orthophoto.

    Parameters
    ----------
    ortho
        The orthophoto, one file; or a flight that was opened and examined.
    buildings
        Outlines of its buildings: geometries with a CRS.
    folder
        Where ``before.tif``, ``after.tif``, ``truth.gpkg`` (layers ``appeared``, ``standing``,
        ``decoys``, ``repainted``) and ``truth.json`` appear; must not exist or be empty.
    seed
        Decides everything; the same seed gives the same bytes.
    turning
        How much to change.
    progress
        Told after every tile and block.

    Returns
    -------
    dict
        What ``truth.json`` holds.

    Raises
    ------
    survey.errors.FlightError
        The orthophoto cannot be read, or is a folder of several files.
    survey.errors.LayerError
        The outlines state no CRS, none lies within the picture, or none can be taken off.
    survey.errors.SettingsError
        The earlier flight would not be the earlier one.
    survey.errors.OutputError
        There is something in the folder already, or it cannot be written.
    """
    turning = turning or Turning()
    flight = ortho if isinstance(ortho, Flight) else examine(open_flight(ortho))
    _require_one_picture(flight)
    require_earlier(turning.flown_on, flight.flown_on)
    grid = flight.sources[0].grid
    given = buildings
    if not isinstance(given, Buildings):
        given = Buildings(table=given, name=_("building outlines"))
    outlines = place_outlines(given, grid)
    room = _BYTES_PER_PX * grid.width * grid.height + _MORE_BYTES
    require_room(folder, room, _("another disk or a smaller picture"))
    with new_folder(folder) as draft:
        drafts = draft / "drafts"
        drafts.mkdir()
        stage = Stage(
            flight=flight,
            pixel_m=float(np.sqrt(np.prod(ground_pixel(grid)))),
            outlines=outlines,
            tree=STRtree(outlines.shapes),
            shadow=Shadow(down=0.0, across=0.0, contrast=0.0),
            turning=turning,
            seed=seed,
            drafts=drafts,
            progress=progress,
        )
        return _make(stage, draft, given.name)


def require_earlier(earlier: date | None, later: date | None) -> None:
    """Refuse a day of the earlier flight that is not before that of the later one.

    Raises
    ------
    SettingsError
        It is not.
    """
    if earlier is not None and later is not None and earlier >= later:
        text = _(
            "the earlier flight cannot be of {earlier}: the orthophoto itself is of {later}; give"
            " an earlier day"
        )
        raise SettingsError(text.format(earlier=earlier.isoformat(), later=later.isoformat()))


def _require_one_picture(flight: Flight) -> None:
    if len(flight.sources) != 1:
        text = _("{path}: give one orthophoto; join the tiles first (gdalbuildvrt, gdal_translate)")
        raise FlightError(text.format(path=flight.name))
    if flight.pixel_m < 0.99 * _LEAST_PIXEL_M:
        text = _("{path}: its pixel of {pixel:.1f} mm is too fine; resample it to 10 mm or coarser")
        raise FlightError(text.format(path=flight.name, pixel=1000 * flight.pixel_m))


def _make(stage: Stage, folder: Path, shown: str) -> dict[str, Any]:
    """Write everything into a folder that is not yet in its place."""
    grid, turning = stage.source.grid, stage.turning
    stage = replace(stage, shadow=find_shadows(stage))
    chosen = choose(stage)
    if turning.share > 0 and not chosen.done:
        raise LayerError(_nothing(chosen, shown))
    metric = working_crs(grid)
    how = _draw(stage, metric)
    _write_after(stage, chosen.done, folder / "after.tif")
    _write_before(stage, chosen.done, folder / "before.tif", how)
    layers = _layers(stage.outlines, chosen.done)
    shutil.rmtree(stage.drafts)
    day = stage.flight.flown_on or turning.flown_on
    write_layers(folder / "truth.gpkg", layers, (grid, metric), day)
    facts = _describe(stage, chosen, metric, how)
    text = json.dumps(facts, ensure_ascii=False, indent=1, sort_keys=True)
    (folder / "truth.json").write_text(text + "\n", encoding="utf-8")
    told: dict[str, Any] = json.loads(text)
    return told


def _nothing(chosen: Chosen, shown: str) -> str:
    """Say why no building at all was taken off."""
    if not chosen.left.total():
        text = _(
            "{path}: of so few buildings, --share chose none; raise it, or take another --seed"
        )
        return text.format(path=shown)
    text = _("{path}: no building could be taken off; looked at: {reasons}")
    return text.format(path=shown, reasons=told_reasons(chosen.left))


def _draw(stage: Stage, metric: CRS) -> tuple[FlightPlan, Relighting]:
    """Draw how far the earlier flight lies off, and its light."""
    grid, rng = stage.source.grid, np.random.default_rng([stage.seed, 1])
    x, y = transformer(grid.crs, metric).transform(*grid.center)
    known = draw_displacement(
        rng, centre_x=float(x), centre_y=float(y), most_shift_m=stage.turning.most_shift_m
    )
    light = draw_relighting(rng)
    day = stage.turning.flown_on
    return earlier_flight(known, flown_on=day, shadow=stage.shadow, seed=light.seed), light


def _blocks(stage: Stage, what: str) -> Iterator[Window]:
    grid = stage.source.grid
    blocks = list(
        cut_blocks(height=grid.height, width=grid.width, core=_BLOCK_PX, halo=0, per_side=1)
    )
    for number, block in enumerate(blocks, start=1):
        yield block.tiles[0].core
        stage.tell(what, number, len(blocks))


def _flown_at(flight: Flight) -> str | None:
    """Return day and hour as the orthophoto's own tag has them, else the day at noon."""
    if flight.flown_on is None:
        return None
    day = flight.flown_on.isoformat().replace("-", ":")
    with rasterio.open(flight.sources[0].path) as raster:
        tag = str(raster.tags().get("TIFFTAG_DATETIME", ""))
    return tag if tag.startswith(day) else f"{day} 12:00:00"


def _write_after(stage: Stage, done: tuple[Done, ...], path: Path) -> None:
    with Draft(path, stage.drafts, stage.source.grid, _flown_at(stage.flight)) as draft:
        for window in _blocks(stage, "after"):
            draft.write(patched(stage, done, window, "after"), window)


def _write_before(
    stage: Stage, done: tuple[Done, ...], path: Path, how: tuple[FlightPlan, Relighting]
) -> None:
    grid, day = stage.source.grid, stage.turning.flown_on
    warp = Warp(grid, working_crs(grid), how[0], stage.pixel_m)
    noon = None if day is None else f"{day.isoformat().replace('-', ':')} 12:00:00"
    with Draft(path, stage.drafts, grid, noon) as draft:
        for window in _blocks(stage, "before"):
            wide = window.padded(RELIGHT_HALO_PX)
            cols, rows = warp.maps(wide)
            source = span_of(cols, rows)
            picture = sample(patched(stage, done, source, "before"), source, cols, rows)
            shown = relight(picture.colour, how[1], wide)
            cut = window.slices_in(wide)
            valid = picture.valid[cut]
            draft.write(Picture(np.where(valid, shown[:, *cut], 0), valid), window)


def _layers(outlines: Outlines, done: tuple[Done, ...]) -> dict[str, Rows]:
    """Return the truth, layer by layer, with outlines as (col, row)."""
    rows, shapes = outlines.rows, outlines.shapes
    gone = {item.change.building for item in done if not item.change.decoy}
    decoys = [item for item in done if item.change.decoy]
    return {
        "appeared": [(shapes[n], {"row": rows[n]}) for n in sorted(gone)],
        "standing": [(shape, {"row": rows[n]}) for n, shape in enumerate(shapes) if n not in gone],
        "decoys": [
            (item.change.outline, {"row": rows[item.change.building], "date": item.change.date})
            for item in decoys
        ],
        "repainted": [
            (
                part,
                {
                    "row": rows[item.change.building],
                    "date": item.change.date,
                    "decoy": item.change.decoy,
                },
            )
            for item in done
            for part in _repainted(item)
        ],
    }


def _repainted(item: Done) -> Iterator[Polygon]:
    """Yield the ground on which a change has new pixels, as (col, row) of the file."""
    mask = item.patch().mask
    place = Affine.translation(item.window.col, item.window.row)
    for part, _value in polygons_of(mask.astype(np.uint8), mask=mask, transform=place):
        yield Polygon(part["coordinates"][0], part["coordinates"][1:])


def _describe(
    stage: Stage, chosen: Chosen, metric: CRS, how: tuple[FlightPlan, Relighting]
) -> dict[str, Any]:
    """Return what there is to know about the pair."""
    days = {"before": stage.turning.flown_on, "after": stage.flight.flown_on}
    decoys = [item.change.date for item in chosen.done if item.change.decoy]
    return {
        "generator": SOFTWARE,
        "orthophoto": Path(stage.source.path).name,
        "seed": stage.seed,
        "turning": asdict(replace(stage.turning, flown_on=None)),
        "flown_on": {key: None if day is None else day.isoformat() for key, day in days.items()},
        "crs": describe_crs(metric),
        "crs_wkt": metric.to_wkt(),
        "pixel_m": stage.pixel_m,
        "displacement_of_before": asdict(how[0].displacement),
        "light_of_before": asdict(how[1]),
        "shadow": asdict(stage.shadow),
        "counts": {
            "outlines": len(stage.outlines.shapes),
            "wanted": chosen.wanted,
            "appeared": len(decoys),
            "decoys_before": decoys.count("before"),
            "decoys_after": decoys.count("after"),
            "repaired_rows": stage.outlines.repaired,
            "unusable_rows": stage.outlines.unusable,
            "rows_outside_the_picture": stage.outlines.outside,
        },
        "left_standing": {why: chosen.left[why] for why in LEFT},
    }
