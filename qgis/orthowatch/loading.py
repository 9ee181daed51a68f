# SPDX-License-Identifier: GPL-2.0-or-later
"""Results brought into the project: styled as their file says, in a group of their own."""

from __future__ import annotations

from collections.abc import Sequence

from qgis.core import (
    QgsMapLayer,
    QgsProcessingContext,
    QgsProcessingFeedback,
    QgsProcessingLayerPostProcessorInterface,
    QgsProcessingUtils,
    QgsProject,
)

from .base import say
from .folder import Shown
from .words import WORDS

__all__ = ["load_layers"]


class _Placer(QgsProcessingLayerPostProcessorInterface):
    """Gives a layer the style in its file, and moves it into its group.

    QGIS 3.32 and newer know groups themselves; before that this does it.
    """

    def __init__(self) -> None:
        super().__init__()
        self.places: dict[str, tuple[str, int]] = {}
        """By the source of a layer: its group, and how many layers of it lie above."""

    def postProcessLayer(
        self,
        layer: QgsMapLayer,
        context: QgsProcessingContext,
        feedback: QgsProcessingFeedback,  # noqa: ARG002
    ) -> None:
        # Processing opens layers without; and one that was open before shows the files of before.
        layer.dataProvider().reloadData()
        layer.loadDefaultStyle()
        place = self.places.pop(layer.source(), None)
        if place is not None:
            _move(layer, context.project(), place)
        layer.triggerRepaint()


def _move(layer: QgsMapLayer, project: QgsProject, place: tuple[str, int]) -> None:
    title, above = place
    root = project.layerTreeRoot()
    node = root.findLayer(layer.id())
    if node is None or (node.parent().name() == title and node.parent() != root):
        return
    group = root.findGroup(title) or root.insertGroup(0, title)
    group.insertChildNode(above, node.clone())
    node.parent().removeChildNode(node)


# QGIS keeps no hold of it, and calls it after the algorithm is gone.
_PLACER = _Placer()


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
    hints = QgsProcessingUtils.LayerHint
    for above, item in enumerate(shown):
        title = say(item.title) if item.title in WORDS else item.title
        details = QgsProcessingContext.LayerDetails(title, context.project())
        details.forceName = True
        details.layerTypeHint = hints.Raster if item.raster else hints.Vector
        if hasattr(details, "groupName"):
            details.groupName, details.layerSortKey = group, len(shown) - above
        else:
            _PLACER.places[item.source] = (group, above)
        details.setPostProcessor(_PLACER)
        context.addLayerToLoadOnCompletion(item.source, details)
