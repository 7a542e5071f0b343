"""The database: tables, one unit of work, the outbox, the audit log and its checkpoints, migrations.

SQLite is the default and PostgreSQL serves many replicas; the same code and the same tests run on both. A `Unit` is one
transaction: state, its audit row, what people should see and the durable workflow that it starts commit together or not at all.
Rows are JSON and never pickle: whoever can write to the database must not be able to run code in the bot.
"""
