"""Fieldwork: what a person says of a suspect, at the desk or at the place. Pure.

The register, the spreadsheet, the forms in QGIS and the review page all offer these answers.
"""

from dataclasses import dataclass

from survey.words import N_

__all__ = [
    "ANSWERS",
    "ANSWER_WORDS",
    "DISMISSALS",
    "DISMISSAL_WORDS",
    "FIELD_COLUMNS",
    "FIELD_WORDS",
    "Decision",
]

ANSWER_WORDS = {
    "open": N_("not looked at yet"),
    "confirmed": N_("confirmed"),
    "dismissed": N_("dismissed"),
    "unsure": N_("unsure"),
}
"""What a person can say of a suspect, and what people call that."""

ANSWERS = tuple(ANSWER_WORDS)
"""The slugs of the answers; the first is that nobody has answered."""

DISMISSAL_WORDS = {
    "shadow": N_("shadow or light"),
    "vegetation": N_("plants or crops"),
    "vehicle": N_("vehicle or container"),
    "goods": N_("goods, soil or tarpaulin"),
    "old": N_("stood there before"),
    "misplaced": N_("pictures do not fit each other"),
    "lawful": N_("has a permit that the layer lacks"),
    "temporary": N_("temporary and allowed"),
    "gone": N_("no longer there"),
    "other": N_("other reason"),
}
"""Why a suspect is dismissed, and what people call that."""

DISMISSALS = tuple(DISMISSAL_WORDS)
"""The slugs of the reasons."""

FIELD_WORDS = {
    "answer": N_("result of inspection"),
    "dismissal": N_("reason of dismissal"),
    "inspector": N_("inspected by"),
    "inspected_on": N_("inspected on"),
    "notice_number": N_("notice number"),
    "notice_on": N_("notice served on"),
    "deadline": N_("deadline"),
    "demolished_on": N_("demolished on"),
    "demolished_m2": N_("area demolished (m²)"),
    "photo": N_("photo"),
    "remark": N_("remark"),
}
"""What field teams fill in, and what people call that."""

FIELD_COLUMNS = tuple(FIELD_WORDS)
"""The columns they fill in; ``*_on`` and ``deadline`` are days, ``demolished_m2`` is a number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What one person said of one suspect."""

    id: str
    """The suspect's id within its run."""
    answer: str
    """One of ``ANSWERS``, not ``open``."""
    dismissal: str | None = None
    """One of ``DISMISSALS`` where dismissed, else None."""
    note: str = ""
    """In that person's own words."""
    by: str = ""
    """Who said it; empty where nobody signed."""
    at: str = ""
    """When, ISO 8601; empty where unknown."""

    def __post_init__(self) -> None:
        if self.answer not in ANSWERS[1:]:
            raise ValueError(f"no such answer: {self.answer!r}")
        if (self.answer == "dismissed") != (self.dismissal is not None):
            raise ValueError(f"a dismissal needs a reason, and only that: {self.dismissal!r}")
        if self.dismissal is not None and self.dismissal not in DISMISSALS:
            raise ValueError(f"no such reason of dismissal: {self.dismissal!r}")
