# SPDX-License-Identifier: GPL-2.0-or-later
"""What a check of flights found, as lines and as a page."""

from __future__ import annotations

import html
import json
from dataclasses import dataclass

__all__ = ["LEVELS", "Finding", "findings_page", "read_findings"]

LEVELS = {"refuse": "refused", "warning": "warning", "info": "info"}
"""The levels of the command, worst first, and the words for them."""

_PAGE = """\
<!DOCTYPE html>
<html lang="{language}">
<head><meta charset="utf-8"><title>{title}</title></head>
<body><h1>{title}</h1><table>
{rows}
</table></body>
</html>
"""


@dataclass(frozen=True)
class Finding:
    """One thing that was measured against a limit."""

    level: str
    """One of `LEVELS`."""
    says: str
    """The command's sentence."""


def read_findings(text: str) -> list[Finding]:
    """Return the findings that ``orthowatch check --json`` printed, worst first.

    Raises
    ------
    ValueError
        The text is no list of findings.
    """
    told = json.loads(text)
    if not isinstance(told, list):
        raise ValueError("no list of findings")
    try:
        found = [Finding(str(item["level"]), str(item["says"])) for item in told]
        return sorted(found, key=lambda finding: list(LEVELS).index(finding.level))
    except (KeyError, TypeError) as error:
        raise ValueError(f"no list of findings: {error}") from error


def findings_page(findings: list[Finding], title: str, words: dict[str, str], language: str) -> str:
    """Return findings as an HTML page; ``words`` are those for the levels."""
    rows = "\n".join(
        f"<tr><td>{html.escape(words[finding.level])}</td><td>{html.escape(finding.says)}</td></tr>"
        for finding in findings
    )
    return _PAGE.format(language=language.replace("_", "-"), title=html.escape(title), rows=rows)
