"""What can go wrong between the bot and its database, in one sentence each."""

from bot.core.errors import AiopsError


class AuditBroken(AiopsError):
    """The audit log no longer is what was written; `aiops audit verify` tells where."""
