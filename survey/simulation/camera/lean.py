"""Tall buildings as a mosaic shows them: roofs drawn outwards, facades in view beneath them."""

import math
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from survey.simulation.camera.atlas import Atlas, bounds_of
from survey.simulation.camera.mosaic import lean_at
from survey.simulation.camera.render import Lit
from survey.simulation.flights import FlightPlan
from survey.simulation.painting.canvas import Lattice, frame_of
from survey.simulation.painting.moment import Moment
from survey.simulation.painting.palette import WALLS, to_linear
from survey.simulation.painting.roofs import roof_top
from survey.simulation.painting.texture import hash_line, mix_seed
from survey.simulation.scene import Part, Place
from survey.simulation.sun import Sun

__all__ = ["Leaned", "lean_window"]

Singles = npt.NDArray[np.float32]
Numbers = npt.NDArray[np.int32]
Mask = npt.NDArray[np.bool_]

_LEAST_PX = 0.3  # what leans less than that stays where it is
_STOREY_M = 3.2
_BAY_M = 3.1
_SKYLIGHT = 0.5  # share of the sky that an upright wall sees
_BEFORE_M = 0.5
_ROUNDS = 4  # at a lean of 0.5 and a slope of 0.6 every round leaves 0.3 of the error
_PANE = (0.05, 0.22)  # reflectance of a window: open and dark, or shut with a curtain behind


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaned:
    """A window of the scene as the mosaic shows it, before lens and camera."""

    image: Singles
    """Light, shape (3, rows, columns)."""
    rise: Singles
    """Height above the ground of what is seen, metres, shape (rows, columns)."""
    owner: Numbers
    """Number of the structure that is seen, 0 for none, shape (rows, columns)."""


def lean_window(atlas: Atlas, moment: Moment, flight: FlightPlan, lit: Lit) -> Leaned:
    """Draw the structures of a window where the mosaic shows them.

    Parameters
    ----------
    atlas
        The area.
    moment
        Flight and sun.
    flight
        The flight whose pictures lean.
    lit
        The window with every pixel at its true place.

    Returns
    -------
    Leaned
        Same shape; correct where the longest lean does not reach in from beyond the window.
    """
    rise = lit.canvas.height - lit.ground
    leaned = Leaned(image=lit.image, rise=rise, owner=lit.canvas.owner)
    jobs = _jobs(atlas, moment, flight, lit.canvas.lattice)
    if not jobs:
        return leaned
    leaned = Leaned(image=lit.image.copy(), rise=rise.copy(), owner=lit.canvas.owner.copy())
    for job in jobs:  # their feet are bare before anything is drawn over them
        _clear(job, leaned)
    for job in jobs:
        _draw(job, lit, leaned)
    return leaned


@dataclass(frozen=True, slots=True, kw_only=True)
class _Job:
    """One part that leans."""

    part: Part
    """The volume."""
    number: int
    """Number of its structure."""
    lean: tuple[float, float]
    """Metres east and north per metre of height."""
    lattice: Lattice
    """The window that holds it upright and leaning."""
    offset: tuple[int, int]
    """First row and column of that window."""
    sun: Sun
    """Direction to the sun."""

    @property
    def cut(self) -> tuple[slice, slice]:
        """The window's rows and columns."""
        row, column = self.offset
        return slice(row, row + self.lattice.rows), slice(column, column + self.lattice.columns)


def _jobs(atlas: Atlas, moment: Moment, flight: FlightPlan, lattice: Lattice) -> list[_Job]:
    """List the parts that lean visibly, the lowest first."""
    jobs = []
    for structure, _ in atlas.structures(bounds_of(lattice)):
        parts = structure.parts_at(moment.flight)
        if not parts:
            continue
        lean = lean_at(flight, structure.foot.x, structure.foot.y)
        if math.hypot(*lean) * structure.height_at(moment.flight) < _LEAST_PX * lattice.pixel_m:
            continue
        for part in parts:
            window = _reach(part, lean, lattice)
            if window is not None:
                offset = (window.row - lattice.row, window.column - lattice.column)
                jobs.append(
                    _Job(
                        part=part, number=structure.number, lean=lean,
                        lattice=window, offset=offset, sun=moment.sun,
                    )
                )  # fmt: skip
    return sorted(jobs, key=lambda job: job.part.height_m)


def _reach(part: Part, lean: tuple[float, float], lattice: Lattice) -> Lattice | None:
    half_m = math.hypot(part.length_m, part.width_m) / 2 + math.hypot(*lean) * part.top_m / 2 + 0.5
    x, y = (part.place.x + lean[0] * part.top_m / 2, part.place.y + lean[1] * part.top_m / 2)
    return lattice.cut(Place(x=x, y=y), half_m, half_m)


def _clear(job: _Job, leaned: Leaned) -> None:
    """Forget the height and owner of a roof at its upright place."""
    mine = leaned.owner[job.cut] == job.number
    leaned.rise[job.cut][mine] = 0.0
    leaned.owner[job.cut][mine] = 0


def _draw(job: _Job, lit: Lit, leaned: Leaned) -> None:
    """Draw facade and roof of one part over what is lower."""
    u, v = frame_of(job.lattice, job.part.place)
    lean_u, lean_v = _in_frame(job.part, job.lean)
    share, side = _strike(job.part, (lean_u, lean_v), u, v)
    height = share * np.float32(job.part.top_m)
    shown = leaned.rise[job.cut]
    wall = (share >= job.part.base_m / job.part.top_m) & (share < 1.0) & (height >= shown)
    # Under a gable, an arch or the upper eaves of a single pitch a wall goes on above the slab.
    wall &= height <= roof_top(job.part, u - lean_u * height, v - lean_v * height)
    image = leaned.image[(slice(None), *job.cut)]
    _paint_wall(job, (u, v, height, side), wall, (lit, image))
    np.copyto(shown, height, where=wall)
    np.copyto(leaned.owner[job.cut], np.int32(job.number), where=wall)
    _draw_roof(job, (u, v), lit, leaned)


def _in_frame(part: Part, lean: tuple[float, float]) -> tuple[float, float]:
    """Turn metres east and north into metres along u and v."""
    bearing = math.radians(part.place.bearing_deg)
    sin, cos = math.sin(bearing), math.cos(bearing)
    return lean[0] * sin + lean[1] * cos, lean[0] * cos - lean[1] * sin


def _strike(
    part: Part, lean: tuple[float, float], u: Singles, v: Singles
) -> tuple[Singles, Singles]:
    """Find how high each line of sight meets the upright box of a part.

    Going down a line of sight, the ground point moves with the lean from p - lean * height at the
    top to p at the ground; the slabs of the rectangle cut out the stretch inside it.

    Returns
    -------
    tuple of numpy.ndarray
        Height over that of the top where it enters from above, 1 above the box, negative where it
        passes by; and which wall it meets: 0 across u, 1 across v.
    """
    enter = np.full(u.shape, -np.inf, dtype=np.float32)
    leave = np.full(u.shape, np.inf, dtype=np.float32)
    side = np.zeros(u.shape, dtype=np.float32)
    for axis, (place, half) in enumerate(((u, part.length_m / 2), (v, part.width_m / 2))):
        reach = lean[axis] * part.top_m
        if abs(reach) < 1e-6:
            outside = np.abs(place) > half
            leave = np.where(outside, np.float32(-1.0), leave)
            continue
        low = (place - np.float32(math.copysign(half, reach))) / np.float32(reach)
        high = (place + np.float32(math.copysign(half, reach))) / np.float32(reach)
        enter = np.maximum(enter, low)
        side = np.where(high < leave, np.float32(axis), side)
        leave = np.minimum(leave, high)
    top = np.minimum(leave, np.float32(1.0))
    missed = (top < np.maximum(enter, 0.0)) | (leave < 0.0)
    return np.where(missed, np.float32(-1.0), top), side


def _paint_wall(
    job: _Job,
    places: tuple[Singles, Singles, Singles, Singles],
    wall: Mask,
    pictures: tuple[Lit, Singles],
) -> None:
    """Colour the visible walls: one tint, rows of windows, lit by sky and perhaps sun."""
    if not wall.any():
        return
    lit, image = pictures
    u, v, height, side = (place[wall] for place in places)
    lean_u, lean_v = _in_frame(job.part, job.lean)
    along = np.where(side > 0.5, u - lean_u * height, v - lean_v * height)
    bay = (along / np.float32(_BAY_M)) % 1.0
    storey = (height / np.float32(_STOREY_M)) % 1.0
    pane = (np.abs(bay - 0.5) < 0.27) & (np.abs(storey - 0.55) < 0.24)
    each = hash_line(
        np.floor(along / _BAY_M).astype(np.int64) * 64
        + np.floor(height / _STOREY_M).astype(np.int64),
        mix_seed(job.part.seed, 90),
    )
    sunny = np.where(side > 0.5, _wall_sun(job, 0.0, lean_v), _wall_sun(job, lean_u, 0.0))
    shade, sky = _at_foot(job, wall, height, lit)
    light = np.float32(lit.sunny) * np.maximum(sunny, 0.0) * (np.float32(1.0) - shade)
    light += np.float32(lit.diffuse * _SKYLIGHT) * (
        sky + (np.float32(1.0) - sky) * height / np.float32(job.part.top_m)
    )
    tint = to_linear(WALLS[job.part.wall])[:, :, 0]
    worn = light * (np.float32(0.9) + np.float32(0.2) * each)
    pane_light = light * (np.float32(_PANE[0]) + np.float32(_PANE[1] - _PANE[0]) * each)
    image[:, wall] = np.where(pane, pane_light, tint * worn)


def _at_foot(job: _Job, wall: Mask, height: Singles, lit: Lit) -> tuple[Singles, Singles]:
    """Give shadow and open sky on the ground before the foot of a visible wall."""
    row, column = np.nonzero(wall)
    pixel = job.lattice.pixel_m
    before = _BEFORE_M / max(math.hypot(*job.lean), 1e-9)  # the wall faces against the lean
    back = (height + np.float32(before)) / np.float32(pixel)
    row = np.round(row + job.offset[0] + back * job.lean[1]).astype(np.int64)
    column = np.round(column + job.offset[1] - back * job.lean[0]).astype(np.int64)
    rows, columns = lit.shade.shape
    there = (np.clip(row, 0, rows - 1), np.clip(column, 0, columns - 1))
    return lit.shade[there], lit.sky[there]


def _wall_sun(job: _Job, lean_u: float, lean_v: float) -> float:
    """Give the cosine between the sun and the wall that a lean shows, which faces against it."""
    length = math.hypot(lean_u, lean_v)
    if length == 0.0:
        return 0.0
    bearing = math.radians(job.part.place.bearing_deg)
    sun_u = job.sun.east * math.sin(bearing) + job.sun.north * math.cos(bearing)
    sun_v = job.sun.east * math.cos(bearing) - job.sun.north * math.sin(bearing)
    return -(lean_u * sun_u + lean_v * sun_v) / length


def _draw_roof(job: _Job, places: tuple[Singles, Singles], lit: Lit, leaned: Leaned) -> None:
    """Copy a roof, with what stands on it, from its upright place to its leaning one."""
    u, v = places
    lean_u, lean_v = _in_frame(job.part, job.lean)
    top = np.full_like(u, job.part.height_m + 0.5 * job.part.rise_m)
    for _ in range(_ROUNDS):  # the height under the line of sight and the place on the roof
        top = roof_top(job.part, u - lean_u * top, v - lean_v * top)
    inside = np.abs(u - lean_u * top) <= job.part.length_m / 2
    inside &= np.abs(v - lean_v * top) <= job.part.width_m / 2
    inside &= top >= leaned.rise[job.cut]
    if not inside.any():
        return
    row, column = job.offset
    pixel = np.float32(job.lattice.pixel_m)
    across = np.arange(column, column + job.lattice.columns, dtype=np.float32)[None, :]
    down = np.arange(row, row + job.lattice.rows, dtype=np.float32)[:, None]
    across, down = (
        across - top * np.float32(job.lean[0]) / pixel,
        down + (top * np.float32(job.lean[1]) / pixel),
    )
    for band in range(3):
        taken = cv2.remap(
            lit.image[band], across, down, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )
        np.copyto(leaned.image[band][job.cut], taken, where=inside)
    np.copyto(leaned.rise[job.cut], top, where=inside)
    np.copyto(leaned.owner[job.cut], np.int32(job.number), where=inside)
