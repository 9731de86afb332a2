"""Numbered steps from one release's tables to the next one's, never edited."""
