"""A visit to the review page in a real browser, from its folder, with no network at all."""

import shutil

import pytest

from change.export.review import write_review
from tests.dossiers import RECORD, made_up


@pytest.fixture(scope="module")
def chromium():
    """Return a browser that is closed when all tests here are done."""
    program = shutil.which("chromium")
    if program is None:
        pytest.skip("chromium not found: install Debian's package chromium")
    playwright = pytest.importorskip(
        "playwright.sync_api", reason="playwright not found: install the extra [dev]"
    )
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield browser
        browser.close()


class Visit:
    """One page in a window of its own, and all that went wrong in it."""

    def __init__(self, browser, folder, *, script="", **options):
        self.wrong = []
        self.context = browser.new_context(accept_downloads=True, **options)
        self.context.route("http*://**", self._refuse)
        self.context.set_offline(True)
        self.page = self.context.new_page()
        self.page.set_default_timeout(10_000)
        self.page.on("console", self._note)
        self.page.on("pageerror", lambda error: self.wrong.append(str(error)))
        self.page.on("requestfailed", self._failed)
        self.page.on("dialog", self._dialog)
        if script:
            self.page.add_init_script(script)
        self.open(folder)

    def open(self, folder):
        self.page.goto((folder / "review/index.html").as_uri())
        self.page.wait_for_selector("#rooms:not([hidden])")

    def _refuse(self, route):
        self.wrong.append(f"asked for {route.request.url}")
        route.abort()

    def _failed(self, request):
        # A picture that is on its way while the page is left or loaded anew is given up.
        if request.failure != "net::ERR_ABORTED":
            self.wrong.append(f"{request.url}: {request.failure}")

    def _note(self, message):
        if message.type in ("error", "warning"):
            self.wrong.append(message.text)

    def _dialog(self, dialog):
        self.wrong.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def press(self, *keys):
        for key in keys:
            self.page.keyboard.press(key)

    def until(self, expression):
        """Wait; not by Playwright's own way, which evaluates text: the page's policy forbids it."""
        for _ in range(200):
            if self.page.evaluate(expression):
                return
            self.page.wait_for_timeout(50)
        pytest.fail(f"never came true: {expression}")

    def text(self, selector):
        return self.page.inner_text(selector)

    @property
    def number(self):
        """Number of the suspect that is shown."""
        return int(self.page.inner_text("#name").split("·")[0].split()[-1])

    def save(self, path):
        """Save the decisions as a person would."""
        with self.page.expect_download() as download:
            self.page.click("#save")
        assert download.value.suggested_filename == f"decisions-{RECORD['run_id']}.json"
        download.value.save_as(path)
        return path


@pytest.fixture
def visit(chromium, tmp_path):
    """Return what opens a page; at the end nothing may have gone wrong in any."""
    made = []

    def go(dossier=None, *, again=False, writing=None, **options):
        if not again:
            dossier = dossier or made_up(tmp_path, 6, pictures=True)
            write_review(dossier, tmp_path / "review", **(writing or {}))
        made.append(Visit(chromium, tmp_path, **options))
        return made[-1]

    yield go
    wrong = [line for item in made for line in item.wrong]
    for item in made:
        item.context.close()
    assert wrong == []
