"""What all tests share: one thread a process, hypothesis profiles, and the real files."""

import os

for _library in ("OMP", "OPENBLAS", "MKL"):  # read when numpy is first imported
    os.environ.setdefault(f"{_library}_NUM_THREADS", "1")
os.environ["LANGUAGE"] = "en"

from pathlib import Path  # noqa: E402

import cv2  # noqa: E402
import pytest  # noqa: E402
from hypothesis import HealthCheck, settings  # noqa: E402

from tests.browsing import chromium, visit  # noqa: E402, F401

cv2.setNumThreads(1)

settings.register_profile("default", max_examples=50, deadline=None)
settings.register_profile(
    "ci",
    max_examples=200,
    deadline=None,
    derandomize=True,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))


@pytest.fixture(autouse=True)
def _english(monkeypatch):
    """Give every test the English words, and undo a test's change of language."""
    monkeypatch.setenv("LANGUAGE", "en")


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Return the folder of real files, described in its ``SOURCES.md``."""
    named = os.environ.get("ORTHOWATCH_REAL_DATA")
    if not named:
        pytest.skip(
            "NOT TESTED ON REAL FILES: set ORTHOWATCH_REAL_DATA to the folder that has them"
        )
    folder = Path(named)
    if not folder.is_dir():
        pytest.fail(f"ORTHOWATCH_REAL_DATA={named} is not a folder")
    return folder
