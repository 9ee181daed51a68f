"""How single pictures lie in a mosaic: which of them shows a place, how bright, what they miss."""

import numpy as np
import numpy.typing as npt

from survey.simulation.flights import FlightPlan
from survey.simulation.painting.texture import hash_lattice, hash_line, mix_seed, smooth_noise

__all__ = ["lean_at", "light_gain", "most_lean", "seen_in"]

Floats = npt.NDArray[np.float64]
Singles = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]
Indices = npt.NDArray[np.int64]

_JITTER = 0.3  # pilots and wind move pictures that far off their raster, share of its step
_COLLAR_M = 3.0
_HOLE_M = (2.0, 6.0)
_NEIGHBOURS = tuple((down, across) for down in (-1, 0, 1) for across in (-1, 0, 1))
_FAREST = 1.1  # greatest distance to the nearest jittered picture, in steps of the raster


def _key(column: Indices, row: Indices) -> Indices:
    """Give every picture of the raster a number; the factor is larger than any raster."""
    return column * 7919 + row


def _nadir(flight: FlightPlan, column: Indices, row: Indices) -> tuple[Floats, Floats]:
    """Give the foot points of pictures by their place in the raster, metres east and north."""
    cell_m = flight.mosaic.cell_m
    key = _key(column, row)
    aside = hash_line(key, mix_seed(flight.seed, 80)).astype(np.float64) - 0.5
    along = hash_line(key, mix_seed(flight.seed, 81)).astype(np.float64) - 0.5
    x = (column + 0.5 + 2.0 * _JITTER * aside) * cell_m
    return x, (row + 0.5 + 2.0 * _JITTER * along) * cell_m


def _nearest(flight: FlightPlan, x: Floats, y: Floats) -> tuple[Floats, Floats, Indices]:
    """Give offset east and north from the foot of the picture used for each place, and its key."""
    cell_m = flight.mosaic.cell_m
    column, row = (np.floor(value / cell_m).astype(np.int64) for value in (x, y))
    best = np.full(x.shape, np.inf)
    east, north, key = np.zeros(x.shape), np.zeros(x.shape), np.zeros(x.shape, dtype=np.int64)
    for down, across in _NEIGHBOURS:
        foot_x, foot_y = _nadir(flight, column + across, row + down)
        away = (x - foot_x) ** 2 + (y - foot_y) ** 2
        closer = away < best
        best = np.where(closer, away, best)
        east, north = np.where(closer, x - foot_x, east), np.where(closer, y - foot_y, north)
        key = np.where(closer, _key(column + across, row + down), key)
    return east, north, key


def lean_at(flight: FlightPlan, x: float, y: float) -> tuple[float, float]:
    """Give how far things lean in the mosaic, metres east and north per metre of height.

    A point h above the ground, r from the foot of a camera at altitude a, is drawn about r h / a
    too far out (K. Kraus, Photogrammetry, 2nd ed. 2007, section on the differential rectification
    of buildings); `Mosaic.lean` is the share of it that the mosaic has kept.
    """
    if flight.mosaic.lean == 0.0:
        return 0.0, 0.0
    east, north, _ = _nearest(flight, np.array([x]), np.array([y]))
    share = flight.mosaic.lean / flight.mosaic.altitude_m
    return float(east[0]) * share, float(north[0]) * share


def most_lean(flight: FlightPlan) -> float:
    """Bound the lean anywhere in the mosaic, metres per metre of height."""
    return flight.mosaic.lean * _FAREST * flight.mosaic.cell_m / flight.mosaic.altitude_m


def light_gain(flight: FlightPlan, x: Floats, y: Floats) -> Floats:
    """Give the factor that exposure and vignetting of single pictures put on the light.

    Parameters
    ----------
    flight
        The flight.
    x
        Metres east, any shape.
    y
        Metres north, same shape.

    Returns
    -------
    numpy.ndarray
        float64, same shape; 1 where pictures are even.
    """
    mosaic = flight.mosaic
    if mosaic.vignetting == 0.0 and mosaic.unevenness == 0.0:
        return np.ones(x.shape)
    east, north, key = _nearest(flight, x, y)
    even = hash_line(key, mix_seed(flight.seed, 82)) + hash_line(key, mix_seed(flight.seed, 83))
    gain = 1.0 + mosaic.unevenness * 6.0**0.5 * (even.astype(np.float64) - 1.0)
    corner = (_FAREST * mosaic.cell_m) ** 2
    return np.asarray(gain * (1.0 - mosaic.vignetting * (east**2 + north**2) / corner))


def seen_in(flight: FlightPlan, x: Floats, y: Floats, side_m: float) -> Mask:
    """Say where the mosaic has pixels: inside its ragged collar and outside its holes.

    Parameters
    ----------
    flight
        The flight.
    x
        Metres east of the file's left edge, shape (columns,).
    y
        Metres north of the file's lower edge, shape (rows,).
    side_m
        Side of the file, metres.

    Returns
    -------
    numpy.ndarray
        bool, shape (rows, columns).
    """
    seen = np.ones((y.size, x.size), dtype=np.bool_)
    if flight.mosaic.collar != "none":
        edge = np.minimum(np.minimum(x, side_m - x)[None, :], np.minimum(y, side_m - y)[:, None])
        ragged = smooth_noise(x, y, 11.0, mix_seed(flight.seed, 31))
        ragged += np.float32(0.3) * smooth_noise(x, y, 2.0, mix_seed(flight.seed, 32))
        seen = np.asarray(edge > _COLLAR_M * (ragged - 0.25), dtype=np.bool_)
    for hole in range(flight.mosaic.holes):
        seen &= ~_hole(flight, hole, x, y, side_m)
    return seen


def _hole(flight: FlightPlan, number: int, x: Floats, y: Floats, side_m: float) -> Mask:
    draws = hash_lattice(np.arange(3), np.array([number]), mix_seed(flight.seed, 33))[0]
    centre_x, centre_y = float(draws[0]) * side_m, float(draws[1]) * side_m
    radius_m = _HOLE_M[0] + (_HOLE_M[1] - _HOLE_M[0]) * float(draws[2])
    away = np.hypot((x - centre_x)[None, :], (y - centre_y)[:, None])
    if away.min() > 2.0 * radius_m:
        return np.zeros(away.shape, dtype=np.bool_)
    ragged = smooth_noise(x, y, 1.5, mix_seed(flight.seed, 34, number))
    return np.asarray(away < radius_m * (0.5 + ragged), dtype=np.bool_)
