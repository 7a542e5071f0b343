"""What stands until a person lifts it: above all the brake."""

from collections.abc import Iterator
from contextlib import closing

from bot.config import Settings
from bot.core.holds import brake
from bot.doctor.remarks import Remark, hint, ok
from bot.store import schema
from bot.store.database import open_store


def holds(settings: Settings) -> Iterator[Remark]:
    """Look whether somebody holds the brake; a database that does not fit is the database's own remark."""
    if schema.current(settings.database_url) != schema.head():
        return
    with closing(open_store(settings.database_url)) as store, store.read() as unit:
        hold = brake(unit)
    if hold is None:
        yield ok("brake", "nobody holds it.")
    else:
        words = hold.words.replace("<@", "").replace(">", "", 1)  # a shell knows no mentions
        mend = "When that is over: aiops resume, or /aiops resume in Slack."
        yield hint("brake", f"the bot is paused {words}; nothing acts.", mend)
