"""How the tables came to be, one file a change; alembic runs them, `bot.store.schema` calls it."""
