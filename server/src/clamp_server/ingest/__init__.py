"""Event in: decode, admit, enrich, buffer. Bytes become rows, one way."""
