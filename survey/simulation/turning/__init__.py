"""Real orthophotos turned back to before some of their buildings stood."""

__all__: list[str] = []
