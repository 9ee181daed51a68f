# SPDX-License-Identifier: GPL-2.0-or-later
"""The plugin as QGIS starts it: all it does is bring the provider."""

from __future__ import annotations

from typing import Any

from qgis.core import QgsApplication

from .provider import OrthowatchProvider

__all__ = ["OrthowatchPlugin"]


class OrthowatchPlugin:
    """Registers the provider; ``iface`` is None in ``qgis_process``."""

    def __init__(self, iface: Any) -> None:
        self.iface = iface
        self.provider: OrthowatchProvider | None = None

    def initProcessing(self) -> None:
        """Register the provider; ``qgis_process`` calls only this."""
        self.provider = OrthowatchProvider()
        QgsApplication.processingRegistry().addProvider(self.provider)

    def initGui(self) -> None:
        """Start in the desktop."""
        self.initProcessing()

    def unload(self) -> None:
        """Take the provider away again."""
        if self.provider is not None:
            QgsApplication.processingRegistry().removeProvider(self.provider)
            self.provider = None
