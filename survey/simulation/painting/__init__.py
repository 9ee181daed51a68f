"""What things look like from above: ground, roads, roofs, crowns, vehicles and goods."""

__all__: list[str] = []
