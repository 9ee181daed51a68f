"""The shipped weights, their card, and the one place that runs them."""

__all__: list[str] = []
