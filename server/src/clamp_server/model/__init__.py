"""The nouns of the server. Pure: no I/O, no clock, no randomness."""
