"""Trees and shrubs seen from above: clumps of leaves over deep gaps, fronds, bare twigs."""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from survey.simulation.painting.canvas import Box, Canvas, Lattice, Surface, cover_edge
from survey.simulation.painting.moment import Moment
from survey.simulation.painting.pieces import between, colour_of, draw
from survey.simulation.painting.texture import fractal, hash_line, mix_seed, smooth_step
from survey.simulation.scene import Place, Tree

__all__ = ["paint_tree"]

Singles = npt.NDArray[np.float32]
Colour = tuple[int, int, int]
Band = tuple[float, float, float]

_LEAVES: dict[str, tuple[Colour, ...]] = {
    "broadleaf": ((76, 100, 54), (64, 88, 48), (90, 110, 60), (102, 116, 68), (72, 90, 62)),
    "deciduous": ((82, 106, 52), (98, 116, 58), (74, 98, 50), (108, 116, 66)),
    "conifer": ((66, 84, 54), (74, 90, 62), (62, 76, 54)),
    "palm": ((92, 112, 58), (80, 104, 54), (108, 114, 68)),
    "bamboo": ((112, 122, 68), (96, 112, 60), (122, 122, 76)),
    "shrub": ((78, 104, 50), (64, 92, 44), (104, 112, 62), (92, 96, 60)),
}
"""Sunlit leaves of each species, by eye from the crowns of Banepa."""

_AUTUMN: tuple[Colour, ...] = ((160, 134, 66), (134, 98, 58), (128, 116, 70), (110, 86, 60))
_DRY = colour_of((122, 110, 70))
_TWIG = colour_of((138, 128, 112))
_BLOSSOM = colour_of((196, 190, 178))
_BARE_BELOW = 0.2  # greenness under which deciduous trees stand bare, give or take
_TURNED = 215.0  # day after which falling greenness is autumn, see `palette.greenness`

# Bands of clumps for crowns of up to so many metres of radius: big trees have bigger boughs.
_CLUMPS: tuple[tuple[float, Band], ...] = (
    (1.3, (1.6, 0.2, 1.1)),
    (3.0, (3.2, 0.4, 1.2)),
    (math.inf, (4.8, 0.6, 1.2)),
)
_LEAF: Band = (0.8, 0.1, 0.3)
_TWIGS: Band = (1.6, 0.1, 0.6)
_FROND_WIDE = 0.36  # share of the angle between fronds that leaflets cover near the trunk
# Leaves scatter light and let it through: even where a crown looks away from the sun it is not
# darker than this share of its light.
_LEAST_LIT = 0.16


@dataclass(frozen=True, slots=True, kw_only=True)
class _Crown:
    """A tree of one moment on a lattice one pixel larger than its box to the east and south."""

    tree: Tree
    radius_m: float
    height_m: float
    lattice: Lattice
    east: Singles
    """Metres east of the trunk, shape (1, columns)."""
    north: Singles
    """Metres north of the trunk, shape (rows, 1)."""
    away: Singles
    """Metres from the trunk, shape (rows, columns)."""

    @property
    def pixel_m(self) -> float:
        """Pixel, metres."""
        return self.lattice.pixel_m

    def noise(self, step: int, band: Band) -> Singles:
        """Give one field of noise of this tree."""
        return fractal(self.lattice, mix_seed(self.tree.seed, step), *band)

    def clumps(self) -> Singles:
        """Give the noise from which boughs are made."""
        band = next(band for limit, band in _CLUMPS if self.radius_m <= limit)
        return self.noise(1, band)

    def angle(self) -> Singles:
        """Give the direction from the trunk, radians."""
        shape = self.away.shape
        return np.arctan2(np.broadcast_to(self.east, shape), np.broadcast_to(self.north, shape))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Foliage:
    """What a crown shows on its lattice."""

    inside: Singles
    """Metres inside its rim."""
    top: Singles
    """Height above its foot, metres."""
    tone: Singles
    """Brightness of its leaves, 1 on average in full light."""
    hue: Singles
    """Noise that picks between its two greens."""
    cover: Singles | None = None
    """Share of each pixel that leaves cover within the rim; None for all."""


def _bulge(share: Singles) -> Singles:
    """Round a crown off: 0 at the rim (share 0) to 1 at the trunk (share 1)."""
    np.clip(share, np.float32(0.0), np.float32(1.0), out=share)
    return np.sqrt(share * (np.float32(2.0) - share))


def _leafy(crown: _Crown, ragged: float, flat: float) -> _Foliage:
    """Heap clumps of leaves to a crown.

    Boughs are puffs with creases between them: the absolute value of a noise is round where it is
    far from 0 and has a sharp valley along its zeros.
    """
    radius, height = crown.radius_m, crown.height_m
    clump, leaf = crown.clumps(), crown.noise(2, _LEAF)
    puff = np.abs(clump)
    inside = np.float32(0.93 * radius) - crown.away
    inside += clump * np.float32(ragged * radius)
    inside += leaf * np.float32(min(0.16, 0.12 * radius))
    dome = _bulge(inside * np.float32(1.1 / radius))
    dark = smooth_step(puff + leaf * np.float32(0.2), -0.1, 0.75)
    top = dome * np.float32((1.0 - flat) * height)
    top += np.float32(flat * height)
    bumpy = min(1.1, 0.4 * radius)
    top += (np.minimum(puff, np.float32(1.8)) - np.float32(0.8)) * np.float32(bumpy)
    top += leaf * np.float32(0.07 * bumpy)
    np.minimum(top, np.float32(1.3 * height), out=top)
    tone = np.float32(0.36) + np.float32(0.88) * dark
    tone *= np.exp(leaf * np.float32(0.34))
    gaps = smooth_step(leaf * np.float32(0.7) + puff + dome * np.float32(1.6), -0.6, 0.1)
    return _Foliage(
        inside=inside, top=top, tone=tone, hue=clump + leaf * np.float32(0.5), cover=gaps
    )


def _conifer(crown: _Crown) -> _Foliage:
    """Build tiers of boughs around a tip."""
    radius, height = crown.radius_m, crown.height_m
    leaf, clump = crown.noise(2, _LEAF), crown.clumps()
    boughs = 9 + int(7 * draw(crown.tree.seed, 3))
    ray = np.cos(
        crown.angle() * np.float32(boughs) + clump * np.float32(1.1) + crown.away * np.float32(2.4)
    )
    inside = np.float32(0.9 * radius) - crown.away
    inside += ray * np.float32(0.09 * radius)
    inside += (clump + leaf) * np.float32(0.07 * radius)
    share = np.clip(inside * np.float32(1.0 / radius), 0.0, 1.0)
    share *= np.float32(1.6) - np.float32(0.6) * share
    top = share * np.float32(min(0.75 * height, 2.2 * radius))
    top += np.float32(height - min(0.78 * height, 2.25 * radius))
    top += (ray * np.float32(0.4) + leaf * np.float32(0.15)) * np.float32(min(0.5, 0.2 * radius))
    tone = np.float32(1.0) + ray * np.float32(0.22)
    tone *= np.exp(leaf * np.float32(0.38))
    return _Foliage(inside=inside, top=top, tone=np.maximum(tone, 0.15), hue=clump)


def _palm(crown: _Crown) -> _Foliage:
    """Spread fronds that hang over at their ends, with leaflets on both sides of a midrib."""
    tree, radius, height = crown.tree, crown.radius_m, crown.height_m
    leaf = crown.noise(2, _LEAF)
    fronds = 11 + int(6 * draw(tree.seed, 3))
    turn = crown.angle() * np.float32(fronds / (2.0 * math.pi))
    turn += np.float32(100.0 + draw(tree.seed, 4))
    share = crown.away * np.float32(1.0 / radius)
    turn += share * np.float32(between(tree.seed, 5, -0.5, 0.5))
    turn += leaf * (np.float32(0.05) + np.float32(0.07) * share)
    number = np.floor(turn)
    each = hash_line(number.astype(np.int64) % fronds, tree.seed)
    other = hash_line(number.astype(np.int64) % fronds, tree.seed + 1)
    off = np.abs(turn - number - (np.float32(0.32) + np.float32(0.36) * other))
    # Leaflets are about as long everywhere, so a frond takes less of the angle further out.
    wide = np.float32(_FROND_WIDE) * (np.float32(1.2) - np.float32(0.85) * share)
    wide *= np.float32(0.7) + np.float32(0.5) * each + np.float32(0.3) * leaf
    gap = (wide - off) * crown.away * np.float32(2.0 * math.pi / fronds)
    inside = np.float32(radius) * (np.float32(0.55) + np.float32(0.55) * other) - crown.away
    inside += leaf * np.float32(0.08)
    np.minimum(inside, gap + np.float32(0.07), out=inside)
    arch = share * (np.float32(0.9) - np.float32(1.25) * share)
    top = arch * np.float32(0.7 * radius) - off * np.float32(0.6)
    top += np.float32(0.85 * height) + each * np.float32(0.25)
    tone = np.float32(0.45) + np.float32(0.65) * each
    tone *= np.exp(leaf * np.float32(0.4)) * (np.float32(1.25) - off * np.float32(1.6))
    tone *= np.float32(0.55) + np.minimum(share * np.float32(1.6), np.float32(0.55))
    return _Foliage(
        inside=inside,
        top=np.maximum(top, np.float32(0.3 * height)),
        tone=tone,
        hue=each * np.float32(2.0) - np.float32(1.0),
    )


def _bamboo(crown: _Crown) -> _Foliage:
    """Let culms lean out of a clump, feathered with fine leaves."""
    tree, radius, height = crown.tree, crown.radius_m, crown.height_m
    leaf, clump = crown.noise(2, _LEAF), crown.clumps()
    turn = crown.angle() * np.float32(7.0) + clump * np.float32(0.5) + leaf * np.float32(0.28)
    plume = np.abs(np.cos(turn)) * np.abs(
        np.cos(turn * np.float32(2.7) + np.float32(6.0 * draw(tree.seed, 3)))
    )
    inside = np.float32(0.85 * radius) - crown.away
    inside += (plume - np.float32(0.35)) * np.float32(0.5 * radius)
    inside += clump * np.float32(0.1 * radius) + leaf * np.float32(0.1)
    dome = _bulge(inside * np.float32(1.2 / radius))
    top = np.float32(0.45 * height) + dome * np.float32(0.5 * height)
    top += plume * np.float32(0.5) + leaf * np.float32(0.05)
    tone = np.float32(0.55) + np.float32(0.75) * plume
    tone *= np.exp(leaf * np.float32(0.42))
    return _Foliage(inside=inside, top=top, tone=tone, hue=clump)


def _bare(crown: _Crown) -> _Foliage:
    """Fork branches from the trunk to fine twigs, with the ground in view between them."""
    tree, radius, height = crown.tree, crown.radius_m, crown.height_m
    clump, twig = crown.clumps(), crown.noise(4, _TWIGS)
    angle, share = crown.angle(), crown.away * np.float32(1.0 / radius)
    inside = np.float32(0.9 * radius) - crown.away + clump * np.float32(0.13 * radius)
    wood = np.zeros_like(share)
    # Every order of branches is twice as many and starts further out.
    for order, start in enumerate((0.0, 0.35, 0.6)):
        count = (3 + tree.seed % 3) * 2**order
        bend = clump * np.float32(0.25) + share * np.float32(between(tree.seed, 6 + order, -1, 1))
        sine = np.abs(np.sin(angle * np.float32(count / 2.0) + bend + np.float32(order)))
        off = sine * crown.away * np.float32(2.0 / count)
        thick = np.maximum(np.float32(0.18 - 0.05 * order) * (np.float32(1.15) - share), 0.03)
        limb = np.clip((thick - off) * np.float32(1.0 / crown.pixel_m) + np.float32(0.5), 0, 1)
        np.maximum(wood, limb * (share > np.float32(start)), out=wood)
    fine = smooth_step(np.abs(twig), 0.32, 0.05) * smooth_step(share, 0.1, 0.5)
    np.maximum(wood, fine * np.float32(0.42), out=wood)
    top = _bulge(inside * np.float32(1.0 / radius)) * np.float32(0.4 * height)
    top += np.float32(0.5 * height) + twig * np.float32(0.2)
    tone = np.float32(0.85) + twig * np.float32(0.14)
    return _Foliage(inside=inside, top=top, tone=np.maximum(tone, 0.3), hue=clump, cover=wood)


def _leaves_left(tree: Tree, moment: Moment) -> float:
    """Give the share of its leaves that a tree still has."""
    if tree.species != "deciduous":
        return 1.0
    early = between(tree.seed, 8, -0.1, 0.12)
    return min(1.0, max(0.0, (moment.green - _BARE_BELOW + early) / 0.15 + 0.5))


def _foliage_of(crown: _Crown, leaves: float) -> _Foliage:
    species = crown.tree.species
    if species == "conifer":
        return _conifer(crown)
    if species == "palm":
        return _palm(crown)
    if species == "bamboo":
        return _bamboo(crown)
    if leaves <= 0.0:
        return _bare(crown)
    ragged, flat = (0.24, 0.25) if species == "shrub" else (0.15, 0.42)
    found = _leafy(crown, ragged, flat)
    if leaves < 1.0 and found.cover is not None:
        found.cover[:] *= smooth_step(found.hue, 1.6 - 3.2 * leaves, 2.2 - 3.2 * leaves)
    return found


def _colours(tree: Tree, moment: Moment, leaves: float) -> tuple[Singles, Singles]:
    """Pick the two tints that a crown's leaves mix, for the season."""
    if leaves <= 0.0:
        return _TWIG * np.float32(between(tree.seed, 9, 0.7, 1.15)), _TWIG
    choices = _LEAVES[tree.species]
    seed = tree.seed
    own = colour_of(choices[int(len(choices) * draw(seed, 10))])
    new = colour_of(choices[int(len(choices) * draw(seed, 11))]) * np.float32(1.15)
    thirst = (0.5 if draw(seed, 12) < 0.25 else 0.2) * (1.0 - moment.green)
    thirst *= 0.2 if tree.species == "conifer" else 1.0
    own = own + (_DRY - own) * np.float32(thirst)
    new = new + (_DRY - new) * np.float32(1.3 * thirst)
    if tree.species == "deciduous" and moment.day > _TURNED:
        turned = colour_of(_AUTUMN[int(len(_AUTUMN) * draw(seed, 13))])
        late = min(1.0, max(0.0, (0.75 - moment.green) / 0.4))
        own, new = own + (turned - own) * np.float32(late), new + (turned - new) * np.float32(late)
    bright = np.float32(between(seed, 14, 0.75, 1.15))
    if tree.species == "shrub" and draw(seed, 15) < 0.12:  # one in eight flowers
        new = np.asarray(0.65 * new + 0.35 * _BLOSSOM, dtype=np.float32)
    return np.asarray(own * bright, dtype=np.float32), np.asarray(new * bright, dtype=np.float32)


def _lit(top: Singles, pixel_m: float, moment: Moment) -> Singles:
    """Give the light on leaves from the slope to the pixels east and south."""
    sun, corner = moment.sun, top[:-1, :-1]
    step = np.float32(0.55 / pixel_m)  # leaves of any slope hang everywhere: half of it counts
    east = (top[:-1, 1:] - corner) * step
    south = (top[1:, :-1] - corner) * step
    facing = south * np.float32(sun.north)
    facing -= east * np.float32(sun.east)
    facing += np.float32(sun.up)
    east *= east
    south *= south
    east += south
    east += np.float32(1.0)
    facing /= np.sqrt(east)
    return np.asarray(np.maximum(facing, np.float32(_LEAST_LIT)), dtype=np.float32)


def paint_tree(canvas: Canvas, tree: Tree, ground_m: float, moment: Moment) -> None:
    """Paint one crown as large as it has grown, with the leaves of the season.

    Parameters
    ----------
    canvas
        What to paint on.
    tree
        The tree.
    ground_m
        Height of the ground at its foot, metres.
    moment
        Season and sun.
    """
    size = max(0.2, 1.0 + tree.growth * moment.years)
    reach = 1.45 * size * tree.radius_m + 0.1
    box = canvas.box(Place(x=tree.x, y=tree.y), reach, reach)
    if box is None:
        return
    leaves = _leaves_left(tree, moment)
    crown = _measure(tree, size, box)
    foliage = _foliage_of(crown, leaves)
    cut = (slice(None, -1), slice(None, -1))
    cover = cover_edge(foliage.inside[cut], 1.4 * crown.pixel_m)
    if foliage.cover is not None:
        cover *= foliage.cover[cut]
    own, new = _colours(tree, moment, leaves)
    mix = np.clip(foliage.hue[cut] * np.float32(0.35) + np.float32(0.4), 0.0, 1.0)
    albedo = (own + (new - own) * mix) * foliage.tone[cut]
    facing = _lit(foliage.top, crown.pixel_m, moment)
    top = foliage.top[cut] + np.float32(ground_m)
    box.lay(cover, top, Surface(albedo=albedo, facing=facing))


def _measure(tree: Tree, size: float, box: Box) -> _Crown:
    """Set a crown up on its box, one pixel larger so that slopes need no pixel outside."""
    seen = box.lattice
    lattice = Lattice(
        pixel_m=seen.pixel_m,
        column=seen.column,
        row=seen.row,
        columns=seen.columns + 1,
        rows=seen.rows + 1,
    )
    east = (lattice.x - tree.x).astype(np.float32)[None, :]
    north = (lattice.y - tree.y).astype(np.float32)[:, None]
    # Crowns are a little longer one way than the other, in any direction.
    stretch, lean = between(tree.seed, 16, 0.82, 1.22), between(tree.seed, 17, -0.25, 0.25)
    along, across = east * np.float32(stretch), north * np.float32(1.0 / stretch)
    across = across + east * np.float32(lean)
    return _Crown(
        tree=tree,
        radius_m=size * tree.radius_m,
        height_m=size * tree.height_m,
        lattice=lattice,
        east=east,
        north=north,
        away=np.sqrt(along * along + across * across),
    )
