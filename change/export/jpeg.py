"""Pictures in a folder of results, opened with caution: anybody may have put others there."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image

__all__ = ["open_jpeg"]


@contextmanager
def open_jpeg(path: Path) -> Iterator[Image.Image]:
    """Open a JPEG file, of which nothing but its head is read yet.

    Raises
    ------
    OSError
        It is none, or damaged, or it claims more pixels than Pillow takes for honest.
    """
    with path.open("rb") as stream:
        try:
            with warnings.catch_warnings():
                # A few bytes can claim to be more pixels than any memory holds.
                warnings.simplefilter("error", Image.DecompressionBombWarning)
                picture = Image.open(stream, formats=["JPEG"])
        except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
            raise OSError(str(error)) from error
        with picture:
            yield picture
