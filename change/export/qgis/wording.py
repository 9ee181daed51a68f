"""Wording: what layers, groups, columns and slugs are called in QGIS. Pure."""

from collections.abc import Sequence

from change.export.headings import COLUMN_WORDS, in_languages
from survey.words import N_

__all__ = ["EXCLUDED_WORDS", "GROUP_WORDS", "LAYER_WORDS", "LEVEL_WORDS", "alias"]

LAYER_WORDS = {
    "suspects": N_("suspects"),
    "changes": N_("explained or removed"),
    "standing": N_("explained by a permit"),
    "excess": N_("beyond the permit"),
    "excluded": N_("ground not judged"),
    "permits": N_("permits"),
    "empty_permits": N_("permits with nothing on them"),
    "flawed_rows": N_("flawed rows of the permit layer"),
    "ties": N_("ties of the alignment"),
    "districts": N_("townships and communities"),
    "cells": N_("grid cells"),
    "ground": N_("ground judged"),
    "run": N_("record of the run"),
}
"""What people call a layer."""

GROUP_WORDS = {
    "suspects": N_("suspects"),
    "checks": N_("checks"),
    "permits": N_("permits"),
    "ground": N_("districts and ground"),
    "pictures": N_("pictures"),
}
"""What people call a group of layers."""

EXCLUDED_WORDS = {
    "no_overlap": N_("not covered by both flights"),
    "not_seen_before": N_("not seen by the earlier flight"),
    "not_seen_after": N_("not seen by the later flight"),
    "uncertain": N_("flights do not fit well enough"),
    "not_seen": N_("not seen by the flight"),
    "no_heights": N_("no heights"),
}
"""Why ground was not judged, as people say it."""

LEVEL_WORDS = {"township": N_("township"), "community": N_("community")}
"""What people call a level of districts."""

_FURTHER_COLUMNS = {
    "case_id": N_("case"),
    "uid": N_("suspect, over all runs"),
    "row": N_("row"),
    "granted": N_("granted on"),
    "valid_until": N_("valid until"),
    "footprint_m2": N_("permitted ground (m²)"),
    "floor_area_m2": N_("permitted floor area (m²)"),
    "storeys": N_("permitted storeys"),
    "height_m": N_("permitted height (m)"),
    "holder": N_("holder"),
    "use": N_("use"),
    "temporary": N_("temporary"),
    "flaws": N_("flaws"),
    "why": N_("flaw"),
    "detail": N_("details"),
    "kept": N_("kept"),
    "east_m": N_("shift east (m)"),
    "north_m": N_("shift north (m)"),
    "strength": N_("strength"),
    "used": N_("used"),
    "residual_m": N_("residual (m)"),
    "level": N_("level"),
    "code": N_("code"),
    "name": N_("name"),
    "judged_m2": N_("judged (m²)"),
    "excluded_m2": N_("not judged (m²)"),
    "expired": N_("run out"),
    "seen": N_("share seen"),
    "high_share": N_("share above the ground"),
    "likely": N_("probability"),
    "green": N_("share green"),
    "flown_on": N_("flight"),
    "key": N_("what"),
    "value": N_("value"),
}
# Columns of one name that mean another thing in some layers.
_OWN = {
    ("permits", "number"): N_("permit"),
    ("flawed_rows", "number"): N_("permit"),
    ("excluded", "reason"): N_("why not judged"),
    ("excluded", "area_m2"): N_("size (m²)"),
    ("empty_permits", "area_m2"): N_("size (m²)"),
    ("empty_permits", "height_m"): N_("height measured (m)"),
    ("changes", "origin"): N_("new or stock change"),
}


def alias(table: str, column: str, languages: Sequence[str]) -> str:
    """Return what people call a column of a layer; its name where nobody calls it anything."""
    called = _OWN.get((table, column)) or COLUMN_WORDS.get(column) or _FURTHER_COLUMNS.get(column)
    return column if called is None else in_languages(called, languages)
