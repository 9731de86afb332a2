"""The version, on its own so that the build and the transport can both read it."""

__version__ = "0.3.0"
