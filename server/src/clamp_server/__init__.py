"""A self-hosted Clamp: takes events, keeps them, answers questions about them."""

__version__ = "0.1.0"
