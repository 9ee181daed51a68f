"""Areas drawn from a seed: land, stock, what happens, greenery, traffic and goods."""

__all__: list[str] = []
