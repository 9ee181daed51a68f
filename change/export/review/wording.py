"""Wording: every word of the review page, looked up when the page is written. Pure.

The page speaks all languages at once and switches between them by itself.
"""

from typing import Any

from change.export.headings import COLUMN_WORDS, SLUG_WORDS, column_word
from survey.words import N_, _, spoken_in

__all__ = ["PAGE_WORDS", "page_words"]

_FRAME = {
    "language": N_("English"),
    "title": N_("Review of suspects"),
    "broken": N_(
        "This page could not start. It needs JavaScript, and all that lies beside it in its folder."
    ),
    "save": N_("Save decisions"),
    "load": N_("Load decisions"),
    "undo": N_("Undo"),
    "help": N_("Keys"),
    "close": N_("Close"),
    "progress": N_("{decided} of {all} decided"),
    "reviewer": N_("Your name"),
    "to_list": N_("List"),
    "back": N_("Back to the list"),
    "in_memory": N_(
        "This browser keeps nothing for this page. Decisions are lost when it is closed: save them"
        " to a file before that."
    ),
    "hint_only": N_(
        "Alignment of the flights: {verdict}. Take what is found for a hint, not for proof."
    ),
}

_LIST = {
    "suspects": N_("Suspects"),
    "search": N_("Search id, permit or number"),
    "filters": N_("More filters"),
    "any": N_("all"),
    "nothing": N_("not known"),
    "least_area": N_("at least, m²"),
    "least_score": N_("at least, %"),
    "sort": N_("Sort by"),
    "reset": N_("Show all"),
    "shown": N_("{shown} of {all} shown"),
    "none_shown": N_("No suspect is like that. Show all, or ask for less."),
    "none_at_all": N_("Nothing was found: there is nothing to review."),
    "locator": N_("Where the suspects lie. Click a dot to choose one; the list does the same."),
}

_PICTURE = {
    "pictures": N_("Pictures"),
    "before": N_("before"),
    "after": N_("after"),
    "flight": N_("flight"),
    "day_unknown": N_("day unknown"),
    "swipe": N_("Swipe"),
    "flip": N_("Flip"),
    "flicker": N_("Flicker"),
    "outline": N_("Outline"),
    "zoom_in": N_("Zoom in"),
    "zoom_out": N_("Zoom out"),
    "fit": N_("Whole picture"),
    "divider": N_("Divider between before and after"),
    "no_picture": N_("There are no pictures of this suspect. The outline alone is shown."),
    "picture_missing": N_(
        "A picture could not be loaded. Keep the folder of pictures beside the folder of this page."
    ),
}

_TRIAGE = {
    "confirm": N_("Confirm"),
    "dismiss": N_("Dismiss"),
    "unsure": N_("Unsure"),
    "reopen": N_("Not looked at"),
    "next": N_("Next"),
    "previous": N_("Previous"),
    "why_dismissed": N_("Why is it dismissed?"),
    "cancel": N_("Cancel"),
    "note": N_("Note"),
    "said": N_("No. {number}: {answer}."),
    "now_at": N_("Now no. {number}: {kind}, {relation}."),
    "all_decided": N_("All that are shown are decided."),
    "undone": N_("No. {number} is again: {answer}."),
    "nothing_to_undo": N_("There is nothing to undo."),
    "saved": N_("{count} decisions are in {file}. orthowatch export --decisions applies them."),
    "loaded": N_("{count} decisions taken from the file; {kept} newer ones here were kept."),
    "other_run": N_("These decisions are of run {theirs}; this page shows run {ours}."),
    "not_decisions": N_("That file was not saved by a review page: {why}."),
    "not_json": N_("it is not JSON"),
    "other_format": N_("it is of another format or version"),
    "row_unknown": N_("decision {number} holds no answer that can be given"),
}

_FACTS = {
    "explanation": N_("What is held against it"),
    "facts": N_("All that is known"),
    "place": N_("Place"),
    "navigate": N_("Open in a map"),
    "profile": N_("Heights along it"),
    "profile_said": N_(
        "Heights along the longest line, from {lowest} to {highest} m, over {length} m"
    ),
    "decided_by": N_("{by}, {at}"),
}

_KEYS = {
    "key_next": N_("next, previous suspect"),
    "key_dismiss": N_("dismiss: choose a reason"),
    "key_flip": N_("change between before and after"),
    "key_divider": N_("move the divider"),
    "key_pan": N_("move the picture"),
    "key_note": N_("write a note; Escape leaves it"),
    "key_search": N_("search"),
}

PAGE_WORDS = {**_FRAME, **_LIST, **_PICTURE, **_TRIAGE, **_FACTS, **_KEYS}
"""What the page says, by the names its parts ask for."""


def page_words(language: str, origin: str | None = None) -> dict[str, Any]:
    """Return all words of the page in a language.

    Parameters
    ----------
    language
        One of ``survey.words.LANGUAGES``.
    origin
        The origin of all suspects of the page; None where they differ.

    Returns
    -------
    ``page``, ``columns`` and ``slugs``; the last by column, then by slug.
    """
    with spoken_in(language):
        return {
            "page": {name: _(text) for name, text in PAGE_WORDS.items()},
            "columns": {name: _(column_word(name, origin)) for name in COLUMN_WORDS},
            "slugs": {
                column: {slug: _(text) for slug, text in words.items()}
                for column, words in SLUG_WORDS.items()
            },
        }
