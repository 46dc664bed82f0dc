"""How Alembic reaches the database: ``store.schema`` hands the connection over, inside its own transaction."""

from alembic import context

from bottool_web.store.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata, render_as_batch=True)
context.run_migrations()
