"""Encodings: what text a shapefile's bytes mean, where it does not say or says it wrongly.

Text is read as ISO-8859-1, which keeps every byte, and decoded here: GDAL alone turns Chinese
tables without a ``.cpg`` silently into Latin letters.
"""

import codecs
import encodings.aliases
import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path

from survey.errors import LayerError
from survey.words import _

__all__ = ["Encoding", "choose_encoding", "decoded", "stated_encoding"]

# Language driver byte of a DBF header (offset 29) to code page; ESRI's and dBase's lists agree on
# these. 0x57 ("the ANSI of that machine") and 0x00 say nothing.
_LDID = {
    0x01: "cp437", 0x02: "cp850", 0x03: "cp1252", 0x58: "cp1252", 0x64: "cp852", 0x65: "cp866",
    0xC8: "cp1250", 0xC9: "cp1251", 0x26: "cp866", 0x13: "cp932", 0x7B: "cp932", 0x4D: "gb18030",
    0x7A: "gb18030", 0x4E: "cp949", 0x79: "cp949", 0x4F: "cp950", 0x78: "cp950",
}  # fmt: skip
_LDID_OFFSET = 29
# Chinese text is written in pairs of high bytes; a lone high byte between letters is an accent.
_PAIR = re.compile("[\x81-\xfe][\xa1-\xfe]")
# So many characters of three bytes each do not come about in GBK or Big5 by chance: one in a
# hundred pairs of Chinese characters in GBK could be two thirds of one in UTF-8.
_ENOUGH = 2
# The first of the two planes holds the characters of daily use: GB 2312 rows 16 to 55, Big5 A440 to
# C67E. Nine characters in ten of ordinary text lie there, three in ten where the codec is wrong.
_COMMON = {
    "gb18030": re.compile(rb"[\xb0-\xd7][\xa1-\xfe]"),
    "cp950": re.compile(rb"[\xa4-\xc6][\x40-\x7e\xa1-\xfe]"),
}
_USUAL, _UNUSUAL = 0.9, 0.6


@dataclass(frozen=True, slots=True, kw_only=True)
class Encoding:
    """How text was decoded."""

    name: str
    """Python's name of the codec."""
    assumption: str | None
    """What had to be assumed, as a sentence; None where the file said it."""


def stated_encoding(path: Path) -> str | None:
    """Return the codec a shapefile states, in its ``.cpg`` or the language byte of its table.

    GB2312 and GBK come back as GB18030, which holds both.
    """
    for sibling in (path.with_suffix(".cpg"), path.with_suffix(".CPG")):
        if sibling.is_file():
            codec = _codec(sibling.read_bytes()[:64].decode("ascii", "ignore"))
            if codec is not None:
                return codec
    for table in (path.with_suffix(".dbf"), path.with_suffix(".DBF")):
        if table.is_file():
            with table.open("rb") as file:
                header = file.read(_LDID_OFFSET + 1)
            return _LDID.get(header[_LDID_OFFSET]) if len(header) > _LDID_OFFSET else None
    return None


def choose_encoding(
    raw: Collection[str], *, given: str | None, stated: str | None, shown: str
) -> Encoding:
    """Return the codec of texts that were read as ISO-8859-1.

    A codec counts as fitting when every text decodes; a character cut off at the end of a field
    (tables have fixed widths) is no objection.

    Parameters
    ----------
    raw
        The texts, one character per byte.
    given
        The user's word, which wins.
    stated
        The file's own word.
    shown
        The file, for sentences.

    Raises
    ------
    LayerError
        ``given`` is unknown or does not fit the file.
    """
    high = [text for text in raw if not text.isascii()]
    if given is not None:
        return _given(high, given, shown)
    if not high:
        return Encoding(name=stated or "utf-8", assumption=None)
    if stated is not None and _fits(high, stated) and not _rather_utf8(high, stated):
        return Encoding(name=stated, assumption=None)
    says = stated or _("nothing")
    found = _found(high)
    if found is not None:
        said = _("{path}: states {stated} as its encoding; its text fits {name} and was read so")
        told = said.format(path=shown, stated=says, name=_SPOKEN.get(found, found.upper()))
        doubt = _("it may be Big5 all the same; compare a name, or give --encoding Big5")
        may_be = found == "gb18030" and _looks_like_big5(high)
        return Encoding(name=found, assumption=f"{told}; {doubt}" if may_be else told)
    return Encoding(
        name="cp1252",
        assumption=_(
            "{path}: states {stated} as its encoding and fits neither UTF-8 nor GB18030; read as "
            "Windows-1252, so names may be wrong; give --encoding"
        ).format(path=shown, stated=says),
    )


def _found(high: Collection[str]) -> str | None:
    """Return the first codec of Chinese tables that fits; GBK and Big5 share most of their bytes.

    GB18030 takes nearly anything that Big5 writes, GBK proper leaves holes where characters are
    not assigned: what falls into one of those and fits Big5 is Big5.
    """
    if _fits(high, "utf-8"):
        return "utf-8"
    if not any(_PAIR.search(text) for text in high):
        return None
    fits_big5 = _fits(high, "cp950")
    if _fits(high, "gb18030") and not (fits_big5 and not _fits(high, "gbk")):
        return "gb18030"
    return "cp950" if fits_big5 else None


def _rather_utf8(high: Collection[str], stated: str) -> bool:
    """Whether a text that fits another codec is UTF-8 all the same: its bytes cannot be chance."""
    if stated == "utf-8" or not _fits(high, "utf-8"):
        return False
    one_byte = len(bytes(range(0xC0, 0xC8)).decode(stated, "replace")) == 8
    large = sum(c > "\u07ff" for text in high for c in decoded(text, "utf-8"))
    return one_byte or large >= _ENOUGH


def _looks_like_big5(high: Collection[str]) -> bool:
    """Whether a text is made of common characters as Big5, and of uncommon ones as GBK."""
    if not _fits(high, "cp950"):
        return False
    share = {codec: _common_share(high, codec) for codec in _COMMON}
    return share["cp950"] >= _USUAL and share["gb18030"] < _UNUSUAL


def _common_share(high: Iterable[str], codec: str) -> float:
    """Return the share of the characters beyond ASCII that are common in a codec of two bytes."""
    wide = [c for text in high for c in decoded(text, codec) if not c.isascii()]
    common = sum(_COMMON[codec].fullmatch(c.encode(codec, "replace")) is not None for c in wide)
    return common / max(1, len(wide))


def decoded(text: str, codec: str) -> str:
    """Return the true text of bytes that were read as ISO-8859-1.

    A character cut off at the end of a field is dropped.

    Examples
    --------
    >>> decoded("张三".encode("gb18030").decode("latin-1"), "gb18030")
    '张三'
    """
    if text.isascii():
        return text
    return codecs.getincrementaldecoder(codec)("replace").decode(text.encode("latin-1"))


def _given(high: Iterable[str], given: str, shown: str) -> Encoding:
    codec = _codec(given)
    if codec is None:
        raise LayerError(_("unknown encoding {name}; try GBK or UTF-8").format(name=given))
    if not _fits(high, codec):
        raise LayerError(
            _("{path}: its text is not {name}; leave the encoding out to have it found").format(
                path=shown, name=given
            )
        )
    return Encoding(name=codec, assumption=None)


def _fits(texts: Iterable[str], codec: str) -> bool:
    try:
        for text in texts:
            codecs.getincrementaldecoder(codec)("strict").decode(text.encode("latin-1"))
    except UnicodeError:
        return False
    return True


def _codec(label: str) -> str | None:
    """Return Python's codec for what users and ``.cpg`` files write, such as ``ANSI 936``."""
    name = re.sub(r"^(ansi|oem|ms|windows-?|cp)\s*(?=\d)", "", label.strip().lower())
    if name in ("936", "54936", "gbk", "gb2312", "gb_2312-80", "euc-cn", "gb18030"):
        return "gb18030"
    if re.fullmatch(r"8859-?\d{1,2}", name):
        name = f"iso8859-{name[4:].lstrip('-')}"
    elif name.isdigit():
        name = "utf-8" if name == "65001" else f"cp{name}"
    try:
        found = codecs.lookup(_ALIASES.get(_squeezed(name), name))
        # Some codecs turn text to text or bytes to bytes; only text codecs are meant.
        return found.name if isinstance("a".encode(found.name), bytes) else None
    except (LookupError, UnicodeError, ValueError, TypeError):
        return None


def _squeezed(name: str) -> str:
    return re.sub(r"[\W_]", "", name)


_SPOKEN = {"cp950": "Big5"}

# Python knows koi8_r and big5, files say koi8r and Big-5.
_ALIASES = {
    _squeezed(alias): codec
    for known in encodings.aliases.aliases.items()
    for alias, codec in (known, (known[1], known[1]))
}
