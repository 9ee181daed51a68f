"""Extras: packages that only some sources need, and what to install where one is missing."""

import importlib
from typing import Any

from survey.errors import LayerError
from survey.words import _

__all__ = ["extra_module"]


def extra_module(name: str, *, extra: str, shown: str) -> Any:
    """Return a module of a package that is not always installed.

    Parameters
    ----------
    name
        The module.
    extra
        The extra of orthowatch that brings it.
    shown
        The source that needs it, for the sentence.

    Raises
    ------
    LayerError
        It is not installed.
    """
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise LayerError(
            _('{path}: needs {package}; install it with: pip install "orthowatch[{extra}]"').format(
                path=shown, package=name.partition(".")[0], extra=extra
            )
        ) from error
