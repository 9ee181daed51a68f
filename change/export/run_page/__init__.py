"""The report of a run: one page that needs nothing else, to read, print and send on."""

from change.export.run_page.page import write_run_page

__all__ = ["write_run_page"]
