"""From painted ground to a flight's files: light, lean, lens, mosaic, surface model."""

__all__: list[str] = []
