"""Suspects out: detect changes between two flights, hold them against the permits, export."""

__all__: list[str] = []
