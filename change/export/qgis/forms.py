"""Forms: what a column is called, how it is edited, and by whom. Pure."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from change.export.gpkg_tables import Table
from change.export.qgis.markup import Element, add, element, options

__all__ = ["PHOTO_FOLDER", "Form", "Tab", "for_qfield", "form_elements"]

PHOTO_FOLDER = "DCIM"
"""Where QField puts photos, beside the project."""

_DAY = {
    "allow_null": True,
    "calendar_popup": True,
    "display_format": "yyyy-MM-dd",
    "field_format": "yyyy-MM-dd",
    "field_iso_format": False,
}
# Paths relative to the project, shown as pictures (QgsFileWidget and QgsExternalResourceWidget).
_PHOTO = {
    "DocumentViewer": 1,
    "DocumentViewerHeight": 0,
    "DocumentViewerWidth": 0,
    "FileWidget": True,
    "FileWidgetButton": True,
    "FileWidgetFilter": "",
    "RelativeStorage": 1,
    "StorageMode": 0,
    "UseLink": False,
}
_MANY_LINES = ("remark", "why_en", "why_zh", "detail", "value")
_PHOTOS = ("photo",)
_PHOTO_NAME = (
    f"'{PHOTO_FOLDER}/' || \"uid\" || '_' || format_date(now(), 'yyyyMMddhhmmsszzz') || '.jpg'"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tab:
    """Columns that stand together in a form."""

    title: str
    """What the tab, or the frame within one, is called."""
    columns: tuple[str, ...] = ()
    """The columns, in order."""
    only_if: str | None = None
    """Expression for whether it is shown; None for always."""
    inside: tuple["Tab", ...] = ()
    """Frames below the columns."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """How the rows of a layer are shown and edited."""

    aliases: Mapping[str, str]
    """What people call each column."""
    words: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """For columns of slugs, what people call each slug."""
    editable: tuple[str, ...] = ()
    """Columns that can be edited; none makes the layer read-only."""
    required: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    """For a column, the expression that should hold, and what to say where it does not."""
    tabs: tuple[Tab, ...] = ()
    """The form; none lists the columns as they come."""
    hidden: tuple[str, ...] = ()
    """Columns that the table of rows does not show."""
    title: str
    """Expression for what a row is called in lists."""


def form_elements(table: Table, form: Form) -> list[Element]:
    """Return the elements of a layer that tell its form."""
    names = list(table.kinds)
    made = [_widgets(table, form), element("aliases"), element("constraints")]
    _fields, aliases, constraints = made
    expressions, editable = element("constraintExpressions"), element("editable")
    for index, name in enumerate(names, start=1):
        add(aliases, "alias", field=name, index=index, name=form.aliases[name])
        add(editable, "field", name=name, editable=name in form.editable)
        if name in form.required:
            test, said = form.required[name]
            # 4: an expression; 2: told, and saved all the same.
            add(constraints, "constraint", field=name, constraints=4, exp_strength=2)
            add(expressions, "constraint", field=name, exp=test, desc=said)
    made += [expressions, editable, _table_config(names, form)]
    made.append(element("editorlayout", "tablayout" if form.tabs else "generatedlayout"))
    made.append(element("featformsuppress", "0"))
    if form.tabs:
        shape = element("attributeEditorForm")
        for tab in form.tabs:
            shape.append(_container(tab, names, frame=False))
        made.append(shape)
    made.append(element("previewExpression", form.title))
    return made


def _widgets(table: Table, form: Form) -> Element:
    made = element("fieldConfiguration")
    for name, kind in table.kinds.items():
        widget, config = _widget(name, kind, form)
        inside = add(
            add(made, "field", name=name, configurationFlags="None"), "editWidget", type=widget
        )
        add(inside, "config").append(options(config))
    return made


def _widget(name: str, kind: str, form: Form) -> tuple[str, Mapping[str, Any]]:
    """Return the kind of widget a column is edited with, and its settings."""
    if name in form.words:
        return "ValueMap", {"map": [{called: slug} for slug, called in form.words[name].items()]}
    if name in _PHOTOS:
        return "ExternalResource", _PHOTO
    if kind == "day":
        return "DateTime", _DAY
    if kind == "flag":
        return "CheckBox", {"CheckedState": "", "TextDisplayMethod": 0, "UncheckedState": ""}
    if name in form.editable and kind == "number":
        limits = {"Min": 0.0, "Max": 1e6, "Step": 1.0, "Precision": 1}
        return "Range", {**limits, "AllowNull": True, "Style": "SpinBox"}
    return "TextEdit", {"IsMultiline": name in _MANY_LINES, "UseHtml": False}


def _container(tab: Tab, names: Sequence[str], *, frame: bool) -> Element:
    made = element(
        "attributeEditorContainer",
        name=tab.title,
        showLabel=1,
        groupBox=frame,
        columnCount=1,
        collapsed=0,
        visibilityExpressionEnabled=tab.only_if is not None,
        visibilityExpression=tab.only_if or "",
    )
    for name in tab.columns:
        add(made, "attributeEditorField", name=name, index=names.index(name) + 1, showLabel=1)
    for inner in tab.inside:
        made.append(_container(inner, names, frame=True))
    return made


def _table_config(names: Sequence[str], form: Form) -> Element:
    """Return which columns the table of rows shows."""
    made = element(
        "attributetableconfig", actionWidgetStyle="dropDown", sortExpression="", sortOrder=0
    )
    columns = add(made, "columns")
    for name in ("fid", *names):
        hidden = name == "fid" or name in form.hidden
        add(columns, "column", name=name, type="field", hidden=hidden, width=-1)
    return made


def for_qfield(form: Form) -> dict[str, Any]:
    """Return what QField reads of a layer: rows can be filled in there, outlines stay."""
    if not form.editable:
        return {"QFieldSync/action": "copy", "QFieldSync/cloud_action": "no_action"}
    naming = json.dumps(dict.fromkeys(_PHOTOS, _PHOTO_NAME))
    return {
        "QFieldSync/action": "offline",
        "QFieldSync/cloud_action": "offline",
        "QFieldSync/is_geometry_locked": True,
        "QFieldSync/photo_naming": naming,
        "QFieldSync/attachment_naming": naming,
    }
