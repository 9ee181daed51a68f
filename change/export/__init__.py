"""Results as files: GeoJSON, pictures and the folder that holds them all."""

__all__: list[str] = []
