"""`keep:` of `aiops.yaml`: how long what is stored stays."""

from datetime import timedelta
from typing import Self

from pydantic import Field, model_validator

from bot.core.keeping import Keep
from bot.core.words import duration
from bot.validation import Duration, Part

LEAST = {"messages": timedelta(days=7), "notes": timedelta(days=46), "references": timedelta(days=7)}
"""Until then they are read: a message that may have been sent twice is looked for, a report shows the notes of 45 days."""


class KeepPart(Part):
    """How long what is stored stays. What is still read stays longer; incidents, runs and the audit log stay for ever."""

    healthy: Duration = Field("14d", validate_default=True, description="Findings that say healthy: most of what there is.")
    findings: Duration = Field("90d", validate_default=True, description="All other findings.")
    messages: Duration = Field("30d", validate_default=True, description="Messages that stand in Slack, of resolved incidents.")
    notes: Duration = Field("400d", validate_default=True, description="Lines of the digest.")
    references: Duration = Field("90d", validate_default=True, description="References that no configuration asks for any more.")

    @model_validator(mode="after")
    def _long_enough(self) -> Self:
        if self.healthy > self.findings:
            raise ValueError("keeps healthy findings longer than all others; make `findings` at least as long as `healthy`")
        for name, least in LEAST.items():
            if getattr(self, name) < least:
                raise ValueError(f"keeps {name} too short a time; at least {duration(least)} are still read")
        return self

    @property
    def keep(self) -> Keep:
        """It as the bot knows it."""
        return Keep(self.healthy, self.findings, self.messages, self.notes, self.references)
