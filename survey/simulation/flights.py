"""How a simulated area is flown: when, in which light, and how far off the ground truth.

Convention of the displacement d: the ground point whose true position is (x, y) appears in the
flight's orthophoto and surface model at the georeferenced position (x + dx, y + dy).
"""

import datetime as dt
import math
from dataclasses import dataclass, field
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from survey.simulation.sun import Sun

__all__ = [
    "SETTINGS",
    "SOUTH_M",
    "WEST_M",
    "AreaPlan",
    "Displacement",
    "FlightPlan",
    "Light",
    "Mosaic",
    "Setting",
    "SurfaceError",
    "Wave",
    "displacement",
    "undo_displacement",
]

Floats = npt.NDArray[np.float64]

Setting = Literal[
    "fringe", "urban_village", "town", "industrial", "farmland", "hills", "greenhouses"
]
SETTINGS: tuple[Setting, ...] = get_args(Setting)
"""Kinds of ground an area can be: see `survey.simulation.plan.draw_plan`."""

# Inside CGCS2000 zone 114E, on no real building's ground: the scene is invented.
WEST_M = 435_600.0
SOUTH_M = 2_556_400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Wave:
    """One plane wave of the local warp."""

    east_m: float
    """Amplitude in x, metres."""
    north_m: float
    """Amplitude in y, metres."""
    length_m: float
    """Wavelength, metres."""
    bearing_deg: float
    """Direction in which it runs, degrees clockwise from north."""
    phase_deg: float
    """Phase at the centre of the area, degrees."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Displacement:
    """The known error of a flight's georeferencing; see `displacement`."""

    east_m: float = 0.0
    """Constant offset in x, metres."""
    north_m: float = 0.0
    """Constant offset in y, metres."""
    rotation_deg: float = 0.0
    """Rotation about the centre, degrees clockwise."""
    scale_ppm: float = 0.0
    """Stretch about the centre, millionths."""
    centre_x: float = 0.0
    """Centre of rotation and stretch, metres east in the area's CRS."""
    centre_y: float = 0.0
    """Centre of rotation and stretch, metres north in the area's CRS."""
    waves: tuple[Wave, ...] = ()
    """The smooth local warp."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Light:
    """What camera and weather make of the colours."""

    exposure: float = 1.0
    """Factor on the light that reaches the sensor."""
    red: float = 1.0
    """White balance: factor on red."""
    blue: float = 1.0
    """White balance: factor on blue."""
    contrast: float = 1.0
    """Slope of the tone curve at middle grey; 1 for none beyond the transfer curve."""
    saturation: float = 1.0
    """Factor on the distance of colours from grey."""
    diffuse: float = 0.3
    """Share of skylight, 0 (no air) to 1 (overcast, no shadows)."""
    haze: float = 0.0
    """Veil added to every pixel, share of full scale."""
    blur_px: float = 0.6
    """Standard deviation of the lens blur, pixels of the scene."""
    sharpen: float = 0.0
    """Amount of the camera's unsharp mask; 0 for none."""
    noise: float = 2.0
    """Standard deviation of the sensor's noise, grey values of 255."""
    jpeg_quality: int | None = None
    """Quality at which the camera's pictures were compressed, 1 to 100; None for not at all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mosaic:
    """How single pictures were put together into one orthophoto."""

    cell_m: float = 60.0
    """Distance between the pictures that are used, metres."""
    altitude_m: float = 110.0
    """Height of the camera above the ground, metres."""
    lean: float = 0.0
    """Share of relief displacement left in the mosaic: 0 for a true orthophoto, 1 where it was
    rectified on bare ground, so that roofs lean outwards and facades show."""
    vignetting: float = 0.0
    """Share of light lost in the corners of a picture."""
    unevenness: float = 0.0
    """Standard deviation of the pictures' exposures about their mean, as a share."""
    tear_m: float = 0.0
    """How far edges of roofs are torn and stretched, metres."""
    collar: Literal["none", "mask", "black", "white"] = "none"
    """Ragged edge of the mosaic: none, masked out, or opaque black or white."""
    holes: int = 0
    """Number of places, some metres across, where no picture matched."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SurfaceError:
    """What is wrong with a flight's surface model beside its displacement."""

    datum_m: float = 0.0
    """Constant added to every height, metres."""
    east_mm_per_m: float = 0.0
    """Tilt: height added per metre east of the centre, millimetres."""
    north_mm_per_m: float = 0.0
    """Tilt: height added per metre north of the centre, millimetres."""
    noise_m: float = 0.0
    """Standard deviation of the noise, metres."""
    smoothing_m: float = 0.3
    """Standard deviation of the smoothing that rounds the edges, metres."""
    blunder_m: float = 0.0
    """Standard deviation of the heights matched on water and glass, metres."""
    bridged_m: float = 0.0
    """Width up to which gaps between roofs are bridged, metres."""
    trees_missing: float = 0.0
    """Share of the crowns that were matched on the ground below."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FlightPlan:
    """One flight over the area."""

    index: int
    """Place in the order of flights, from 0."""
    flown_at: dt.datetime
    """Local mean solar time of the flight."""
    sun: Sun
    """Where the sun stood."""
    displacement: Displacement = field(default_factory=Displacement)
    """Error of the georeferencing."""
    light: Light = field(default_factory=Light)
    """Camera and weather."""
    surface: SurfaceError = field(default_factory=SurfaceError)
    """Error of the surface model."""
    mosaic: Mosaic = field(default_factory=Mosaic)
    """How the pictures were put together."""
    shift_east_m: float = 0.0
    """How far the file's corner lies east of the area's, metres."""
    shift_north_m: float = 0.0
    """How far the file's corner lies north of the area's, metres."""
    wetness: float = 0.0
    """How wet bare ground is, 0 (dust) to 1 (after rain)."""
    water_m: float = 0.0
    """Level of ponds and canals above their mean, metres; -1 to 0.5 is usual."""
    seed: int = 0
    """Seed of noise, vehicles' dirt and all else that changes from flight to flight."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AreaPlan:
    """An area and all its flights."""

    seed: int
    """Seed of the scene."""
    side_m: float
    """Side of the square area, metres."""
    pixel_m: float
    """Pixel of scene and orthophotos, metres."""
    flights: tuple[FlightPlan, ...]
    """The flights in the order flown."""
    setting: Setting = "fringe"
    """What kind of ground it is."""
    pace: float = 1.0
    """How much is built and removed, in multiples of the setting's usual; 0 for nothing, though
    everything else goes on."""
    surface_pixel_m: float = 0.25
    """Pixel of the surface models, metres."""
    west_m: float = WEST_M
    """Easting of the area's south-west corner in `crs`, metres."""
    south_m: float = SOUTH_M
    """Northing of the area's south-west corner in `crs`, metres."""
    crs: str = "EPSG:4547"
    """CRS of the flights: CGCS2000, 3-degree zone 114E."""

    def __post_init__(self) -> None:
        """Refuse a plan that leaves nothing to see."""
        if not self.flights or self.side_m < 40 * self.pixel_m or self.pixel_m <= 0:
            msg = (
                f"{len(self.flights)} flights over {self.side_m} m at {self.pixel_m} m: too little"
            )
            raise ValueError(msg)

    @property
    def dates(self) -> tuple[dt.date, ...]:
        """Days of the flights, in order."""
        return tuple(flight.flown_at.date() for flight in self.flights)


def displacement(plan: FlightPlan, x: Floats, y: Floats) -> tuple[Floats, Floats]:
    """Evaluate the known displacement of a flight.

    A ground point truly at (x, y) appears at the georeferenced position (x + dx, y + dy).

    Parameters
    ----------
    plan
        The flight.
    x
        True eastings in the area's CRS, metres, any shape.
    y
        True northings in the area's CRS, metres, same shape.

    Returns
    -------
    tuple of numpy.ndarray
        dx (east) and dy (north), metres, same shape.

    Examples
    --------
    >>> from survey.simulation.plan import draw_plan
    >>> plan = draw_plan(seed=1, side_m=60.0)
    >>> dx, dy = displacement(plan.flights[1], np.array([435_630.0]), np.array([2_556_430.0]))
    >>> bool(abs(dx[0]) < 4.0)
    True
    """
    known = plan.displacement
    east, north = x - known.centre_x, y - known.centre_y
    turn, stretch = math.radians(known.rotation_deg), 1.0 + known.scale_ppm * 1e-6
    along, across = stretch * math.cos(turn), stretch * math.sin(turn)
    dx = known.east_m + (along - 1.0) * east + across * north
    dy = known.north_m - across * east + (along - 1.0) * north
    for wave in known.waves:
        bearing = math.radians(wave.bearing_deg)
        way = (math.sin(bearing) * east + math.cos(bearing) * north) / wave.length_m
        swing = np.sin(2.0 * math.pi * way + math.radians(wave.phase_deg))
        dx = dx + wave.east_m * swing
        dy = dy + wave.north_m * swing
    return dx, dy


def undo_displacement(plan: FlightPlan, x: Floats, y: Floats) -> tuple[Floats, Floats]:
    """Find the true position of what appears at a georeferenced position.

    The displacement changes by less than 3 % of a step, so three rounds of fixed-point iteration
    leave less than 0.1 mm.

    Parameters
    ----------
    plan
        The flight.
    x
        Georeferenced eastings, metres, any shape.
    y
        Georeferenced northings, metres, same shape.

    Returns
    -------
    tuple of numpy.ndarray
        True eastings and northings, metres.
    """
    true_x, true_y = x, y
    for _ in range(3):
        dx, dy = displacement(plan, true_x, true_y)
        true_x, true_y = x - dx, y - dy
    return true_x, true_y
