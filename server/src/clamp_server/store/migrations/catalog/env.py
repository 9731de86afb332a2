"""Runs the catalog's migrations on the connection that `Catalog.migrate` opened."""

from alembic import context

context.configure(connection=context.config.attributes["connection"])
context.run_migrations()
