"""Text that came in with a layer, made fit for files that people open. Pure."""

import re

__all__ = ["plain_text"]

# What XML 1.0 (section 2.2) and databases cannot hold: control characters but tab and line breaks,
# halves of surrogate pairs, and the two code points that are no characters.
_UNFIT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")


def plain_text(text: str, most: int | None = None) -> str:
    r"""Return text with what no file can hold replaced, cut to ``most`` characters.

    Examples
    --------
    >>> plain_text("a\x00b") == "a\ufffdb"
    True
    >>> plain_text("permitted", 5)
    'perm…'
    """
    fit = _UNFIT.sub("\ufffd", text)
    return fit if most is None or len(fit) <= most else f"{fit[: most - 1]}…"
