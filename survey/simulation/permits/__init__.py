"""Permit layers with the dirt that real ones have, and the record of every deed."""

__all__: list[str] = []
