"""The errors a user can cause.

::

    OrthowatchError
    ├── InputError            unusable input or usage: one line on stderr, exit 2
    │   ├── FlightError       an orthophoto or surface model
    │   ├── PairError         two flights that cannot be compared
    │   ├── FieldError        a saved alignment
    │   ├── LayerError        a vector layer
    │   ├── DetectorError     a detector model, or evidence made elsewhere
    │   ├── SettingsError     a setting or the file that holds it
    │   └── OutputError       a place that cannot or must not be written
    └── PartialError          some blocks failed, the rest is done: exit 4

Every message is one sentence for the user that says what is wrong and what to do. Whatever else is
raised is a bug and shows its traceback.
"""

__all__ = [
    "DetectorError",
    "FieldError",
    "FlightError",
    "InputError",
    "LayerError",
    "OrthowatchError",
    "OutputError",
    "PairError",
    "PartialError",
    "SettingsError",
]


class OrthowatchError(Exception):
    """Root of everything orthowatch raises on purpose."""


class InputError(OrthowatchError):
    """Unusable input: nothing was written, nothing was lost."""


class FlightError(InputError):
    """An orthophoto or surface model that cannot be used."""


class PairError(InputError):
    """Two flights that cannot be compared."""


class FieldError(InputError):
    """A saved alignment that cannot be used, or belongs to other flights."""


class LayerError(InputError):
    """A vector layer that cannot be used."""


class DetectorError(InputError):
    """A detector model, or a raster of evidence, that cannot be used."""


class SettingsError(InputError):
    """A setting out of range, unknown, or a settings file that cannot be read."""


class OutputError(InputError):
    """A place that cannot be written, or that holds files which are not ours."""


class PartialError(OrthowatchError):
    """The run finished, but some blocks of it did not."""
