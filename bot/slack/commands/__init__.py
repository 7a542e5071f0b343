"""One file a subcommand of `/aiops`; `bot.core.registry.discover` finds the `Command` that each of them makes."""
