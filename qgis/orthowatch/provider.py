# SPDX-License-Identifier: GPL-2.0-or-later
"""The provider: the algorithms, and the setting that says where the command is."""

from __future__ import annotations

from processing.core.ProcessingConfig import ProcessingConfig, Setting
from qgis.core import QgsProcessingProvider
from qgis.PyQt.QtGui import QIcon

from .algorithms import ALGORITHMS
from .base import COMMAND_SETTING, ICON, say

__all__ = ["OrthowatchProvider"]


class OrthowatchProvider(QgsProcessingProvider):
    """All that orthowatch offers to Processing."""

    def id(self) -> str:
        return "orthowatch"

    def name(self) -> str:
        return "orthowatch"

    def longName(self) -> str:
        return say("Compares drone flights and lists what no permit covers.")

    def icon(self) -> QIcon:
        return QIcon(str(ICON))

    def load(self) -> bool:
        setting = Setting(
            self.name(), COMMAND_SETTING, say("The command orthowatch"), "", valuetype=Setting.FILE
        )
        ProcessingConfig.settingIcons[self.name()] = self.icon()
        ProcessingConfig.addSetting(setting)
        ProcessingConfig.readSettings()
        self.refreshAlgorithms()
        return True

    def unload(self) -> None:
        ProcessingConfig.removeSetting(COMMAND_SETTING)

    def loadAlgorithms(self) -> None:
        for algorithm in ALGORITHMS:
            self.addAlgorithm(algorithm())
