"""Headings: what the columns are called, in the user's language or in both. Pure."""

from collections.abc import Sequence

from change.explanation import KIND_WORDS, POINT_WORDS, REASON_WORDS
from change.fieldwork import ANSWER_WORDS, DISMISSAL_WORDS, FIELD_WORDS
from survey.words import LANGUAGES, N_, _, current_language, spoken_in

__all__ = [
    "COLUMN_WORDS",
    "FURTHER_WORDS",
    "NOT_JUDGED_WORDS",
    "ORIGIN_WORDS",
    "SLUG_WORDS",
    "VERDICT_WORDS",
    "column_word",
    "in_languages",
    "list_languages",
]

ORIGIN_WORDS = {"new": N_("new"), "stock": N_("stood before")}
"""What people call an origin."""

VERDICT_WORDS = {
    "verified": N_("verified"),
    "unverified": N_("NOT verified"),
    "refused": N_("refused, accepted by the user"),
}
"""What people call the verdict on an alignment."""

FURTHER_WORDS = {
    "before_grant": N_("permit granted later"),
    "permit_expired": N_("permit had run out"),
    "too_high": N_("higher than permitted"),
    "footprint_too_large": N_("more ground than permitted"),
    "floor_area_too_large": N_("more floor area than permitted"),
    "temporary": N_("permit for a temporary building"),
    "near_flawed_row": N_("near a flawed row of the permit layer"),
}
"""What people call a further reason."""

NOT_JUDGED_WORDS = {
    "height": N_("height"),
    "floor_area": N_("floor area"),
    "dates": N_("dates of the permit"),
    "place": N_("place of the permits"),
}
"""What people call what nobody could judge."""

COLUMN_WORDS = {
    "number": N_("no."),
    "id": N_("suspect"),
    "kind": N_("kind"),
    "origin": N_("new or stock"),
    "reason": N_("relation to the permit"),
    "reasons": N_("further reasons"),
    "area_m2": N_("area (m²)"),
    "area_raw_m2": N_("area as measured (m²)"),
    "height_gain_m": N_("height gained (m)"),
    "score": N_("probability"),
    "severity": N_("severity"),
    "permit_number": N_("permit"),
    "permit_cover": N_("share within permits"),
    "excess_m2": N_("beyond the permit (m²)"),
    "excess_m": N_("beyond the permit (m)"),
    "excess_height_m": N_("higher than permitted (m)"),
    "storeys_gained": N_("storeys gained"),
    "nearest_permits": N_("nearest permits"),
    "not_judged": N_("not judged"),
    "protected": N_("protected ground"),
    "points": N_("points"),
    "unit": N_("unit"),
    "cell": N_("grid cell"),
    "township": N_("township"),
    "community": N_("community"),
    "team": N_("team"),
    "shared_with": N_("shared with"),
    "flown_before": N_("earlier flight"),
    "flown_after": N_("later flight"),
    "verdict": N_("alignment"),
    "tolerance_m": N_("tolerance of the flights (m)"),
    "permit_tolerance_m": N_("tolerance to the permits (m)"),
    "why_en": N_("explanation (English)"),
    "why_zh": N_("explanation (Chinese)"),
    "run_id": N_("run"),
    "longitude": N_("longitude"),
    "latitude": N_("latitude"),
    "picture_before": N_("picture before"),
    "picture_after": N_("picture after"),
    "navigation": N_("navigation"),
    **FIELD_WORDS,
}
"""What people call a column."""

SLUG_WORDS = {
    "kind": KIND_WORDS,
    "origin": ORIGIN_WORDS,
    "reason": REASON_WORDS,
    "reasons": FURTHER_WORDS,
    "not_judged": NOT_JUDGED_WORDS,
    "points": POINT_WORDS,
    "verdict": VERDICT_WORDS,
    "answer": ANSWER_WORDS,
    "dismissal": DISMISSAL_WORDS,
}
"""What people call the slugs that stand in a column."""


# What stands in one flight has gained nothing since another.
_STOCK_WORDS = {"height_gain_m": N_("height above the ground (m)")}


def column_word(column: str, origin: str | None) -> str:
    """Return what people call a column, in English, for suspects of an origin.

    Parameters
    ----------
    column
        A key of `COLUMN_WORDS`.
    origin
        A key of `ORIGIN_WORDS`; None where nobody knows.

    Examples
    --------
    >>> column_word("height_gain_m", "new")
    'height gained (m)'
    >>> column_word("height_gain_m", "stock")
    'height above the ground (m)'
    """
    own = _STOCK_WORDS.get(column) if origin == "stock" else None
    return own or COLUMN_WORDS[column]


def list_languages(setting: str) -> tuple[str, ...]:
    """Return the languages a list is written in.

    Parameters
    ----------
    setting
        ``ExportSettings.language``: empty for the user's, ``both``, or one of `LANGUAGES`.

    Examples
    --------
    >>> list_languages("both")
    ('zh_CN', 'en')
    >>> list_languages("zh_CN")
    ('zh_CN',)
    """
    if setting == "both":
        # Whoever asks for both works in China, and reads the first one.
        return tuple(reversed(LANGUAGES))
    return (setting or current_language(),)


def in_languages(message: str, languages: Sequence[str]) -> str:
    """Return a sentence of the catalogue in one language or several, parted by a slash.

    Examples
    --------
    >>> in_languages("Options", ("zh_CN", "en"))
    '选项 / Options'
    """
    told = []
    for language in languages:
        with spoken_in(language):
            told.append(_(message))
    return " / ".join(dict.fromkeys(told))
