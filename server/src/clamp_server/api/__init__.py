"""HTTP with JSON, for SDKs, browsers and programs."""
