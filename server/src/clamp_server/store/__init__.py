"""The only place with a database: events, and the catalog around them."""
