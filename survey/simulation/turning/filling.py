"""Ground where a building stood: real texture copied from nearby, without a seam. Pure arrays.

A hole is covered by as few large pieces of real ground as possible, because a large piece keeps the
grain, the paths and the tufts that ground has, while synthesis pixel by pixel blurs and repeats::

    hole --find where the rim fits--> piece --cut along least difference--> patch --level--> ground

The pieces are found as in exemplar-based inpainting (A. Criminisi, P. Perez, K. Toyama, "Region
filling and object removal by exemplar-based image inpainting", IEEE TIP 13(9), 2004) with whole
shifts of the picture in place of small squares (K. He, J. Sun, "Statistics of patch offsets for
image completion", ECCV 2012). They are cut along the line where they differ least from what is
there (A. Efros, W. Freeman, "Image quilting", SIGGRAPH 2001), found by flooding (P. Soille,
"Morphological image compositing", IEEE TPAMI 28(5), 2006). What difference is left at the cut is
spread over the piece as a membrane, which is cloning in the gradient domain (P. Perez, M. Gangnet,
A. Blake, "Poisson image editing", SIGGRAPH 2003, in the form of Z. Farbman et al., "Coordinates for
instant image cloning", SIGGRAPH 2009).
"""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy import fft

from survey.simulation.turning.joining import cut_piece, grown, join, level, membrane, soften
from survey.simulation.turning.masks import Image, Mask, Singles
from survey.simulation.turning.salience import roughness
from survey.windows import Window

__all__ = ["Ground", "fill"]

# Width of the rim that pieces are compared on. Twice the 9 pixels of Criminisi's squares: what a
# yard or a lane looks like only shows over a metre or more.
_RIM_PX = 18
# Side that pieces are searched at; beyond it the picture is halved until it fits, then refined.
_SEARCH_PX = 640
# Of that many best places one is drawn, so that neighbouring holes do not show the same ground.
_CHOICE = 4
# A hole that takes more pieces than this has no ground near it.
_MOST_PIECES = 10
# How far a piece lies, inside the hole, from what the rim lets expect there counts that much
# against it, lest a flower bed or a car that has the right rim by chance is laid into a street.
_ODDITY = 0.5
# Fine contrast counts as many times as colour, in either: stubble is no lane of the same colour.
_ROUGHNESS = 2.0
# What stands out in a piece counts that much against it, by its squared salience.
_SALIENCE = 2.0
# Share of a hole that one piece must bring, lest ground turns into confetti.
_LEAST_SHARE = 0.12
# Pieces of one hole overlap by this much, for the cut between them to find its way.
_OVERLAP_PX = 10
# Root mean square difference at the rim, grey values, above which no levelling hides the cut.
_WORST_RIM = 62.0
# Points that the exact place of a piece is judged by.
_REFINING_POINTS = 4000


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What may be copied in a picture, and what it must fit."""

    free: Mask
    """(row, col); True where pixels may be copied from."""
    rim: Mask | None = None
    """(row, col); True where the new ground must fit what is there; other rims (a neighbour's wall)
    are met with a hard edge. None for where pixels may be copied from."""
    odd: Singles | None = None
    """(row, col); how far pixels stand out from the ground around them, as from `salience`: ground
    that stands out less is preferred. None where nothing is known of it."""
    pixel_m: float = 0.1
    """Pixel on the ground, m."""

    def cut(self, rows: slice, cols: slice) -> "Ground":
        """Return a part of it."""
        return replace(
            self,
            free=self.free[rows, cols],
            rim=None if self.rim is None else self.rim[rows, cols],
            odd=None if self.odd is None else self.odd[rows, cols],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Canvas:
    """A picture on its way to being filled."""

    image: Singles
    """(3, row, col), the picture as it is by now."""
    original: Singles
    """(3, row, col), the picture that is copied from."""
    rough: Singles
    """(row, col), the original's fine contrast."""
    pixel_m: float
    """Pixel on the ground, m."""
    todo: Mask
    """Pixels that still must be replaced."""
    free: Mask
    """Pixels that may be replaced or left: ground around the hole, or an earlier piece."""
    ground: Mask
    """Pixels that show ground to be matched: real, or laid by an earlier piece."""
    allowed: Mask
    """Pixels that may be copied."""
    odd: Singles
    """(row, col), squared salience of every pixel of the original."""


def fill(
    image: Image,
    hole: Mask,
    ground: Ground,
    rng: np.random.Generator,
    *,
    skirt: Mask | None = None,
) -> Image | None:
    """Replace a hole by ground that is copied from elsewhere in the picture.

    Parameters
    ----------
    image
        (3, row, col).
    hole
        (row, col); True where pixels are replaced. Nothing changes outside.
    ground
        What may be copied, and what it must fit.
    rng
        Chooses among pieces that fit about equally well.
    skirt
        (row, col); True where pixels of the hole show ground that may as well stay, so that the cut
        runs there where it shows least. Without one the cut is the hole's rim.

    Returns
    -------
    numpy.ndarray or None
        The picture with the hole filled; None where the ground that may be copied does not cover
        the hole or fits nowhere.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> image = rng.integers(90, 110, (3, 120, 120), dtype=np.uint8)
    >>> hole = np.zeros((120, 120), bool)
    >>> hole[50:70, 50:70] = True
    >>> image[:, hole] = 255
    >>> filled = fill(image, hole, Ground(free=~hole), rng)
    >>> int(filled[:, hole].max()) < 130
    True
    """
    own = np.zeros_like(hole) if skirt is None else skirt & hole
    shown = image.astype(np.float32)
    rim = ground.free if ground.rim is None else ground.rim
    canvas = _Canvas(
        image=shown,
        original=shown,
        rough=roughness(shown, ~hole | own, ground.pixel_m),
        pixel_m=ground.pixel_m,
        todo=hole & ~own,
        free=own,
        ground=(rim & ~hole) | own,
        allowed=ground.free & ~hole,
        odd=np.zeros_like(shown[0]) if ground.odd is None else np.square(ground.odd),
    )
    for _piece in range(_MOST_PIECES):
        if not canvas.todo.any():
            return np.where(hole, _rounded(canvas.image), image)
        shift = _find_piece(canvas, rng)
        if shift is None:
            return None
        canvas = _lay(canvas, shift)
    return None


def _rounded(image: Singles) -> Image:
    """Round to grey values; green first, then the others' difference from it.

    Rounding each band by itself would add a noise of colour that the ground beside does not have.
    """
    green = np.rint(image[1])
    shown = green + np.rint(image - image[1])
    eight: Image = np.clip(shown, 0, 255).astype(np.uint8)
    return eight


def _around(mask: Mask, margin: int) -> Window:
    """Return the window of a mask's True pixels, grown by a margin and cut at the picture."""
    rows, cols = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    window = Window(
        row=int(rows[0]),
        col=int(cols[0]),
        height=int(rows[-1] - rows[0] + 1),
        width=int(cols[-1] - cols[0] + 1),
    ).padded(margin)
    inside = window.clipped(height=mask.shape[0], width=mask.shape[1])
    assert inside is not None
    return inside


def _cut(window: Window) -> tuple[slice, slice]:
    return window.slices_in(Window(row=0, col=0, height=1, width=1))


def _find_piece(canvas: _Canvas, rng: np.random.Generator) -> tuple[int, int] | None:
    """Return by how many (rows, columns) the ground lies off that fits the hole's rim."""
    place = _around(canvas.todo | canvas.free, _RIM_PX)
    cut = _cut(place)
    wanted = grown(canvas.todo[cut], _RIM_PX) & canvas.ground[cut] & ~canvas.todo[cut]
    factor = 2 ** max(0, int(np.ceil(np.log2(max(canvas.todo.shape) / _SEARCH_PX))))
    found = _rank(canvas, place, wanted, factor)
    if found is None:
        return None
    rows, cols, misfits = found
    best = _apart(rows, cols, misfits, max(4, min(place.height, place.width) // (4 * factor)))
    if misfits[best[0]] > _WORST_RIM**2:
        return None
    # A runner-up is as good as the best only where it fits about as well.
    best = [index for index in best if misfits[index] <= 1.3 * misfits[best[0]] + 25.0]
    chosen = best[int(rng.integers(len(best)))]
    shift = int(rows[chosen]) * factor - place.row, int(cols[chosen]) * factor - place.col
    return _refine(canvas, place, wanted, shift, factor)


def _shrunk(bands: Singles, factor: int) -> Singles:
    """Average factor x factor pixels; what does not fill a cell at the edges is left out."""
    height, width = bands.shape[1] // factor, bands.shape[2] // factor
    cut = bands[:, : height * factor, : width * factor]
    cells = cut.reshape(-1, height, factor, width, factor)
    return np.asarray(cells.mean(axis=(2, 4), dtype=np.float32))


def _padded(mask: Mask, factor: int) -> Mask:
    """Grow a mask at its lower right so that whole cells hold all of it."""
    rows, cols = -mask.shape[0] % factor, -mask.shape[1] % factor
    return np.pad(mask, ((0, rows), (0, cols)))


def _rank(
    canvas: _Canvas, place: Window, wanted: Mask, factor: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.float64]] | None:
    """Return the cells a piece may be taken from and how far its rim misfits there, squared.

    Only pieces that bring nearly as much of the hole as the best one can are listed.
    """
    cut = _cut(place)
    rim, todo = (
        _shrunk(_padded(mask, factor)[None].astype(np.float32), factor)[0]
        for mask in (wanted, canvas.todo[cut])
    )
    here = _compared(
        canvas.image[:, *cut], roughness(canvas.image[:, *cut], ~canvas.todo[cut], canvas.pixel_m)
    )
    known = here[:, wanted]
    shown = _shrunk(_padded_bands(np.where(wanted, here, 0), factor), factor)  # rim pixels only
    picture = _shrunk(_compared(canvas.original, canvas.rough), factor)
    free = (_shrunk(canvas.allowed[None].astype(np.float32), factor)[0] > 0.999).astype(np.float32)
    if picture.shape[1] < rim.shape[0] or picture.shape[2] < rim.shape[1] or not rim.sum():
        return None
    power = np.square(picture).sum(axis=0)
    misfit = _correlate([rim, *(-2.0 * shown)], [power, *picture], rim.shape)
    misfit += float(np.square(known).sum()) / factor**2
    misfit = np.maximum(misfit, 0.0) / (3.0 * float(rim.sum()))
    lead = membrane(here, wanted.astype(np.float32))
    usual = float(np.square(known - lead[:, wanted]).sum(axis=0).mean())
    lead = _shrunk(_padded_bands(lead, factor), factor)
    misfit += _ODDITY * np.maximum(_strangeness(todo, lead, picture) - usual, 0.0) / 3.0
    odd = _shrunk(canvas.odd[None], factor)[0]
    misfit += _SALIENCE * _correlate([todo], [odd], rim.shape) / float(todo.sum())
    brought = _correlate([todo], [free], rim.shape) / float(todo.sum())
    best = float(brought.max(initial=0.0))
    if best < _LEAST_SHARE:
        return None
    rows, cols = np.nonzero(brought >= (0.995 if best >= 0.995 else 0.85 * best))
    return rows, cols, misfit[rows, cols]


def _compared(bands: Singles, rough: Singles) -> Singles:
    """Return what pieces are compared by: colour and fine contrast, (4, row, col)."""
    return np.concatenate([bands, _ROUGHNESS * rough[None]])


def _padded_bands(bands: Singles, factor: int) -> Singles:
    rows, cols = -bands.shape[1] % factor, -bands.shape[2] % factor
    return np.pad(bands, ((0, 0), (0, rows), (0, cols)))


def _strangeness(todo: Singles, lead: Singles, picture: Singles) -> npt.NDArray[np.float64]:
    """Return how far pieces are, in the hole, off what leads there from its rim, squared."""
    power = np.square(picture).sum(axis=0)
    off = _correlate([todo, *(-2.0 * lead * todo)], [power, *picture], todo.shape)
    off += float((np.square(lead).sum(axis=0) * todo).sum())
    return np.asarray(off / float(todo.sum()))


def _correlate(
    parts: list[Singles], pictures: list[Singles], shape: tuple[int, ...]
) -> npt.NDArray[np.float64]:
    """Sum the correlations of parts with pictures, at every place where a part lies inside."""
    size = [fft.next_fast_len(n, real=True) for n in pictures[0].shape]
    total = sum(
        np.conj(fft.rfft2(part.astype(np.float64), size)) * fft.rfft2(picture, size)
        for part, picture in zip(parts, pictures, strict=True)
    )
    whole = fft.irfft2(total, size)
    rows, cols = (n - m + 1 for n, m in zip(pictures[0].shape, shape, strict=True))
    return np.asarray(whole[:rows, :cols], dtype=np.float64)


def _apart(
    rows: npt.NDArray[np.int64],
    cols: npt.NDArray[np.int64],
    misfits: npt.NDArray[np.float64],
    distance: int,
) -> list[int]:
    """Return the best few places, each farther than a distance from the better ones."""
    kept: list[int] = []
    left = np.ones(len(misfits), bool)
    while len(kept) < _CHOICE and left.any():
        best = int(np.argmin(np.where(left, misfits, np.inf)))
        kept.append(best)
        left &= np.hypot(rows - rows[best], cols - cols[best]) > distance
    return kept


def _refine(
    canvas: _Canvas, place: Window, wanted: Mask, shift: tuple[int, int], factor: int
) -> tuple[int, int]:
    """Return the shift, exact to the pixel, around one that was found at a coarser scale."""
    if factor == 1:
        return shift
    rows, cols = np.nonzero(wanted)
    step = max(1, rows.size // _REFINING_POINTS)
    rows, cols = rows[::step] + place.row, cols[::step] + place.col
    here = canvas.image[:, rows, cols]
    height, width = canvas.todo.shape
    best, least = shift, np.inf
    for down in range(shift[0] - factor, shift[0] + factor + 1):
        for across in range(shift[1] - factor, shift[1] + factor + 1):
            there = np.clip(rows + down, 0, height - 1), np.clip(cols + across, 0, width - 1)
            misfit = float(np.square(canvas.original[:, *there] - here).mean())
            if misfit < least:
                best, least = (down, across), misfit
    return best


def _shifted(bands: npt.NDArray[np.generic], shift: tuple[int, int], place: Window) -> Singles:
    """Return a window of a picture, (band, row, col), as seen by a shift; 0 beyond the picture."""
    out = np.zeros((bands.shape[0], place.height, place.width), np.float32)
    there = Window(
        row=place.row + shift[0], col=place.col + shift[1], height=place.height, width=place.width
    )
    inside = there.clipped(height=bands.shape[1], width=bands.shape[2])
    if inside is not None:
        out[:, *inside.slices_in(there)] = bands[:, *_cut(inside)]
    return out


def _lay(canvas: _Canvas, shift: tuple[int, int]) -> _Canvas:
    """Lay one piece: cut it where it differs least, level it, and leave the rest to do."""
    place = _around(canvas.todo | canvas.free, _RIM_PX)
    cut = _cut(place)
    piece = _shifted(canvas.original, shift, place)
    known = _shifted(canvas.allowed[None], shift, place)[0] > 0
    todo, free, ground = canvas.todo[cut], canvas.free[cut], canvas.ground[cut]
    must = todo & known
    laid = cut_piece(canvas.image[:, *cut], piece, must, free & known & grown(must, _RIM_PX))
    image = canvas.image.copy()
    levelled = level(canvas.image[:, *cut] - piece, laid, ground & ~todo & known & ~laid)
    beside = ground & ~todo & ~laid
    levelled += soften(canvas.image[:, *cut] - piece - levelled, laid, beside & known)
    image[:, *cut] = join(image[:, *cut], piece + levelled, laid, free & known)
    still, over, done = canvas.todo.copy(), canvas.free.copy(), canvas.ground.copy()
    still[cut] = todo & ~laid
    done[cut] = ground | laid
    # The edge of this piece may be cut again by the next one.
    over[cut] |= laid & grown(still[cut], _OVERLAP_PX)
    return _Canvas(
        image=image,
        original=canvas.original,
        rough=canvas.rough,
        pixel_m=canvas.pixel_m,
        todo=still,
        free=over,
        ground=done,
        allowed=canvas.allowed,
        odd=canvas.odd,
    )
