"""How the shipped weights were made: `make train`, or step by step as `README.md` tells."""
