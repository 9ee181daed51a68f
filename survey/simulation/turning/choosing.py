"""Which buildings go, tile by tile; changes lie on the disk, so that memory stays small."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import shapely
from shapely import Polygon, STRtree

from survey.blocks import Progress
from survey.flight import Flight
from survey.reading import Picture, read_stored
from survey.simulation.turning.changes import Change, Date, Left, Patch, Turning, View, burn
from survey.simulation.turning.masks import Mask, luminance
from survey.simulation.turning.shading import Shadow, find_shadow, shadow_profile
from survey.simulation.turning.standing import Outlines
from survey.simulation.turning.turned_back import turn_back
from survey.source import Source
from survey.windows import Window, cut_blocks
from survey.words import _

__all__ = ["Chosen", "Done", "Stage", "choose", "find_shadows", "patched", "read_window"]

# Side of the tiles in which buildings are chosen, m; their surroundings come on top. The pixels
# bound the memory where those are fine.
_TILE_M, _TILE_PX, _HALO_PX = 100.0, (64, 2048), 1024
# Windows of this side around that many buildings tell where the shadows fall.
_LOOK_M, _LOOK_PX, _LOOKS = 60.0, 1500, 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """All that the steps share."""

    flight: Flight
    """The orthophoto."""
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
    progress: Progress | None
    """Told after every piece of work."""

    @property
    def source(self) -> Source:
        """The orthophoto's one file."""
        return self.flight.sources[0]

    def near(self, window: Window) -> list[int]:
        """Return which outlines meet a window, in order."""
        found = self.tree.query(_box(window), predicate="intersects")
        return sorted(found.tolist())

    def tell(self, stage: str, done: int, total: int) -> None:
        """Tell of progress, if anybody wants to know."""
        if self.progress is not None:
            self.progress(stage, done, total)


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """What is changed, and why the rest is not."""

    done: tuple[Done, ...]
    """The changes: a building, its decoy, the next building, its decoy, and so on."""
    wanted: int
    """Buildings that were to go."""
    left: Counter[Left]
    """Of the other buildings that were looked at, how many stay for which reason."""


def _box(window: Window) -> Polygon:
    return shapely.box(
        window.col, window.row, window.col + window.width, window.row + window.height
    )


def read_window(source: Source, window: Window) -> Picture:
    """Read a window that may overhang the picture; nothing is valid out there."""
    colour = np.zeros((3, window.height, window.width), np.uint8)
    valid = np.zeros((window.height, window.width), bool)
    inside = window.clipped(height=source.grid.height, width=source.grid.width)
    if inside is not None:
        (part,) = read_stored(source, [inside])
        cut = inside.slices_in(window)
        colour[:, *cut], valid[cut] = part.colour, part.valid
    return Picture(colour, valid)


def find_shadows(stage: Stage) -> Shadow:
    """Return where the shadows of the picture fall, from the ground around some buildings."""
    return find_shadow(_profiles(stage))


def _profiles(stage: Stage) -> Iterator[npt.NDArray[np.float64]]:
    rng = np.random.default_rng([stage.seed, 2])
    count = len(stage.outlines.shapes)
    side = min(_LOOK_PX, round(_LOOK_M / stage.pixel_m))
    numbers = np.sort(rng.permutation(count)[:_LOOKS]).tolist()
    for done, number in enumerate(numbers, start=1):
        point = stage.outlines.shapes[number].representative_point()
        window = Window(
            row=int(point.y) - side // 2, col=int(point.x) - side // 2, height=side, width=side
        )
        picture = read_window(stage.source, window)
        roofs = burn([stage.outlines.shapes[n] for n in stage.near(window)], window)
        yield shadow_profile(luminance(picture.colour), roofs, picture.valid, stage.pixel_m)
        stage.tell(_("looking for shadows"), done, len(numbers))


def choose(stage: Stage) -> Chosen:
    """Choose and fill, tile by tile in a fixed order; pixels go to the disk."""
    grid, done, left, wanted = stage.source.grid, list[Done](), Counter[Left](), 0
    core = min(max(_TILE_PX[0], round(_TILE_M / stage.pixel_m)), _TILE_PX[1])
    halo = min(_HALO_PX, round(stage.turning.reach_m / stage.pixel_m))
    blocks = list(
        cut_blocks(height=grid.height, width=grid.width, core=core, halo=halo, per_side=1)
    )
    for number, block in enumerate(blocks, start=1):
        tile = block.tiles[0]
        seen = tile.seen.clipped(height=grid.height, width=grid.width)
        if seen is not None and stage.near(tile.core):
            rng = np.random.default_rng([stage.seed, 3, block.row, block.col])
            near = stage.near(seen)
            view = _view(stage, seen, tile.core, near)
            first: Date = "after" if len(done) // 2 % 2 else "before"
            turned = turn_back(view, stage.turning, rng, taken=_taken(done, seen), first=first)
            for change in turned.changes:
                whole = replace(change, building=near[change.building])
                done.append(_keep(stage, whole, len(done)))
            left.update(turned.left)
            wanted += turned.wanted
        stage.tell(_("taking buildings off"), number, len(blocks))
    return Chosen(done=tuple(done), wanted=wanted, left=left)


def _view(stage: Stage, seen: Window, core: Window, near: list[int]) -> View:
    return View(
        picture=read_window(stage.source, seen),
        window=seen,
        core=core,
        outlines=[stage.outlines.shapes[n] for n in near],
        pixel_m=stage.pixel_m,
        shadow=stage.shadow,
    )


def _meets(first: Window, second: Window) -> bool:
    apart = replace(second, row=second.row - first.row, col=second.col - first.col)
    return apart.clipped(height=first.height, width=first.width) is not None


def _taken(done: list[Done], window: Window) -> Mask:
    """Return where a window has been changed by earlier tiles."""
    marks = np.zeros((3, window.height, window.width), np.uint8)
    for item in done:
        if _meets(window, item.window):
            patch = item.patch()
            replace(patch, colour=np.full_like(patch.colour, 1)).lay(marks, window)
    return np.asarray(marks[0] > 0)


def _keep(stage: Stage, change: Change, index: int) -> Done:
    path, patch = stage.drafts / f"{index:06d}.npz", change.patch
    np.savez(path, core=patch.core, mask=patch.mask, colour=patch.colour)
    none = np.zeros((1, 1), bool)
    empty = replace(patch, core=none, mask=none, colour=np.zeros((3, 1, 1), np.uint8))
    return Done(change=replace(change, patch=empty), window=patch.window, path=path)


def patched(stage: Stage, done: tuple[Done, ...], window: Window, date: str) -> Picture:
    """Read a window with the patches of a date laid over it."""
    picture = read_window(stage.source, window)
    for item in done:
        if item.change.date == date and _meets(window, item.window):
            item.patch().lay(picture.colour, window)
    return picture
