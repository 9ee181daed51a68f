"""The ground that lies between all that people have made of it."""

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from survey.simulation.painting.canvas import Box, Canvas, Lattice
from survey.simulation.painting.moment import Moment
from survey.simulation.painting.natural import HABITS, grow
from survey.simulation.painting.strips import strips
from survey.simulation.painting.terrain import face_ground, terrain_at
from survey.simulation.scene import Place, Scene

__all__ = ["paint_ground"]

Singles = npt.NDArray[np.float32]


def paint_ground(canvas: Canvas, moment: Moment, scene: Scene) -> None:
    """Cover the whole canvas with terrain under what grows wild.

    Parameters
    ----------
    canvas
        What to paint on; height, facing and albedo are overwritten.
    moment
        Season, weather and sun.
    scene
        Gives relief, wild growth and seed.
    """
    whole = Box(canvas=canvas, lattice=canvas.lattice, place=Place(x=0.0, y=0.0))
    for box in strips(whole):
        lattice = box.lattice
        row, column = lattice.row - canvas.lattice.row, lattice.column - canvas.lattice.column
        window = (slice(row, row + lattice.rows), slice(column, column + lattice.columns))
        # One pixel more all round, so that slopes do not know where the window ends.
        level = terrain_at(*_rim(lattice), scene.terrain, scene.seed)
        inner = (slice(1, -1), slice(1, -1))
        canvas.height[window] = level[inner]
        canvas.facing[window] = face_ground(level, lattice.pixel_m, moment.sun)[inner]
        look = grow(lattice, scene.seed, moment, HABITS[scene.wild])
        canvas.albedo[(slice(None), *window)] = look.albedo
        if look.tilt is not None:
            facing = canvas.facing[window]
            facing += look.tilt
            np.clip(facing, 0.0, 1.0, out=facing)
        if look.rise is not None:
            box.lift(look.rise)


def _rim(lattice: Lattice) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    wide = replace(
        lattice,
        column=lattice.column - 1,
        row=lattice.row - 1,
        columns=lattice.columns + 2,
        rows=lattice.rows + 2,
    )
    return wide.x, wide.y
