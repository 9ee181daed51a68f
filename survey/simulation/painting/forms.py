"""The forms of roofs: how high every point lies and how it faces the sun."""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from survey.simulation.painting.pieces import between, draw
from survey.simulation.painting.texture import mix_seed
from survey.simulation.scene import Part, Place
from survey.simulation.sun import Sun

__all__ = ["Form", "gleam", "lit", "ridge_distance", "roof_top", "shape_roof", "sun_in"]

Singles = npt.NDArray[np.float32]
Vector = tuple[float, float, float]

# How far sheets and panes lie out of true, as a slope; the eye of a mosaic's camera is off the
# vertical by up to twice this. Both by eye, from how often roofs of one row glint apart.
_OUT_OF_TRUE = 0.03
_OFF_NADIR = 0.22


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """A roof above its eaves or slab, on the pixels of a box."""

    rise: Singles
    """Height above the eaves or slab, metres, shape (rows, columns)."""
    along: Singles | float
    """Slope along u, same shape or one number."""
    across: Singles | float
    """Slope along v, same shape or one number."""


def _gable(part: Part, v: Singles) -> Form:
    slope = np.float32(2.0 * part.rise_m / part.width_m)
    rise = np.abs(v)
    rise *= -slope
    rise += np.float32(part.rise_m)
    return Form(rise=rise, along=0.0, across=np.copysign(slope, -v))


def _hip(part: Part, u: Singles, v: Singles) -> Form:
    slope = np.float32(2.0 * part.rise_m / min(part.width_m, part.length_m))
    side = np.float32(part.width_m / 2) - np.abs(v)
    end = np.float32(part.length_m / 2) - np.abs(u)
    hipped = end < side
    along = np.copysign(slope, -u)
    along *= hipped
    across = np.copysign(slope, -v)
    across *= ~hipped
    rise = np.minimum(end, side)
    rise *= slope
    return Form(rise=rise, along=along, across=across)


def _arch(part: Part, v: Singles) -> Form:
    """Bend a sheet: a parabola, close to the arc of a tunnel and without its upright feet."""
    across = v * np.float32(-8.0 * part.rise_m / part.width_m**2)
    rise = v * across
    rise *= np.float32(0.5)
    rise += np.float32(part.rise_m)
    return Form(rise=rise, along=0.0, across=across)


def shape_roof(part: Part, u: Singles, v: Singles) -> Form:
    """Give height and slopes of a roof at places of the part's frame.

    Parameters
    ----------
    part
        The volume under the roof.
    u
        Metres along it from its centre, any shape.
    v
        Metres across it from its centre, same shape.

    Returns
    -------
    Form
        Beyond the eaves the slopes go on.
    """
    if part.rise_m <= 0.0 or part.roof in ("flat", "foundation", "frame"):
        return Form(rise=np.zeros_like(u), along=0.0, across=0.0)
    if part.roof == "mono":
        slope = part.rise_m / part.width_m
        rise = (v + np.float32(part.width_m / 2)) * np.float32(slope)
        return Form(rise=rise, along=0.0, across=slope)
    if part.roof == "gable":
        return _gable(part, v)
    return _hip(part, u, v) if part.roof == "hip" else _arch(part, v)


def roof_top(part: Part, u: Singles, v: Singles) -> Singles:
    """Give the height of a roof above the ground, without parapet and fixtures.

    Parameters
    ----------
    part
        The volume under the roof.
    u
        Metres along it from its centre, any shape.
    v
        Metres across it from its centre, same shape.

    Returns
    -------
    numpy.ndarray
        Metres above the ground of its structure, float32, shape of `u`.
    """
    rise = shape_roof(part, u, v).rise
    rise += np.float32(part.height_m)
    return rise


def ridge_distance(part: Part, u: Singles, v: Singles) -> Singles:
    """Give the distance to the nearest ridge or hip of a pitched roof in plan, metres.

    Parameters
    ----------
    part
        The volume under the roof.
    u
        Metres along it from its centre, any shape.
    v
        Metres across it from its centre, same shape.
    """
    ridge = np.abs(v)
    if part.roof != "hip":
        return ridge
    ahead = np.abs(u) - np.float32((part.length_m - part.width_m) / 2)
    hip = np.abs(ahead - ridge)
    hip *= np.float32(math.sqrt(0.5))  # hips run at 45 degrees
    np.copyto(ridge, hip, where=ahead > np.float32(0.0))
    return np.minimum(ridge, hip, out=ridge)


def sun_in(place: Place, sun: Sun) -> Vector:
    """Give the vector to the sun along u and v of a place and upwards."""
    bearing = math.radians(place.bearing_deg)
    sin, cos = math.sin(bearing), math.cos(bearing)
    return sun.east * sin + sun.north * cos, sun.east * cos - sun.north * sin, sun.up


def _dot(form: Form, vector: Vector) -> Singles | float:
    """Give the cosine between the roof's normal and a unit vector."""
    if not isinstance(form.along, np.ndarray) and not isinstance(form.across, np.ndarray):
        length = math.sqrt(1.0 + form.along**2 + form.across**2)
        return (vector[2] - form.along * vector[0] - form.across * vector[1]) / length
    steep = np.asarray(form.along * form.along + form.across * form.across, dtype=np.float32)
    steep += np.float32(1.0)
    cosine = form.across * np.float32(-vector[1])
    cosine -= form.along * np.float32(vector[0])
    cosine += np.float32(vector[2])
    cosine /= np.sqrt(steep)
    return np.asarray(cosine, dtype=np.float32)


def lit(form: Form, towards: Vector) -> Singles | float:
    """Give the cosine between a roof's normal and the sun, 0 where it looks away."""
    cosine = _dot(form, towards)
    if isinstance(cosine, float):
        return max(0.0, cosine)
    return np.maximum(cosine, np.float32(0.0), out=cosine)


def gleam(form: Form, towards: Vector, seed: int, flight_seed: int) -> Singles | float:
    """Give the cosine by which a roof misses mirroring the sun to the camera (Blinn, 1977).

    Parameters
    ----------
    form
        The roof.
    towards
        Unit vector to the sun in the roof's frame.
    seed
        Seed of the roof: how far its sheets lie out of true.
    flight_seed
        Seed of the flight: from where its camera looked here.

    Returns
    -------
    numpy.ndarray or float
        1 where it mirrors the sun.
    """
    eye = mix_seed(flight_seed, seed)
    aside = [between(eye, step, -_OFF_NADIR, _OFF_NADIR) for step in (1, 2)]
    bent = [_OUT_OF_TRUE * (draw(seed, step) + draw(seed, step + 2) - 1.0) for step in (40, 41)]
    stretch = math.sqrt(1.0 + aside[0] ** 2 + aside[1] ** 2)
    half = [
        towards[0] + aside[0] / stretch,
        towards[1] + aside[1] / stretch,
        towards[2] + 1.0 / stretch,
    ]
    norm = math.sqrt(sum(part * part for part in half))
    cosine = _dot(form, (half[0] / norm + bent[0], half[1] / norm + bent[1], half[2] / norm))
    if isinstance(cosine, float):
        return min(1.0, max(0.0, cosine))
    return np.clip(cosine, np.float32(0.0), np.float32(1.0), out=cosine)
