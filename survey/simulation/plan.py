"""Flights drawn at random: a year over one area, every flight with its own error and light."""

import datetime as dt
import math
from dataclasses import replace

import numpy as np

from survey.simulation.flights import (
    SOUTH_M,
    WEST_M,
    AreaPlan,
    Displacement,
    FlightPlan,
    Light,
    Mosaic,
    Setting,
    SurfaceError,
    Wave,
)
from survey.simulation.sun import locate_sun

__all__ = ["draw_plan"]

_FIRST_DAY = dt.date(2025, 3, 15)
_YEAR_DAYS = 365
_OVERCAST = 0.25  # share of flights without shadows worth the name
_COMPRESSED = 0.9


def _draw_displacement(
    rng: np.random.Generator, centre: tuple[float, float], offset_m: float, *, first: bool
) -> Displacement:
    """Draw an error of 0.5 m and more; the first flight, by convention the best, gets less."""
    reach, bearing = rng.uniform(0.5, offset_m), rng.uniform(0.0, 2.0 * math.pi)
    size = min(0.5, 0.15 * reach) if first else reach
    warp = 0.05 if first else 0.18
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
    share = 0.3 if first else 1.0
    return Displacement(
        east_m=float(size * math.sin(bearing)),
        north_m=float(size * math.cos(bearing)),
        rotation_deg=float(rng.uniform(-0.08, 0.08) * share),
        scale_ppm=float(rng.uniform(-400.0, 400.0) * share),
        centre_x=centre[0],
        centre_y=centre[1],
        waves=waves,
    )


def _draw_camera(rng: np.random.Generator) -> Light:
    """Draw the camera that flies an area: how it renders tones, colours and edges.

    Ranges are those in which rendered pictures have the contrast, chroma, edges and blocks of open
    drone imagery; see `benchmarks/realism.py`.
    """
    return Light(
        contrast=float(rng.uniform(1.1, 1.5)),
        saturation=float(rng.uniform(0.8, 1.35)),
        blur_px=float(rng.uniform(0.2, 0.45)),
        sharpen=float(rng.uniform(0.3, 1.0)),
        noise=float(rng.uniform(0.2, 0.9)),
        jpeg_quality=int(rng.integers(50, 88)) if rng.random() < _COMPRESSED else None,
    )


def _draw_light(rng: np.random.Generator, camera: Light) -> Light:
    """Draw the weather of a flight, and what the camera's automatics make of it."""
    overcast = rng.random() < _OVERCAST
    return replace(
        camera,
        exposure=float(rng.uniform(0.78, 1.1) * (1.15 if overcast else 1.0)),
        red=float(rng.uniform(0.93, 1.09)),
        blue=float(rng.uniform(0.93, 1.12)),
        contrast=camera.contrast * float(rng.uniform(0.94, 1.06)),
        saturation=camera.saturation * float(rng.uniform(0.92, 1.08)),
        diffuse=float(rng.uniform(0.65, 0.9) if overcast else rng.uniform(0.16, 0.32)),
        haze=float(rng.uniform(0.0, 0.02)),
        blur_px=camera.blur_px * float(rng.uniform(0.85, 1.3)),
    )


def _draw_mosaic(rng: np.random.Generator) -> Mosaic:
    return Mosaic(
        cell_m=float(rng.uniform(30.0, 65.0)),
        altitude_m=float(rng.uniform(80.0, 150.0)),
        lean=float(rng.uniform(0.0, 0.6)),
        vignetting=float(rng.uniform(0.0, 0.14)),
        unevenness=float(rng.uniform(0.0, 0.035)),
        tear_m=float(rng.uniform(0.02, 0.12)),
        holes=int(rng.integers(0, 2)),
    )


def _draw_surface_error(rng: np.random.Generator) -> SurfaceError:
    return SurfaceError(
        datum_m=float(rng.uniform(-3.0, 3.0)),
        east_mm_per_m=float(rng.uniform(-1.5, 1.5)),
        north_mm_per_m=float(rng.uniform(-1.5, 1.5)),
        noise_m=float(rng.uniform(0.03, 0.08)),
        smoothing_m=float(rng.uniform(0.22, 0.5)),
        blunder_m=float(rng.uniform(0.6, 2.5)),
        bridged_m=float(rng.uniform(0.6, 1.3)),
        trees_missing=float(rng.uniform(0.03, 0.3)),
    )


def draw_plan(  # noqa: PLR0913 - the one door to everything that can be asked of a simulation
    *,
    seed: int,
    side_m: float = 200.0,
    pixel_m: float = 0.08,
    flights: int = 4,
    setting: Setting = "fringe",
    pace: float = 1.0,
    offset_m: float = 3.0,
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
    setting
        What kind of ground it is: `fringe` (villages, a factory and fields), `urban_village`
        (houses metres apart), `town`, `industrial`, `farmland`, `hills` or `greenhouses`.
    pace
        How much is built and removed, in multiples of the setting's usual; 0 for nothing at all,
        though roofs are repainted, crops grow and goods come and go.
    offset_m
        Greatest offset of a flight, metres; 10 for flights without any ground control.

    Returns
    -------
    AreaPlan
        Ready for `simulate_area`; change single flights with `dataclasses.replace`.
    """
    rng = np.random.Generator(np.random.PCG64([seed, 1]))
    centre = (WEST_M + side_m / 2, SOUTH_M + side_m / 2)
    latitude_deg = centre[1] / 110_750.0  # metres per degree of meridian at 23 N, for the sun only
    camera = _draw_camera(rng)
    plans = []
    for index in range(flights):
        day = _FIRST_DAY + dt.timedelta(days=index * _YEAR_DAYS // max(flights, 4))
        hour = float(rng.uniform(9.0, 15.5))
        start = dt.datetime.combine(day, dt.time()) + dt.timedelta(minutes=round(hour * 60))
        shift_east_m, shift_north_m = rng.uniform(-0.5, 0.5, 2)
        plans.append(
            FlightPlan(
                index=index,
                flown_at=start,
                sun=locate_sun(start, latitude_deg),
                displacement=_draw_displacement(rng, centre, offset_m, first=index == 0),
                light=_draw_light(rng, camera),
                mosaic=_draw_mosaic(rng),
                surface=_draw_surface_error(rng),
                shift_east_m=float(shift_east_m),
                shift_north_m=float(shift_north_m),
                wetness=float(rng.uniform(0.4, 1.0) if rng.random() < 0.3 else rng.uniform(0, 0.2)),
                water_m=float(rng.uniform(-1.0, 0.4)),
                seed=int(rng.integers(2**31)),
            )
        )
    return AreaPlan(
        seed=seed,
        side_m=side_m,
        pixel_m=pixel_m,
        flights=tuple(plans),
        setting=setting,
        pace=pace,
    )
