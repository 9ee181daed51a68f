"""Flights in: open, check and align the orthophotos and surface models of drone flights."""

__all__: list[str] = []
