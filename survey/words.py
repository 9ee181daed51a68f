"""The words a user reads: every sentence is written in English and looked up here.

A sentence is wrapped where it is used, and filled in after the look-up, so that a translation may
put its parts in another order::

    _("{path}: no such file").format(path=path)

The catalogues lie in ``survey/locale`` and are kept by ``make words``. They also hold the messages
of click, which asks for them in gettext's default domain.

The language is kept in the environment, in ``LANGUAGE``, and nowhere else: that is where gettext
looks, and worker processes inherit it.
"""

import gettext
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from survey.errors import SettingsError

__all__ = ["LANGUAGES", "N_", "_", "current_language", "ngettext", "spoken_in", "use_language"]

LANGUAGES = ("en", "zh_CN")
"""The languages sentences exist in; the first is the one they are written in."""

_DOMAIN = "messages"
"""gettext's default domain: the one click asks, so that one catalogue serves both."""

_LOCALE = Path(__file__).parent / "locale"

_VARIABLES = ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG")
"""Where a language may be set, the strongest first (GNU gettext manual, section 2.3)."""


def _(message: str) -> str:
    """Return a sentence in the user's language.

    Examples
    --------
    >>> use_language("zh_CN")
    >>> _("Options")
    '选项'
    >>> use_language("en")
    >>> _("Options")
    'Options'
    """
    return _catalogue(current_language()).gettext(message) if message else ""


def ngettext(singular: str, plural: str, number: int) -> str:
    """Return the form of a sentence that goes with a number.

    Parameters
    ----------
    singular, plural
        The two English forms.
    number
        The number that decides; it is not filled in.

    Examples
    --------
    >>> use_language("en")
    >>> ngettext("{n} suspect", "{n} suspects", 2).format(n=2)
    '2 suspects'
    """
    return _catalogue(current_language()).ngettext(singular, plural, number)


def N_(message: str) -> str:  # noqa: N802 - gettext's own name, the extractor knows it
    """Mark a sentence for the catalogue, to be looked up later with `_`.

    For tables at the top of a module: they are built before the language is known.
    """
    return message


def current_language() -> str:
    """Return the language sentences come out in, one of `LANGUAGES`."""
    return _language_of(os.environ)


def use_language(language: str | None) -> None:
    """Set the language for this process, the processes it starts, and click.

    Called once by the command line, before its commands are declared: click looks some of its words
    up as early as that.

    Parameters
    ----------
    language
        One of `LANGUAGES`; None takes the one the environment asks for.

    Raises
    ------
    SettingsError
        If there are no words in that language.
    """
    chosen = current_language() if language is None else language
    if chosen not in LANGUAGES:
        raise SettingsError(
            _("unknown language {language}: use one of {languages}").format(
                language=chosen, languages=", ".join(LANGUAGES)
            )
        )
    os.environ["LANGUAGE"] = chosen
    gettext.bindtextdomain(_DOMAIN, str(_LOCALE))


@contextmanager
def spoken_in(language: str) -> Iterator[None]:
    """Have sentences come out in a language for a while, whatever the user's is.

    For files that hold more than one. Not for use in several threads at once.

    Examples
    --------
    >>> with spoken_in("zh_CN"):
    ...     _("Options")
    '选项'
    """
    before = os.environ.get("LANGUAGE")
    os.environ["LANGUAGE"] = language
    try:
        yield
    finally:
        if before is None:
            del os.environ["LANGUAGE"]
        else:
            os.environ["LANGUAGE"] = before


def _language_of(environment: Mapping[str, str]) -> str:
    """Return the language an environment asks for, English if it asks for none we have.

    Examples
    --------
    >>> _language_of({"LANG": "zh_CN.UTF-8"})
    'zh_CN'
    >>> _language_of({"LANGUAGE": "fr:en", "LANG": "zh_CN.UTF-8"})
    'en'
    """
    wanted = next(filter(None, map(environment.get, _VARIABLES)), "")
    for name in wanted.split(":"):
        for language in LANGUAGES:
            if name[:2] == language[:2]:
                return language
    return LANGUAGES[0]


@cache
def _catalogue(language: str) -> gettext.NullTranslations:
    """Return the catalogue of a language; English needs none."""
    if language == LANGUAGES[0]:
        return gettext.NullTranslations()
    return gettext.translation(_DOMAIN, str(_LOCALE), [language])


N_("required")  # click marks options that must be given with this word, but only looks it up
