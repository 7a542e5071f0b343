"""What a playbook may do: one file an action, pure over the ports of `bot.core.ports`."""
