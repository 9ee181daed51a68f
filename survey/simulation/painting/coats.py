"""A roof on the pixels of its box, and what its covering shows there."""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from survey.simulation.painting.canvas import Lattice
from survey.simulation.painting.palette import linear
from survey.simulation.painting.pieces import draw
from survey.simulation.painting.texture import fractal, mix_seed
from survey.simulation.scene import Part

__all__ = ["FINE", "MIDDLE", "WIDE", "Coat", "Spot", "base_of", "shade", "toned"]

Singles = npt.NDArray[np.float32]

# Few bands of wavelengths, metres, and slopes: every further one costs two plates of noise.
WIDE = (6.4, 0.4, 1.1)
MIDDLE = (2.4, 0.15, 0.9)
FINE = (0.8, 0.1, 0.5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Spot:
    """A roof on the pixels of its box."""

    part: Part
    """The volume under the roof."""
    lattice: Lattice
    """The pixels."""
    u: Singles
    """Metres along the part, shape (rows, columns)."""
    v: Singles
    """Metres across it, same shape."""
    inside: Singles
    """Metres to the nearest edge of the outline, negative outside, same shape."""
    flight_seed: int
    """Seed of what no two flights show alike."""
    fields: dict[int, Singles] = field(default_factory=dict)
    """Fields of noise by step, kept for whoever paints next."""

    @property
    def pixel_m(self) -> float:
        """Pixel, metres."""
        return self.lattice.pixel_m

    def noise(self, step: int, band: tuple[float, float, float]) -> Singles:
        """Give one field of noise of this roof, read-only; see `texture.fractal`."""
        if step not in self.fields:
            self.fields[step] = fractal(self.lattice, mix_seed(self.part.seed, step), *band)
            self.fields[step].flags.writeable = False
        return self.fields[step]


@dataclass(frozen=True, slots=True, kw_only=True)
class Coat:
    """What a roof's covering looks like."""

    albedo: Singles
    """Reflectance, shape (3, rows, columns)."""
    ragged: Singles
    """How far its edge lies outside the outline, metres, mean 0, shape (rows, columns)."""
    cover: Singles | None = None
    """Share of each pixel it covers; None where it lets nothing through."""
    bumps: Singles | None = None
    """Height of what lies about on it, metres; None for nothing."""
    mirror: float = 0.0
    """1 where it is glass or film."""
    shine: float = 0.03
    """Light mirrored where it mirrors the sun, as a multiple of its own."""
    focus: float = 20.0
    """Exponent of the glint: the higher, the narrower."""


def base_of(part: Part, skin: str, spread: float = 0.1) -> Singles:
    """Give a roof's own shade of a covering, float32, shape (3, 1, 1).

    Roofs of one covering differ by a few tenths in brightness and lean to warm or cold: in the
    labelled roofs of Banepa grey ones run from 97 to 165 of 255 between their tenth and ninetieth
    percentiles.
    """
    seed = mix_seed(part.seed, len(skin))
    bright = 1.0 + spread * 2.2 * (draw(seed, 71) + draw(seed, 72) + draw(seed, 73) - 1.5)
    warm = 0.09 * (draw(seed, 74) + draw(seed, 75) - 1.0)
    lean = np.array([1.0 + warm, 1.0, 1.0 - warm], dtype=np.float32)[:, None, None]
    return np.asarray(linear(skin) * lean * bright, dtype=np.float32)


def shade(albedo: Singles, factor: Singles) -> None:
    """Darken or lighten `albedo` in place; noise may not take it below a twentieth."""
    albedo *= np.maximum(factor, np.float32(0.05))


def toned(colour: Singles, tone: Singles) -> Singles:
    """Spread a colour (3, 1, 1) over pixels, lighter and darker by `tone` (rows, columns)."""
    return np.asarray(colour * np.maximum(tone, np.float32(0.05)), dtype=np.float32)
