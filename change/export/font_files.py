"""Font files: what they are called that show Chinese, and where machines keep them."""

import os
from collections.abc import Iterable
from pathlib import Path

__all__ = ["font_files", "font_folders"]

_NAMES = (
    # Debian, Ubuntu, Fedora, Arch: one weight to a file.
    "notosanscjk-regular.ttc",
    "notosanscjksc-regular.otf",
    "notosanssc-regular.otf",
    "notosanssc-regular.ttf",
    "sourcehansanssc-regular.otf",
    "sourcehansanscn-regular.otf",
    "sourcehansans-regular.ttc",
    "sourcehansans.ttc",
    # Windows.
    "msyh.ttc",
    "msyh.ttf",
    "simhei.ttf",
    "simsun.ttc",
    "deng.ttf",
    # macOS.
    "pingfang.ttc",
    "hiragino sans gb.ttc",
    "stheiti light.ttc",
    "songti.ttc",
    "arial unicode.ttf",
    # Anywhere.
    "wqy-zenhei.ttc",
    "wqy-microhei.ttc",
    "droidsansfallbackfull.ttf",
    "uming.ttc",
    "notoserifcjk-regular.ttc",
    "sourcehanserifsc-regular.otf",
    # All weights in one file: slower.
    "notosanscjk-vf.ttc",
    "notosanscjk-vf.otf.ttc",
    "notosanscjksc-vf.otf",
    "notosanssc[wght].ttf",
    "notosanssc-vf.ttf",
    # Without Chinese, but with more than western letters.
    "dejavusans.ttf",
    "notosans-regular.ttf",
    "liberationsans-regular.ttf",
    "arial.ttf",
)
"""File names in lower case, the best first."""

_OWN = (
    ".local/share/fonts",
    ".fonts",
    "Library/Fonts",
    "AppData/Local/Microsoft/Windows/Fonts",
)
"""Where a user's own fonts lie."""


def font_folders() -> list[Path]:
    """Return where Debian, Fedora, Windows and macOS keep fonts, the user's own first."""
    windows = Path(os.environ.get("WINDIR", "C:/Windows"))
    return [
        *(home / name for home in _homes() for name in _OWN),
        Path("/usr/local/share/fonts"),
        Path("/usr/share/fonts"),
        windows / "Fonts",
        Path("/Library/Fonts"),
        Path("/System/Library/Fonts"),
    ]


def _homes() -> list[Path]:
    """Return the user's folder; some that run as a service have none."""
    try:
        return [Path.home()]
    except RuntimeError:
        return []


def font_files(folders: Iterable[Path]) -> list[Path]:
    """Return the fonts in some folders that have a known name, the best first."""
    found: dict[str, Path] = {}
    for folder in folders:
        for root, inner, names in os.walk(folder):
            inner.sort()
            for name in sorted(names):
                found.setdefault(name.lower(), Path(root) / name)
    return [found[name] for name in _NAMES if name in found]
