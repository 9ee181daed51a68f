# SPDX-License-Identifier: GPL-2.0-or-later
"""The orthowatch command as Processing algorithms of QGIS.

Plain Python, needs no QGIS: ``command``, ``runner``, ``words``, ``findings``, ``folder``.
Knows QGIS: ``options``, ``sources``, ``base``, ``algorithms``, ``loading``, ``provider``,
``plugin``. The command itself runs in a process of its own, in its own environment.
"""

from __future__ import annotations

from typing import Any

__all__ = ["classFactory"]


def classFactory(iface: Any) -> Any:
    """Return the plugin; the name is QGIS's."""
    from .plugin import OrthowatchPlugin  # noqa: PLC0415 - the parts without QGIS load without it

    return OrthowatchPlugin(iface)
