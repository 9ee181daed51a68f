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
    if stated is not None and _fits(high, stated):
        return Encoding(name=stated, assumption=None)
    says = stated or _("nothing")
    for name in ("utf-8", "gb18030"):
        if _fits(high, name) and (name == "utf-8" or any(_PAIR.search(text) for text in high)):
            return Encoding(
                name=name,
                assumption=_(
                    "{path}: states {stated} as its encoding; its text fits {name} and was read so"
                ).format(path=shown, stated=says, name=name.upper()),
            )
    return Encoding(
        name="cp1252",
        assumption=_(
            "{path}: states {stated} as its encoding and fits neither UTF-8 nor GB18030; read as "
            "Windows-1252, so names may be wrong; give --encoding"
        ).format(path=shown, stated=says),
    )


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


# Python knows koi8_r and big5, files say koi8r and Big-5.
_ALIASES = {
    _squeezed(alias): codec
    for known in encodings.aliases.aliases.items()
    for alias, codec in (known, (known[1], known[1]))
}
