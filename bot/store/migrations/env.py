"""Alembic's way in: it runs on the connection, and so in the transaction, that `bot.store.schema` hands over."""

from alembic import context

from bot.store.schema import VERSIONS, ours
from bot.store.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    include_object=ours,
    transactional_ddl=True,
    version_table=VERSIONS,
)
with context.begin_transaction():
    context.run_migrations()
