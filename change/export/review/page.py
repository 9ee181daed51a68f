"""The review page as a folder: what the browser runs, and the suspects as data beside it."""

import shutil
from pathlib import Path

from jinja2 import Environment

from change.export.dossier import CHIPS, Dossier
from change.export.review.content import content_script
from change.export.review.wording import PAGE_WORDS
from survey.errors import SettingsError
from survey.words import LANGUAGES, _, current_language, spoken_in

__all__ = ["write_review"]

_HERE = Path(__file__).parent
_PAGE, _DATA, _STYLE, _SCRIPTS, _LEAFLET = "index.html", "data.js", "style.css", "js", "leaflet"
_PARTS = (
    *("words", "decisions", "choice", "list", "locator", "profile", "facts"),
    *("picture", "divider", "triage", "toolbar", "keys", "app"),
)
"""The scripts in ``js``; each may use those before it, and the last starts the page."""


def write_review(
    dossier: Dossier,
    folder: Path,
    *,
    language: str | None = None,
    navigation: str = "none",
    pictures: str = f"../{CHIPS}/",
) -> None:
    """Write the review page into a folder, which is made.

    It opens from the folder in any browser: it asks no server for anything, and a policy in the
    page keeps the browser from trying.

    Parameters
    ----------
    dossier
        The suspects.
    folder
        The folder to make; ``index.html`` in it is the page.
    language
        Language the page opens in, one of ``survey.words.LANGUAGES``; None is the user's. Whoever
        reads it may switch.
    navigation
        Whose map the links to a place open, one of ``survey.settings.NAVIGATIONS``.
    pictures
        Where the clean chips lie, as the page finds them.

    Raises
    ------
    SettingsError
        There are no words in that language.
    """
    opens_in = current_language() if language is None else language
    if opens_in not in LANGUAGES:
        raise SettingsError(
            _("unknown language {language}: use one of {languages}").format(
                language=opens_in, languages=", ".join(LANGUAGES)
            )
        )
    script = content_script(dossier, language=opens_in, navigation=navigation, pictures=pictures)
    folder.mkdir()
    (folder / _DATA).write_text(script, encoding="utf-8", newline="\n")
    (folder / _PAGE).write_text(_page(opens_in), encoding="utf-8", newline="\n")
    shutil.copyfile(_HERE / _STYLE, folder / _STYLE)
    (folder / _SCRIPTS).mkdir()
    for name in _PARTS:
        shutil.copyfile(_HERE / _SCRIPTS / f"{name}.js", folder / _SCRIPTS / f"{name}.js")
    (folder / _LEAFLET).mkdir()
    for part in sorted((_HERE / "vendor" / _LEAFLET).iterdir()):
        shutil.copyfile(part, folder / _LEAFLET / part.name)


def _page(language: str) -> str:
    """Return ``index.html``: frames without text, which the scripts fill in a language."""
    template = Environment(autoescape=True, keep_trailing_newline=True).from_string(
        (_HERE / _PAGE).read_text(encoding="utf-8")
    )
    broken = []
    for spoken in (language, *(name for name in LANGUAGES if name != language)):
        with spoken_in(spoken):
            broken.append(_(PAGE_WORDS["broken"]))
    with spoken_in(language):
        title = _(PAGE_WORDS["title"])
    return template.render(
        language=language.replace("_", "-"),
        title=title,
        broken=dict.fromkeys(broken),
        scripts=[_DATA, f"{_LEAFLET}/leaflet.js", *(f"{_SCRIPTS}/{name}.js" for name in _PARTS)],
    )
