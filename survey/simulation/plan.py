"""Flights drawn at random: a year over one area, every flight with its own error and light."""

import datetime as dt
import math

import numpy as np

from survey.simulation.flights import (
    SOUTH_M,
    WEST_M,
    AreaPlan,
    Displacement,
    FlightPlan,
    Light,
    SurfaceError,
    Wave,
)
from survey.simulation.sun import locate_sun

__all__ = ["draw_plan"]

_FIRST_DAY = dt.date(2025, 3, 15)
_YEAR_DAYS = 365


def _draw_displacement(
    rng: np.random.Generator, index: int, centre_x: float, centre_y: float
) -> Displacement:
    """Draw an error of 0.5 to 3 m; the first flight, by convention the best, gets under 0.5 m."""
    reach, bearing = rng.uniform(0.5, 3.0), rng.uniform(0.0, 2.0 * math.pi)
    size = reach if index else 0.15 * reach
    warp = 0.18 if index else 0.05
    waves = tuple(
        Wave(
            east_m=float(rng.uniform(-warp, warp)),
            north_m=float(rng.uniform(-warp, warp)),
            length_m=float(rng.uniform(80.0, 140.0)),
            bearing_deg=float(rng.uniform(0.0, 360.0)),
            phase_deg=float(rng.uniform(0.0, 360.0)),
        )
        for _ in range(3)
    )
    return Displacement(
        east_m=float(size * math.sin(bearing)),
        north_m=float(size * math.cos(bearing)),
        rotation_deg=float(rng.uniform(-0.08, 0.08) * (1.0 if index else 0.3)),
        scale_ppm=float(rng.uniform(-400.0, 400.0) * (1.0 if index else 0.3)),
        centre_x=centre_x,
        centre_y=centre_y,
        waves=waves,
    )


def _draw_light(rng: np.random.Generator) -> Light:
    return Light(
        exposure=float(rng.uniform(0.85, 1.2)),
        red=float(rng.uniform(0.94, 1.08)),
        blue=float(rng.uniform(0.92, 1.08)),
        diffuse=float(rng.uniform(0.24, 0.42)),
        haze=float(rng.uniform(0.0, 0.05)),
        blur_px=float(rng.uniform(0.5, 0.8)),
        noise=float(rng.uniform(1.2, 2.6)),
    )


def _draw_surface_error(rng: np.random.Generator) -> SurfaceError:
    return SurfaceError(
        datum_m=float(rng.uniform(-3.0, 3.0)),
        east_mm_per_m=float(rng.uniform(-1.5, 1.5)),
        north_mm_per_m=float(rng.uniform(-1.5, 1.5)),
        noise_m=float(rng.uniform(0.03, 0.05)),
    )


def draw_plan(
    *, seed: int, side_m: float = 200.0, pixel_m: float = 0.08, flights: int = 4
) -> AreaPlan:
    """Plan flights over one year of an area, every one with its own error and light.

    Parameters
    ----------
    seed
        Decides everything.
    side_m
        Side of the square area, metres.
    pixel_m
        Pixel of the orthophotos, metres.
    flights
        How many, evenly over a year from 15 March 2025.

    Returns
    -------
    AreaPlan
        Ready for `simulate_area`; change single flights with `dataclasses.replace`.
    """
    rng = np.random.Generator(np.random.PCG64([seed, 1]))
    centre_x, centre_y = WEST_M + side_m / 2, SOUTH_M + side_m / 2
    latitude_deg = centre_y / 110_750.0  # metres per degree of meridian at 23 N, for the sun only
    plans = []
    for index in range(flights):
        day = _FIRST_DAY + dt.timedelta(days=index * _YEAR_DAYS // max(flights, 4))
        hour = float(rng.uniform(9.5, 15.0))
        start = dt.datetime.combine(day, dt.time()) + dt.timedelta(minutes=round(hour * 60))
        shift_east_m, shift_north_m = rng.uniform(-0.5, 0.5, 2)
        plans.append(
            FlightPlan(
                index=index,
                flown_at=start,
                sun=locate_sun(start, latitude_deg),
                displacement=_draw_displacement(rng, index, centre_x, centre_y),
                light=_draw_light(rng),
                surface=_draw_surface_error(rng),
                shift_east_m=float(shift_east_m),
                shift_north_m=float(shift_north_m),
                seed=int(rng.integers(2**31)),
            )
        )
    return AreaPlan(seed=seed, side_m=side_m, pixel_m=pixel_m, flights=tuple(plans))
