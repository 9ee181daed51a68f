"""A real orthophoto turned back, from file to folder: read by windows, written whole or not at all.

::

    ortho ----+--shadow_profile--> where shadows fall
    outlines -+--turn_back, tile by tile--> patches, kept on the disk
              +--blocks--> after.tif   the real picture and half of the decoys
              +--blocks--> before.tif  buildings gone, the other decoys; warped, in another light

Memory holds one tile with its surroundings, whatever the size of the picture. Both pictures keep
the grid of the orthophoto. Displacement and truth are in `working_crs`, metres: the orthophoto's
own CRS where that is metric, else the zone around its middle.
"""

import json
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import shapely
from pyproj import CRS
from shapely import Polygon, STRtree

from survey.crs import describe_crs, transformer
from survey.errors import FlightError, OutputError
from survey.examination import examine
from survey.flight import Flight, open_flight
from survey.grid import ground_pixel, working_crs
from survey.reading import Picture, read_stored
from survey.simulation.flights import FlightPlan
from survey.simulation.turning.footprints import Shadow, find_shadow, luminance, shadow_profile
from survey.simulation.turning.pair_files import SOFTWARE, Draft, Rows, write_layers
from survey.simulation.turning.relighting import (
    RELIGHT_HALO_PX,
    Relighting,
    draw_relighting,
    relight,
)
from survey.simulation.turning.standing import Outlines, read_outlines
from survey.simulation.turning.turned_back import (
    Change,
    Patch,
    Turning,
    View,
    burn,
    draw_displacement,
    turn_back,
)
from survey.simulation.turning.warping import Warp, earlier_flight, sample, span_of
from survey.source import Source
from survey.windows import Window, cut_blocks
from survey.words import _

__all__ = ["turn_back_file"]

Image = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.bool_]

# Side of the tiles in which buildings are chosen, m; their surroundings come on top.
_TILE_M = 100.0
_BLOCK_PX = 1024
# Windows of this side around that many buildings tell where the shadows fall.
_LOOK_M, _LOOKS = 60.0, 60


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stage:
    """All that the steps share."""

    flight: Flight
    """The orthophoto."""
    source: Source
    """Its one file."""
    pixel_m: float
    """Pixel on the ground, m."""
    outlines: Outlines
    """The buildings."""
    tree: STRtree
    """Finds outlines by place, in (col, row)."""
    shadow: Shadow
    """Where shadows fall."""
    turning: Turning
    """How much to change."""
    seed: int
    """Decides everything."""
    drafts: Path
    """Folder for what is not finished."""

    def near(self, window: Window) -> list[int]:
        """Return which outlines meet a window, in order."""
        found = self.tree.query(_box(window), predicate="intersects")
        return sorted(found.tolist())


@dataclass(frozen=True, slots=True, kw_only=True)
class _Done:
    """A change whose pixels lie on the disk."""

    change: Change
    """The change, with its building's place among all outlines and without pixels."""
    window: Window
    """Where its pixels lie in the file."""
    path: Path
    """Where they are kept."""

    def patch(self) -> Patch:
        """Read the pixels."""
        with np.load(self.path) as kept:
            return Patch(
                window=self.window, core=kept["core"], mask=kept["mask"], colour=kept["colour"]
            )


def turn_back_file(
    ortho: Path,
    outlines: Path | gpd.GeoDataFrame | gpd.GeoSeries,
    folder: Path,
    *,
    seed: int,
    turning: Turning | None = None,
) -> dict[str, Any]:
    """Make a pair of flights with known changes from one real orthophoto.

    Parameters
    ----------
    ortho
        The orthophoto, one file.
    outlines
        Outlines of its buildings, a vector file or geometries with a CRS.
    folder
        Where ``before.tif``, ``after.tif``, ``truth.gpkg`` (layers ``appeared``, ``standing``,
        ``decoys``) and ``truth.json`` appear; must not exist or be empty.
    seed
        Decides everything; the same seed gives the same bytes.
    turning
        How much to change.

    Returns
    -------
    dict
        What ``truth.json`` holds.

    Raises
    ------
    survey.errors.FlightError
        The orthophoto cannot be read, or is a folder of several files.
    survey.errors.LayerError
        The outlines cannot be read, or none lies within the picture.
    survey.errors.OutputError
        There is something in the folder already, or it cannot be written.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        text = _("{folder} is not empty: name a new folder for the pair of flights")
        raise OutputError(text.format(folder=folder))
    flight = examine(open_flight(ortho))
    if len(flight.sources) != 1:
        text = _("{path}: give one orthophoto; join the tiles first (gdalbuildvrt, gdal_translate)")
        raise FlightError(text.format(path=ortho))
    known = read_outlines(outlines, flight.sources[0].grid)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        beside = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    except OSError as error:
        text = _("{path}: cannot be written ({error})")
        raise OutputError(text.format(path=folder, error=error.strerror)) from error
    try:
        facts = _make(flight, known, beside, turning or Turning(), seed)
        beside.chmod(0o755)
        beside.replace(folder)
    except BaseException:
        shutil.rmtree(beside, ignore_errors=True)
        raise
    return facts


def _make(
    flight: Flight, outlines: Outlines, folder: Path, turning: Turning, seed: int
) -> dict[str, Any]:
    """Write everything into a folder that is not yet in its place."""
    source = flight.sources[0]
    drafts = folder / "drafts"
    drafts.mkdir()
    stage = _Stage(
        flight=flight,
        source=source,
        pixel_m=float(np.sqrt(np.prod(ground_pixel(source.grid)))),
        outlines=outlines,
        tree=STRtree(outlines.shapes),
        shadow=Shadow(down=0.0, across=0.0, contrast=0.0),
        turning=turning,
        seed=seed,
        drafts=drafts,
    )
    stage = replace(stage, shadow=find_shadow(_profiles(stage)))
    done = _change(stage)
    metric = working_crs(source.grid)
    how = _draw(stage, metric)
    _write_after(stage, done, folder / "after.tif")
    _write_before(stage, done, folder / "before.tif", how)
    shutil.rmtree(drafts)
    day = flight.flown_on or turning.flown_on
    write_layers(folder / "truth.gpkg", _layers(stage, done), (source.grid, metric), day)
    facts = _describe(stage, done, metric, how)
    text = json.dumps(facts, ensure_ascii=False, indent=1, sort_keys=True)
    (folder / "truth.json").write_text(text + "\n", encoding="utf-8")
    told: dict[str, Any] = json.loads(text)
    return told


def _draw(stage: _Stage, metric: CRS) -> tuple[FlightPlan, Relighting]:
    """Draw how far the earlier flight lies off, and its light."""
    grid, rng = stage.source.grid, np.random.default_rng([stage.seed, 1])
    x, y = transformer(grid.crs, metric).transform(*grid.center)
    known = draw_displacement(
        rng, centre_x=float(x), centre_y=float(y), most_shift_m=stage.turning.most_shift_m
    )
    light = draw_relighting(rng)
    day = stage.turning.flown_on
    return earlier_flight(known, flown_on=day, shadow=stage.shadow, seed=light.seed), light


def _box(window: Window) -> Polygon:
    return shapely.box(
        window.col, window.row, window.col + window.width, window.row + window.height
    )


def _read(source: Source, window: Window) -> Picture:
    """Read a window that may overhang the picture; nothing is valid out there."""
    colour = np.zeros((3, window.height, window.width), np.uint8)
    valid = np.zeros((window.height, window.width), bool)
    inside = window.clipped(height=source.grid.height, width=source.grid.width)
    if inside is not None:
        (part,) = read_stored(source, [inside])
        cut = inside.slices_in(window)
        colour[:, *cut], valid[cut] = part.colour, part.valid
    return Picture(colour, valid)


def _profiles(stage: _Stage) -> Iterator[npt.NDArray[np.float64]]:
    """Look around some buildings for the side on which shadows fall."""
    rng = np.random.default_rng([stage.seed, 2])
    count = len(stage.outlines.shapes)
    side = round(_LOOK_M / stage.pixel_m)
    for number in np.sort(rng.permutation(count)[:_LOOKS]).tolist():
        point = stage.outlines.shapes[number].representative_point()
        window = Window(
            row=int(point.y) - side // 2, col=int(point.x) - side // 2, height=side, width=side
        )
        picture = _read(stage.source, window)
        shapes = [stage.outlines.shapes[n] for n in stage.near(window)]
        roofs = burn(shapes, window) > 0
        yield shadow_profile(luminance(picture.colour), roofs, picture.valid, stage.pixel_m)


def _change(stage: _Stage) -> list[_Done]:
    """Choose and fill, tile by tile in a fixed order; pixels go to the disk."""
    grid, done = stage.source.grid, list[_Done]()
    core = max(64, round(_TILE_M / stage.pixel_m))
    halo = round(stage.turning.reach_m / stage.pixel_m)
    for block in cut_blocks(height=grid.height, width=grid.width, core=core, halo=halo, per_side=1):
        tile = block.tiles[0]
        seen = tile.seen.clipped(height=grid.height, width=grid.width)
        numbers = stage.near(tile.core)
        if seen is None or not numbers:
            continue
        near = stage.near(seen)
        view = View(
            picture=_read(stage.source, seen),
            window=seen,
            core=tile.core,
            outlines=[stage.outlines.shapes[n] for n in near],
            pixel_m=stage.pixel_m,
            shadow=stage.shadow,
        )
        rng = np.random.default_rng([stage.seed, 3, block.row, block.col])
        odd = len(done) // 2 % 2
        for change in turn_back(
            view, stage.turning, rng, taken=_taken(done, seen), first=("before", "after")[odd]
        ):
            done.append(_keep(stage, replace(change, building=near[change.building]), len(done)))
    return done


def _meets(first: Window, second: Window) -> bool:
    apart = replace(second, row=second.row - first.row, col=second.col - first.col)
    return apart.clipped(height=first.height, width=first.width) is not None


def _taken(done: list[_Done], window: Window) -> Mask:
    """Return where a window has been changed by earlier tiles."""
    marks = np.zeros((3, window.height, window.width), np.uint8)
    for item in done:
        if _meets(window, item.window):
            patch = item.patch()
            replace(patch, colour=np.full_like(patch.colour, 1)).lay(marks, window)
    return np.asarray(marks[0] > 0)


def _keep(stage: _Stage, change: Change, index: int) -> _Done:
    path, patch = stage.drafts / f"{index:06d}.npz", change.patch
    np.savez(path, core=patch.core, mask=patch.mask, colour=patch.colour)
    none = np.zeros((1, 1), bool)
    empty = replace(patch, core=none, mask=none, colour=np.zeros((3, 1, 1), np.uint8))
    return _Done(change=replace(change, patch=empty), window=patch.window, path=path)


def _blocks(stage: _Stage) -> Iterator[Window]:
    grid = stage.source.grid
    for block in cut_blocks(
        height=grid.height, width=grid.width, core=_BLOCK_PX, halo=0, per_side=1
    ):
        yield block.tiles[0].core


def _patched(stage: _Stage, done: list[_Done], window: Window, date: str) -> Picture:
    """Read a window with the patches of a date laid over it."""
    picture = _read(stage.source, window)
    for item in done:
        if item.change.date == date and _meets(window, item.window):
            item.patch().lay(picture.colour, window)
    return picture


def _write_after(stage: _Stage, done: list[_Done], path: Path) -> None:
    day = stage.flight.flown_on
    with Draft(path, stage.drafts, stage.source.grid, day) as draft:
        for window in _blocks(stage):
            draft.write(_patched(stage, done, window, "after"), window)


def _write_before(
    stage: _Stage, done: list[_Done], path: Path, how: tuple[FlightPlan, Relighting]
) -> None:
    grid, day = stage.source.grid, stage.turning.flown_on
    warp = Warp(grid, working_crs(grid), how[0], stage.pixel_m)
    with Draft(path, stage.drafts, stage.source.grid, day) as draft:
        for window in _blocks(stage):
            wide = window.padded(RELIGHT_HALO_PX)
            cols, rows = warp.maps(wide)
            source = span_of(cols, rows)
            picture = sample(_patched(stage, done, source, "before"), source, cols, rows)
            shown = relight(picture.colour, how[1], wide)
            cut = window.slices_in(wide)
            valid = picture.valid[cut]
            draft.write(Picture(np.where(valid, shown[:, *cut], 0), valid), window)


def _layers(stage: _Stage, done: list[_Done]) -> dict[str, Rows]:
    """Return the truth, layer by layer, with outlines as (col, row)."""
    rows, shapes = stage.outlines.rows, stage.outlines.shapes
    gone = {item.change.building for item in done if not item.change.decoy}
    return {
        "appeared": [(shapes[n], {"row": rows[n]}) for n in sorted(gone)],
        "standing": [(shape, {"row": rows[n]}) for n, shape in enumerate(shapes) if n not in gone],
        "decoys": [
            (item.change.outline, {"row": rows[item.change.building], "date": item.change.date})
            for item in done
            if item.change.decoy
        ],
    }


def _describe(
    stage: _Stage, done: list[_Done], metric: CRS, how: tuple[FlightPlan, Relighting]
) -> dict[str, Any]:
    """Return what there is to know about the pair."""
    days = {"before": stage.turning.flown_on, "after": stage.flight.flown_on}
    decoys = [item.change.date for item in done if item.change.decoy]
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
            "appeared": len(decoys),
            "decoys_before": decoys.count("before"),
            "decoys_after": decoys.count("after"),
            "repaired_outlines": stage.outlines.repaired,
            "dropped_outlines": stage.outlines.dropped,
        },
    }
