"""A finding: a measured value against a limit, and the sentence that says it.

``refuse`` stops the work, ``warning`` and ``info`` are told and recorded.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from survey.errors import FlightError, PairError
from survey.words import N_, _

__all__ = ["Finding", "Value", "require"]

Value = float | str | None
"""A measured value or a limit, in the unit that the finding's sentence names."""

_LEVELS = ("info", "warning", "refuse")

_SENTENCES = {
    "assumption": N_("{value}"),
    "crs": N_("{subject}: is in {value}; worked on in {limit}, where lengths are metres"),
    "pixel_size": N_(
        "{subject}: a pixel is {value:.2f} m on the ground (limit {limit:.2f} m); small structures"
        " cannot be seen, export the orthophoto at full resolution"
    ),
    "pixel_size.info": N_(
        "{subject}: a pixel is {value:.4f} m on the ground, finer than needed ({limit:.2f} m)"
    ),
    "size": N_(
        "{subject}: is {value:.0f} pixels on its shorter side (at least {limit:.0f} are needed);"
        " is this a preview?"
    ),
    "valid_share": N_(
        "{subject}: shows ground on only {value:.1%} of its area (limit {limit:.0%}); check its"
        " alpha band, mask or nodata value"
    ),
    "valid_share.info": N_("{subject}: shows ground on {value:.1%} of its area"),
    "colours": N_(
        "{subject}: has {value:.0f} different colours (a picture has at least {limit:.0f}); this is"
        " a map of classes or a mask, give the orthophoto"
    ),
    "bit_depth": N_("{subject}: has {value:.0f} bits a colour; brought to 8 bits"),
    "rotation": N_("{subject}: its rows are turned by {value:.2f} degrees; turned north"),
    "blur": N_(
        "{subject}: is blurred or enlarged (sharpness {value:.3f}, usual is over {limit:.3f});"
        " true detail is coarser than its pixels, use the original export"
    ),
    "saturation": N_(
        "{subject}: {value:.0%} of it is pure black or white in a colour (limit {limit:.0%});"
        " export it without contrast enhancement"
    ),
    "overviews": N_(
        "{subject}: has {value:.0f} pixels a side and no overviews, so a look at the whole is slow;"
        " gdaladdo -r average FILE 2 4 8 16 adds them"
    ),
    "strips": N_("{subject}: is stored in strips, not tiles, and reads more slowly"),
    "date": N_("{subject}: its day of flight is unknown; give it, or name the file YYYYMMDD"),
    "collar": N_(
        "{subject}: has an opaque border over {value:.0%} of the file; taken as no picture"
    ),
    "masks": N_(
        "{subject}: says twice where it shows ground ({value}); taken as ground where both agree"
    ),
    "dsm_overlap": N_(
        "{subject}: covers {value:.0%} of the orthophoto (at least {limit:.0%} is expected);"
        " elsewhere colour decides; give the surface model of the same flight"
    ),
    "dsm_pixel_size": N_(
        "{subject}: a pixel is {value:.2f} m (limit {limit:.2f} m); small buildings have no height"
    ),
    "dsm_crs": N_("{subject}: is in {value}, its picture in {limit}"),
    "dsm_heights": N_(
        "{subject}: holds heights of {value:.0f} m (plausible is {limit} m); what lies"
        " outside is left out; set the nodata value with gdal_edit.py -a_nodata"
    ),
    "dsm_range": N_(
        "{subject}: its heights span {value:.1f} m (limit {limit:.0f} m), no building stands out;"
        " give the surface model, not the terrain model"
    ),
    "crs_differs": N_("{subject}: are in {value} and {limit}; both are brought onto one grid"),
    "zone_prefixed_twin": N_(
        "{subject}: are in {value} and {limit}, which differ by the zone number before the easting;"
        " brought onto one grid"
    ),
    "pixel_ratio": N_(
        "{subject}: a pixel of one is {value:.1f} times that of the other (limit {limit:.0f});"
        " compare flights of like resolution"
    ),
    "overlap": N_(
        "{subject}: share {value:.1%} of the smaller area (limit {limit:.0%}); are both of the same"
        " place, and are their coordinate reference systems right?"
    ),
    "overlap.info": N_("{subject}: share {value:.1%} of the smaller area"),
    "rotation_differs": N_(
        "{subject}: their rows differ by {value:.1f} degrees; both turned north"
    ),
    "date_order": N_(
        "{subject}: the first was flown on {value}, after the second on {limit};"
        " give the earlier one first"
    ),
    "same_date": N_("{subject}: both were flown on {value}"),
    "same_content": N_("{subject}: are the same picture; there is nothing to find"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something wrong or doubtful: a measured value against a limit."""

    code: str
    """What was looked at, a slug."""
    level: str
    """``info``, ``warning`` or ``refuse``."""
    subject: str
    """Which flight, or which two."""
    value: Value = None
    """What was measured, in the unit its sentence names."""
    limit: Value = None
    """What it was held against."""

    def __post_init__(self) -> None:
        if self.code not in _SENTENCES or self.level not in _LEVELS:
            raise ValueError(f"no such finding: {self.code} ({self.level})")

    def sentence(self) -> str:
        """Return the finding in words: what is wrong, how much, the limit, what to do."""
        words = _SENTENCES.get(f"{self.code}.{self.level}", _SENTENCES[self.code])
        return _(words).format(subject=self.subject, value=self.value, limit=self.limit)


def require(findings: Sequence[Finding]) -> None:
    """Stop at the first finding that rules out the work.

    Raises
    ------
    FlightError, PairError
        With the sentence of the first finding of level ``refuse``.
    """
    for finding in findings:
        if finding.level == "refuse":
            error = (
                PairError
                if finding.code in ("pixel_ratio", "overlap", "date_order")
                else FlightError
            )
            raise error(finding.sentence())
