# SPDX-License-Identifier: GPL-2.0-or-later
"""Results brought into the project: styled as their file says, in a group of their own."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from qgis.core import (
    QgsMapLayer,
    QgsProcessingContext,
    QgsProcessingFeedback,
    QgsProcessingLayerPostProcessorInterface,
    QgsProcessingUtils,
    QgsProject,
)
from qgis.PyQt import sip

from .base import say
from .folder import Shown
from .words import WORDS

__all__ = ["is_open", "load_layers"]

_ABOVE = "orthowatch/above"


class _Placer(QgsProcessingLayerPostProcessorInterface):
    """Gives a layer the style in its file, moves it into its group, and hides it where asked.

    QGIS 3.32 and newer know groups themselves; before that this does it. One is for one layer: the
    context of the algorithm deletes them all in the end.
    """

    def __init__(self, place: tuple[str, int] | None, *, visible: bool) -> None:
        super().__init__()
        self.visible = visible
        """Whether the layer is shown at first."""
        self.place = place
        """The group of the layer, and how many layers of it lie above; None where QGIS knows."""

    def postProcessLayer(
        self,
        layer: QgsMapLayer,
        context: QgsProcessingContext,
        feedback: QgsProcessingFeedback,  # noqa: ARG002
    ) -> None:
        layer.loadDefaultStyle()  # Processing opens layers without
        if self.place is not None:
            _move(layer, context.project(), self.place)
        node = context.project().layerTreeRoot().findLayer(layer.id())
        if node is not None:
            node.setItemVisibilityChecked(self.visible)
        layer.triggerRepaint()


def _move(layer: QgsMapLayer, project: QgsProject, place: tuple[str, int]) -> None:
    title, above = place
    root = project.layerTreeRoot()
    node = root.findLayer(layer.id())
    if node is None or (node.parent().name() == title and node.parent() != root):
        return
    group = root.findGroup(title) or root.insertGroup(0, title)
    moved = node.clone()
    # They come in the order of their sources, and each finds its place among those that are there.
    moved.setCustomProperty(_ABOVE, above)
    there = [int(child.customProperty(_ABOVE, 0)) for child in group.children()]
    group.insertChildNode(sum(rank < above for rank in there), moved)
    node.parent().removeChildNode(node)


# QGIS calls them when the algorithm is gone, and Python is to keep them alive until then.
_PLACERS: list[_Placer] = []


def is_open(folder: Path, project: QgsProject | None) -> bool:
    """Whether a project shows a layer out of a folder."""
    layers = [] if project is None else project.mapLayers().values()
    files = [Path(layer.source().partition("|")[0]) for layer in layers]
    return any(file.is_relative_to(folder) for file in files)


def load_layers(shown: Sequence[Shown], group: str, context: QgsProcessingContext) -> None:
    """Have layers loaded into the project when the algorithm is done.

    Parameters
    ----------
    shown
        The layers, topmost first.
    group
        The title of their group.
    context
        Of the algorithm; without a project nothing is loaded.
    """
    if context.project() is None:
        return
    _PLACERS[:] = [placer for placer in _PLACERS if not sip.isdeleted(placer)]
    hints = QgsProcessingUtils.LayerHint
    for above, item in enumerate(shown):
        title = say(item.title) if item.title in WORDS else item.title
        details = QgsProcessingContext.LayerDetails(title, context.project())
        details.forceName = True
        details.layerTypeHint = hints.Raster if item.raster else hints.Vector
        place: tuple[str, int] | None = (group, above)
        if hasattr(details, "groupName"):
            details.groupName, details.layerSortKey = group, len(shown) - above
            place = None
        _PLACERS.append(_Placer(place, visible=item.visible))
        details.setPostProcessor(_PLACERS[-1])
        context.addLayerToLoadOnCompletion(item.source, details)
