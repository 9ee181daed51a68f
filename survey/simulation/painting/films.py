"""Roofs that let light through: film, glass and nets."""

import numpy as np
import numpy.typing as npt

from survey.simulation.painting.coats import FINE, MIDDLE, WIDE, Coat, Spot, base_of, toned
from survey.simulation.painting.pieces import (
    between,
    blend,
    colour_of,
    dice,
    draw,
    index,
    line,
    streaks,
    to_multiple,
)
from survey.simulation.painting.texture import smooth_step

__all__ = ["coat_film", "coat_net"]

Singles = npt.NDArray[np.float32]

_DUST = colour_of((170, 158, 140))


def coat_film(spot: Spot, skin: str) -> Coat:
    """Span film or glass over hoops or bars: pale, dusty, with what grows below shining through."""
    part, pixel = spot.part, spot.pixel_m
    wide, fine = spot.noise(1, WIDE), spot.noise(3, FINE)
    glass = skin == "glass"
    step = between(part.seed, 50, 0.6, 1.2) if glass else between(part.seed, 50, 1.2, 2.2)
    each = dice(
        index(spot.u, step if glass else 4.0 * step),
        index(spot.v, 1.6 if glass else 90.0),
        part.seed,
    )
    bars = line(to_multiple(spot.u, step, step / 2), 0.06, pixel)
    if glass:
        np.maximum(bars, line(to_multiple(spot.v, 1.6), 0.05, pixel), out=bars)
    creases = streaks(spot.u, spot.v, (0.25, 2.0), part.seed + 1)
    tone = each * np.float32(0.16) + wide * np.float32(0.06) + fine * np.float32(0.04)
    tone += creases * np.float32(0.12)
    tone += np.float32(0.92)
    albedo = toned(base_of(part, skin), tone)
    age = draw(part.seed, 51)
    dusty = smooth_step(wide + creases, 0.2 - age, 2.0 - age) * np.float32(0.5)
    blend(albedo, _DUST, dusty)
    blend(
        albedo,
        base_of(part, "steel_white") * np.float32(1.1 if glass else 0.8),
        bars * np.float32(0.6),
    )
    cover = np.clip(
        np.float32(0.70 + 0.12 * age) + wide * np.float32(0.07) + bars * np.float32(0.2),
        np.float32(0.55),
        np.float32(1.0),
    )
    ragged = fine * np.float32(0.02 if glass else 0.04)
    return Coat(albedo=albedo, ragged=ragged, cover=cover, mirror=0.7, shine=1.3, focus=60.0)


def coat_net(spot: Spot, skin: str) -> Coat:
    """Span a net that shades what grows below; it sags and tears."""
    part = spot.part
    wide, middle, fine = spot.noise(1, WIDE), spot.noise(2, MIDDLE), spot.noise(3, FINE)
    cloth = dice(index(spot.u, between(part.seed, 50, 2.0, 4.0)), 0, part.seed)
    tone = cloth * np.float32(0.5) + middle * np.float32(0.1) + fine * np.float32(0.1)
    tone += np.float32(0.8)
    albedo = toned(base_of(part, skin), tone)
    post = line(np.hypot(to_multiple(spot.u, 4.0), to_multiple(spot.v, 3.0)), 0.2, spot.pixel_m)
    blend(albedo, base_of(part, "steel_grey"), post * np.float32(0.7))
    cover = np.float32(0.74) + np.float32(0.12) * cloth
    cover -= smooth_step(middle + wide * np.float32(0.3), 2.1, 2.5) * np.float32(0.6)
    # Torn or not, at half cover and more it is still what stands there.
    np.maximum(cover, np.float32(0.55), out=cover)
    return Coat(albedo=albedo, ragged=fine * np.float32(0.06), cover=cover, shine=0.0)
