"""What a model says of the whole area, kept on disk while a job runs.

A model sees every tile of the working grid once. Candidates are looked at in windows of their own
afterwards, and read from here what was said there.
"""

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from affine import Affine
from numpy.typing import NDArray

from change.model.detector import Maps
from survey.grid import WorkingGrid
from survey.windows import Window

__all__ = ["MapFile", "create_map_file"]

# Models give their maps at 0.4 m: no more is kept, m.
_CELL_M = 0.4
_LEVELS = 255


@dataclass(frozen=True, slots=True, kw_only=True)
class MapFile:
    """Maps over a working grid; any number of processes may read it and write their own tiles."""

    path: Path
    """File of unsigned bytes, (map, row, col)."""
    names: tuple[str, ...]
    """The maps it holds, of ``change.model.manifest.MAPS``."""
    shape: tuple[int, int]
    """Rows and columns of cells."""
    factor: int
    """Pixels of the grid along the side of a cell."""
    transform: Affine
    """From (col, row) of the cells to (x, y)."""

    def _cells(self, mode: str) -> NDArray[np.uint8]:
        return np.memmap(self.path, np.uint8, mode, shape=(len(self.names), *self.shape))  # type: ignore[call-overload,no-any-return]

    def write(self, core: Window, maps: Maps) -> None:
        """Keep the maps of a tile's core, (row, col) in pixels of the grid.

        Corners of cores must lie on whole cells.
        """
        factor = self.factor
        row, col = core.row // factor, core.col // factor
        cells = self._cells("r+")
        for number, name in enumerate(self.names):
            band = maps[name]
            down, right = (-side % factor for side in band.shape)
            if down or right:
                band = np.pad(band, ((0, down), (0, right)), mode="edge")
            height, width = band.shape[0] // factor, band.shape[1] // factor
            means = cv2.resize(band, (width, height), interpolation=cv2.INTER_AREA)
            cells[number, row : row + height, col : col + width] = np.rint(means * _LEVELS)

    def read(self, transform: Affine, shape: tuple[int, int]) -> Maps:
        """Return the maps, (row, col) in [0, 1], of any window; 0 where nothing was said.

        Parameters
        ----------
        transform
            From (col, row) of the window to (x, y).
        shape
            Its rows and columns.
        """
        place = ~self.transform @ transform
        corners = [place @ corner for corner in ((0, 0), (shape[1], shape[0]))]
        left, right = sorted(int(np.floor(corner[0])) for corner in corners)
        top, bottom = sorted(int(np.floor(corner[1])) for corner in corners)
        rows = slice(max(0, top - 2), max(0, min(self.shape[0], bottom + 3)))
        cols = slice(max(0, left - 2), max(0, min(self.shape[1], right + 3)))
        cells = np.array(self._cells("r")[:, rows, cols])
        if not cells.size:
            return {name: np.zeros(shape, np.float32) for name in self.names}
        # Centres to centres: OpenCV counts from the middle of the first pixel.
        half = Affine.translation(0.5, 0.5)
        move = ~half @ Affine.translation(-cols.start, -rows.start) @ place @ half
        matrix = np.array([[move.a, move.b, move.c], [move.d, move.e, move.f]])
        how = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        return {
            name: np.asarray(
                cv2.warpAffine(band.astype(np.float32), matrix, shape[::-1], flags=how) / _LEVELS,
                np.float32,
            )
            for name, band in zip(self.names, cells, strict=True)
        }


def create_map_file(path: Path, grid: WorkingGrid, names: tuple[str, ...]) -> MapFile:
    """Create the file of an area; what is never written takes no room on disk and reads as 0."""
    factor = max(1, round(_CELL_M / grid.pixel_m))
    shape = -(-grid.height // factor), -(-grid.width // factor)
    with path.open("wb") as target:
        target.truncate(len(names) * shape[0] * shape[1])
    return MapFile(
        path=path,
        names=names,
        shape=shape,
        factor=factor,
        transform=grid.transform @ Affine.scale(factor),
    )
