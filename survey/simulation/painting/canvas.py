"""A window of the ground as painters see it: heights, reflectance and how surfaces face the sun."""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from survey.simulation.scene import Place

__all__ = ["Box", "Canvas", "Lattice", "Surface", "cover_edge", "frame_of"]

Floats = npt.NDArray[np.float64]
Singles = npt.NDArray[np.float32]
Numbers = npt.NDArray[np.int32]

_COVERED = 0.5


def _centres(first: int, count: int) -> Floats:
    return np.arange(first, first + count, dtype=np.float64) + 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Lattice:
    """A window of the scene's endless pixel grid.

    Column c has its centre at x = (c + 0.5) pixel_m, row r at y = -(r + 0.5) pixel_m: rows run
    south, so rows of the area are negative.
    """

    pixel_m: float
    """Pixel, metres."""
    column: int
    """First column."""
    row: int
    """First row."""
    columns: int
    """Number of columns."""
    rows: int
    """Number of rows."""

    def __post_init__(self) -> None:
        """Refuse an empty window."""
        if self.columns <= 0 or self.rows <= 0 or self.pixel_m <= 0:
            msg = f"empty window: {self.columns} x {self.rows} of {self.pixel_m} m"
            raise ValueError(msg)

    @property
    def x(self) -> Floats:
        """Centres of the columns, metres east, shape (columns,)."""
        return _centres(self.column, self.columns) * self.pixel_m

    @property
    def y(self) -> Floats:
        """Centres of the rows, metres north, shape (rows,)."""
        return -_centres(self.row, self.rows) * self.pixel_m

    def cut(self, place: Place, half_u_m: float, half_v_m: float) -> "Lattice | None":
        """Give the part that holds a rectangle of these half sides, or None."""
        bearing = math.radians(place.bearing_deg)
        sin, cos = abs(math.sin(bearing)), abs(math.cos(bearing))
        reach_x, reach_y = half_u_m * sin + half_v_m * cos, half_u_m * cos + half_v_m * sin
        west = max(self.column, math.floor((place.x - reach_x) / self.pixel_m))
        east = min(self.column + self.columns, math.ceil((place.x + reach_x) / self.pixel_m))
        north = max(self.row, math.floor((-place.y - reach_y) / self.pixel_m))
        south = min(self.row + self.rows, math.ceil((-place.y + reach_y) / self.pixel_m))
        if west >= east or north >= south:
            return None
        return Lattice(
            pixel_m=self.pixel_m, column=west, row=north, columns=east - west, rows=south - north
        )


def frame_of(lattice: Lattice, place: Place) -> tuple[Singles, Singles]:
    """Give u (along) and v (across) of every pixel of a lattice in the frame of a place, metres."""
    bearing = math.radians(place.bearing_deg)
    sin, cos = math.sin(bearing), math.cos(bearing)
    east = (lattice.x - place.x)[None, :]
    north = (lattice.y - place.y)[:, None]
    u = (east * sin).astype(np.float32) + (north * cos).astype(np.float32)
    v = (east * cos).astype(np.float32) - (north * sin).astype(np.float32)
    return u, v


@dataclass(frozen=True, slots=True, kw_only=True)
class Canvas:
    """Arrays over one lattice, painted in place by whoever draws a thing."""

    lattice: Lattice
    """Where the arrays lie."""
    height: Singles
    """Height of the surface in metres, shape (rows, columns)."""
    albedo: Singles
    """Reflectance, shape (3, rows, columns); a glint may lie above 1."""
    facing: Singles
    """Cosine between surface normal and sun, shape (rows, columns)."""
    mirror: Singles
    """Share of the pixel that is water or glass, where matching fails, shape (rows, columns)."""
    owner: Numbers
    """Number of the structure on top, 0 for none, shape (rows, columns)."""

    @classmethod
    def blank(cls, lattice: Lattice) -> "Canvas":
        """Give an unpainted canvas."""
        shape = (lattice.rows, lattice.columns)
        return cls(
            lattice=lattice,
            height=np.zeros(shape, dtype=np.float32),
            albedo=np.zeros((3, *shape), dtype=np.float32),
            facing=np.zeros(shape, dtype=np.float32),
            mirror=np.zeros(shape, dtype=np.float32),
            owner=np.zeros(shape, dtype=np.int32),
        )

    def crop(self, lattice: Lattice) -> "Canvas":
        """Give the part of it on a smaller lattice, as views."""
        row, column = lattice.row - self.lattice.row, lattice.column - self.lattice.column
        cut = (slice(row, row + lattice.rows), slice(column, column + lattice.columns))
        return Canvas(
            lattice=lattice,
            height=self.height[cut],
            albedo=self.albedo[(slice(None), *cut)],
            facing=self.facing[cut],
            mirror=self.mirror[cut],
            owner=self.owner[cut],
        )

    def box(self, place: Place, half_u_m: float, half_v_m: float) -> "Box | None":
        """Cut the window around a thing, or None where the canvas does not show it."""
        lattice = self.lattice.cut(place, half_u_m, half_v_m)
        return Box(canvas=self, lattice=lattice, place=place) if lattice else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Surface:
    """What a thing looks like from above, on the window of its box."""

    albedo: Singles
    """Reflectance, shape (3, rows, columns) or (3, 1, 1)."""
    facing: Singles | float
    """Cosine between its normal and the sun, shape (rows, columns) or one number."""
    mirror: float = 0.0
    """1 where it is water or glass."""
    owner: int = 0
    """Number of the structure it belongs to, 0 for none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """The part of a canvas around one thing, with coordinates in the thing's own frame."""

    canvas: Canvas
    """What is painted on."""
    lattice: Lattice
    """The part of it."""
    place: Place
    """Where the thing stands and how it is turned."""

    @property
    def _window(self) -> tuple[slice, slice]:
        row = self.lattice.row - self.canvas.lattice.row
        column = self.lattice.column - self.canvas.lattice.column
        return slice(row, row + self.lattice.rows), slice(column, column + self.lattice.columns)

    @property
    def height(self) -> Singles:
        """Heights so far, metres, shape (rows, columns); a view."""
        return self.canvas.height[self._window]

    def frame(self) -> tuple[Singles, Singles]:
        """Give u (along) and v (across) of every pixel, metres, shape (rows, columns)."""
        return frame_of(self.lattice, self.place)

    def tint(self, cover: Singles, albedo: Singles, mirror: float = 0.0) -> None:
        """Colour the ground by `albedo` (3, rows, columns) where `cover` is above 0."""
        window = self._window
        below = self.canvas.albedo[(slice(None), *window)]
        below += (albedo - below) * cover
        glassy = self.canvas.mirror[window]
        glassy += (np.float32(mirror) - glassy) * cover

    def lift(self, rise: Singles) -> None:
        """Raise (or, below 0, sink) the surface by metres, shape (rows, columns)."""
        self.canvas.height[self._window] += rise

    def lay(self, cover: Singles, top: Singles, surface: Surface) -> None:
        """Put a surface in place wherever it is not below what is there already.

        Parameters
        ----------
        cover
            Share of each pixel that it covers, shape (rows, columns).
        top
            Its height in metres, same shape.
        surface
            What it looks like.
        """
        seen = np.where(top >= self.height, cover, np.float32(0.0))
        self.tint(seen, surface.albedo, surface.mirror)
        window = self._window
        lit = self.canvas.facing[window]
        lit += (surface.facing - lit) * seen
        solid = seen >= _COVERED
        np.copyto(self.canvas.height[window], top, where=solid)
        np.copyto(self.canvas.owner[window], np.int32(surface.owner), where=solid)


def cover_edge(inside_m: Singles, pixel_m: float) -> Singles:
    """Turn a distance inside an edge (negative outside) into the share of the pixel covered."""
    share = inside_m * np.float32(1.0 / pixel_m) + np.float32(0.5)
    return np.asarray(np.clip(share, 0.0, 1.0), dtype=np.float32)
