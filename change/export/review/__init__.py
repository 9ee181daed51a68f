"""The review page: suspects looked at and answered in a browser, with no server and no network."""

from change.export.review.page import write_review

__all__ = ["write_review"]
