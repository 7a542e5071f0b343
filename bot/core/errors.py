"""Every error is one sentence that a person can act on; its class says who must act.

AiopsError
├── ConfigError          the operator: a file or a setting is wrong
├── StoreUnavailable     the operator: the bot's own database does not answer, is busy or full
├── SourceUnavailable    the data's owner: a log or feed cannot be read now
├── NotEnoughRows        nobody yet: waiting mends it
├── NotAllowed           the person who clicked: somebody else must, or no longer may
├── Conflict             nobody: another replica or person was first; read again
├── Aborted              nobody: a person asked the run to stop
├── NotFound             the person who asked: there is no such thing
└── ActionFailed         the on-call person: the platform did not do it
    ├── WorldMoved       the plan no longer fits what the platform serves
    └── OutcomeUnknown   the call was cut off: read back, never retry blindly
"""


class AiopsError(Exception):
    """One sentence: what is wrong with which thing, and the way out."""


class ConfigError(AiopsError):
    """A file or a setting is wrong; the operator mends it."""


class StoreUnavailable(AiopsError):
    """The bot's own database does not answer, is busy or full; nothing was written, and trying again later is right."""


class SourceUnavailable(AiopsError):
    """A log or feed cannot be read now; the data's owner mends it."""


class NotEnoughRows(AiopsError):
    """The number asked for would mean nothing yet; waiting mends it."""


class NotAllowed(AiopsError):
    """This person may not do this, or may not any longer."""


class Conflict(AiopsError):
    """Somebody else was first; read again and decide anew."""


class Aborted(AiopsError):
    """A person asked the run to stop. No failure of the platform: whoever puts up with one of those hears this all the same."""


class NotFound(AiopsError):
    """There is no such thing."""


class ActionFailed(AiopsError):
    """The platform did not do what was asked of it."""


class WorldMoved(ActionFailed):
    """The platform no longer stands where the plan was made."""


class OutcomeUnknown(ActionFailed):
    """The call was cut off before its answer; only reading back tells what happened."""
