"""Where the sun stands, and what it leaves in shadow."""

import datetime as dt
import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["Sun", "locate_sun", "shade_below", "shadow_reach", "sight_line"]

Heights = npt.NDArray[np.float32]

# Height of the obstruction above the sight line over which a shadow goes from light to full: with
# the sun half a degree wide and photogrammetric edges, shadows are soft over a few decimetres.
_PENUMBRA_M = 0.22
_LOWEST_SUN_DEG = 15.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Sun:
    """Direction to the sun."""

    azimuth_deg: float
    """Degrees clockwise from north."""
    elevation_deg: float
    """Degrees above the horizon."""

    def __post_init__(self) -> None:
        """Refuse a sun under which nobody flies."""
        if not _LOWEST_SUN_DEG <= self.elevation_deg <= 90.0:  # the zenith
            msg = f"sun at {self.elevation_deg} degrees: from {_LOWEST_SUN_DEG} to 90 is possible"
            raise ValueError(msg)

    @property
    def east(self) -> float:
        """East component of the unit vector to the sun."""
        return math.sin(math.radians(self.azimuth_deg)) * math.cos(math.radians(self.elevation_deg))

    @property
    def north(self) -> float:
        """North component of the unit vector to the sun."""
        return math.cos(math.radians(self.azimuth_deg)) * math.cos(math.radians(self.elevation_deg))

    @property
    def up(self) -> float:
        """Upward component of the unit vector to the sun."""
        return math.sin(math.radians(self.elevation_deg))


def locate_sun(moment: dt.datetime, latitude_deg: float) -> Sun:
    """Place the sun by day, hour and latitude.

    Declination after P. I. Cooper (1969), "The absorption of radiation in solar stills", good to
    half a degree, which moves the tip of a 10 m shadow by centimetres.

    Parameters
    ----------
    moment
        Local mean solar time.
    latitude_deg
        Degrees north.

    Returns
    -------
    Sun
        Direction to the sun.

    Examples
    --------
    >>> sun = locate_sun(dt.datetime(2025, 12, 21, 12), 23.0)
    >>> round(sun.azimuth_deg), round(sun.elevation_deg)
    (180, 44)
    """
    day = moment.timetuple().tm_yday
    tilt = math.radians(23.45 * math.sin(math.radians(360.0 * (284 + day) / 365.0)))
    turn = math.radians(15.0 * (moment.hour + moment.minute / 60.0 - 12.0))
    latitude = math.radians(latitude_deg)
    up = math.sin(latitude) * math.sin(tilt) + math.cos(latitude) * math.cos(tilt) * math.cos(turn)
    east = -math.cos(tilt) * math.sin(turn)
    north = math.sin(tilt) * math.cos(latitude) - math.cos(tilt) * math.sin(latitude) * math.cos(
        turn
    )
    return Sun(
        azimuth_deg=math.degrees(math.atan2(east, north)) % 360.0,
        elevation_deg=math.degrees(math.asin(up)),
    )


def shadow_reach(sun: Sun, relief_m: float) -> float:
    """Give the length of the longest shadow that `relief_m` of height can cast, metres."""
    return relief_m / math.tan(math.radians(sun.elevation_deg))


def sight_line(heights: Heights, pixel_m: float, sun: Sun, reach_m: float) -> Heights:
    """Find the height below which a place is out of the sun.

    The highest sight line that blocks a place is the maximum of h(p + t) - t tan(elevation) over
    all steps t towards the sun. Doubling the stretch that is covered with every pass needs log2
    passes in place of one per step, and whole-pixel shifts keep it exact in any window.

    Parameters
    ----------
    heights
        Heights in metres, shape (rows, columns), north up; must reach `reach_m` further towards
        the sun than what is wanted of the result.
    pixel_m
        Pixel, metres.
    sun
        Direction to the sun.
    reach_m
        How far away, along the ground, obstacles count, metres.

    Returns
    -------
    numpy.ndarray
        float32, same shape: metres; never below the surface itself.
    """
    azimuth = math.radians(sun.azimuth_deg)
    drop = pixel_m * math.tan(math.radians(sun.elevation_deg))
    line, stretch = heights.copy(), 1
    while stretch * pixel_m <= reach_m:
        row = -round(stretch * math.cos(azimuth))
        column = round(stretch * math.sin(azimuth))
        near, far = _overlap(heights.shape, row, column)
        blocked = line[far] - np.float32(stretch * drop)
        np.maximum(line[near], blocked, out=line[near])
        stretch *= 2
    return line


def shade_below(line: Heights, heights: Heights) -> Heights:
    """Give the share of direct sun that is lost below a sight line, 0 to 1, float32."""
    shade = (line - heights) * np.float32(1.0 / _PENUMBRA_M)
    return np.asarray(np.clip(shade, 0.0, 1.0, out=shade), dtype=np.float32)


def _overlap(
    shape: tuple[int, ...], row: int, column: int
) -> tuple[tuple[slice, slice], tuple[slice, slice]]:
    """Give the pixels that have a neighbour (row, column) further on, and those neighbours."""
    near, far = [], []
    for size, shift in zip(shape, (row, column), strict=True):
        near.append(slice(max(0, -shift), max(0, size - max(0, shift))))
        far.append(slice(max(0, shift), max(0, size - max(0, -shift))))
    return (near[0], near[1]), (far[0], far[1])
