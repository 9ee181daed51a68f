"""The review page with as many suspects as a city has: how soon it can be used, how fast it is.

Times are taken in the browser itself: from the start of navigation until the page has painted what
it starts with, and from a keystroke until what it changed has been painted.
"""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from change.export.review import write_review
from tests.dossiers import made_up

pytestmark = [pytest.mark.browser, pytest.mark.slow]

COUNT, STROKES = 5000, 60
FIRST_USABLE_MS, STROKE_MS = 2000.0, 50.0

# Two frames after the page has started, or after a key went down, that has been painted.
_STARTED = """
window.ready = new Promise(done => {
  const look = () => document.querySelector('#rooms:not([hidden]) .row')
    ? requestAnimationFrame(() => requestAnimationFrame(() => done(performance.now())))
    : requestAnimationFrame(look);
  document.addEventListener('DOMContentLoaded', look);
});
window.strokes = [];
addEventListener('keydown', event => {
  const start = event.timeStamp;
  requestAnimationFrame(() => {
    const channel = new MessageChannel();
    channel.port1.onmessage = () => window.strokes.push(performance.now() - start);
    channel.port2.postMessage(0);
  });
}, true);
"""


@pytest.fixture(scope="module", params=["without pictures", "with pictures"])
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a page with many suspects."""
    place = tmp_path_factory.mktemp("review")
    dossier = made_up(place, COUNT, pictures=request.param == "with pictures")
    write_review(dossier, place / "review")
    return place / "review"


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Return Chromium."""
    program = shutil.which("chromium")
    if program is None:
        pytest.skip("chromium not found: install Debian's package chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        started = driver.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield started
        started.close()


def test_first_usable_and_keystrokes(folder: Path, browser: Any, benchmark: Any) -> None:
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    page.add_init_script(_STARTED)

    def visit() -> tuple[float, list[float]]:
        page.goto((folder / "index.html").as_uri())
        usable = page.evaluate("window.ready")
        for n in range(STROKES):
            page.keyboard.press("13jk"[n % 4])
            # The next one comes when a person has seen what the last one did.
            while page.evaluate("window.strokes.length") <= n:
                pass
        return usable, sorted(page.evaluate("window.strokes"))

    usable, strokes = benchmark.pedantic(visit, rounds=1, iterations=1)
    memory = page.evaluate("performance.memory.usedJSHeapSize") / 1e6
    figures = {
        "first usable, ms": round(usable),
        "keystroke, median, ms": round(strokes[len(strokes) // 2], 1),
        "keystroke, 95 %, ms": round(strokes[int(0.95 * len(strokes))], 1),
        "keystroke, slowest, ms": round(strokes[-1], 1),
        "heap, MB": round(memory, 1),
        "data.js, MB": round((folder / "data.js").stat().st_size / 1e6, 1),
    }
    benchmark.extra_info.update(figures)
    page.close()
    assert len(strokes) == STROKES
    assert usable < FIRST_USABLE_MS, figures
    assert strokes[len(strokes) // 2] < STROKE_MS, figures
