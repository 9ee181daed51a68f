"""Decisions: the file a review page saves, read with nothing believed before it was checked."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from change.fieldwork import ANSWERS, DISMISSALS, Decision
from survey.errors import LayerError
from survey.words import _

__all__ = ["FORMAT", "read_decisions"]

FORMAT = "orthowatch-decisions"
"""What the file says it is; with ``version`` 1."""

_LONGEST_FILE, _LONGEST_TEXT = 64 * 2**20, 2000


def read_decisions(path: Path, run_id: str) -> dict[str, Decision]:
    """Return the decisions of a file by the id of their suspect; of several the last counts.

    Parameters
    ----------
    path
        A JSON object with ``format``, ``version``, ``run_id`` and ``decisions``: a list of objects
        with ``id``, ``answer``, ``dismissal``, ``note``, ``by`` and ``at``.
    run_id
        The run they must be of: ids mean nothing in another.

    Raises
    ------
    LayerError
        The file is no such file, belongs to another run, or holds an answer nobody can give.
    """
    content = _content(path)
    if content.get("run_id") != run_id:
        raise LayerError(
            _("{path}: these decisions are of run {theirs}, the results are of run {ours}").format(
                path=path, theirs=str(content.get("run_id"))[:40], ours=run_id
            )
        )
    rows = content.get("decisions")
    if not isinstance(rows, list):
        raise _unusable(path, _("it holds no list of decisions"))
    told = [_decision(row, number, path) for number, row in enumerate(rows, start=1)]
    return {item.id: item for item in told if item is not None}


def _content(path: Path) -> dict[str, Any]:
    try:
        if not path.is_file():
            raise _unusable(path, _("there is no such file"))
        if path.stat().st_size > _LONGEST_FILE:
            raise _unusable(path, _("it is too large"))
        content = json.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise _unusable(path, error.strerror or str(error)) from error
    except (ValueError, RecursionError) as error:
        raise _unusable(path, _("it is not JSON")) from error
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise _unusable(path, _("it was not saved by a review page"))
    if content.get("version") != 1:
        raise _unusable(path, _("it is of a version that this orthowatch does not know"))
    return content


def _decision(row: Any, number: int, path: Path) -> Decision | None:
    """Return a decision; None where it takes an earlier one back."""
    if not isinstance(row, Mapping) or not isinstance(row.get("id"), str):
        raise _unusable(path, _("decision {number} names no suspect").format(number=number))
    answer, dismissal = row.get("answer"), row.get("dismissal")
    if answer == ANSWERS[0]:
        return None
    if answer not in ANSWERS or (answer == "dismissed" and dismissal not in DISMISSALS):
        raise _unusable(
            path,
            _("decision {number} is {answer!r}, {dismissal!r}: no such answer").format(
                number=number, answer=str(answer)[:40], dismissal=str(dismissal)[:40]
            ),
        )
    return Decision(
        id=row["id"],
        answer=answer,
        dismissal=dismissal if answer == "dismissed" else None,
        note=_text(row.get("note")),
        by=_text(row.get("by")),
        at=_text(row.get("at")),
    )


def _text(value: Any) -> str:
    if not isinstance(value, str):
        return ""
    # A browser that cuts a text may leave half of a letter.
    return value[:_LONGEST_TEXT].encode("utf-8", "replace").decode("utf-8")


def _unusable(path: Path, why: str) -> LayerError:
    return LayerError(_("{path}: no decisions to read: {why}").format(path=path, why=why))
