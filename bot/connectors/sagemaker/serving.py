"""Endpoints as a traffic splitter: set, waited for until they are in service again, and counted by CloudWatch.

What SageMaker does, and what follows. A change takes minutes, during which the endpoint is Updating and takes no other, so a change
is waited for, before and after. Weights are absolute, so a repetition changes nothing. An update may be rolled back by alarms, and
then the endpoint is in service too: only what it serves counts. CloudWatch counts by the minute and tells it minutes
late, so only whole minutes after the last change count. What cannot be counted is not changed, only put back.
"""

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from bot.connectors.sagemaker.calls import CLOUDWATCH, SAGEMAKER, Calls, told
from bot.connectors.sagemaker.counts import invocations
from bot.connectors.sagemaker.places import IN_SERVICE, TOTAL, ByConfig, ByVariant, Endpoint
from bot.connectors.sagemaker.refusals import AwsSilent
from bot.core.actions import UNDO
from bot.core.errors import ActionFailed, NotFound, OutcomeUnknown
from bot.core.models import Split, servable
from bot.core.waiting import pause

CHANGING = {IN_SERVICE, "Updating", "SystemUpdating", "RollingBack"}
"""The states in which an endpoint answers requests, and from which it comes back into service by itself."""
POLL_S = 5.0
GRACE_S = 30.0
"""An endpoint that is in service, but not as asked, for longer than this has not taken the change."""
FRESH_S = 15.0
"""CloudWatch is asked for one endpoint no more often than this; it moves once a minute."""
STALE_S = 300.0
"""When CloudWatch cannot be asked, what it said so long ago stands for now."""


@dataclass(frozen=True, slots=True)
class Count:
    """What was counted, and when that was asked: seconds of our clock."""

    at: float
    requests: Mapping[str, int]


class Serving:
    """Implements `Splitter`. `now` (seconds), `sleep` and `today` are given by tests."""

    grain: int = TOTAL
    lag_s = 300.0
    """Until requests are counted: a minute has to begin, to end, and to reach CloudWatch."""

    def __init__(
        self,
        aws: Calls,
        endpoints: Mapping[str, ByVariant | ByConfig],
        settle_s: float,
        *,
        now: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = pause,
        today: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._aws, self._endpoints, self._settle_s = aws, endpoints, settle_s
        self._now, self._sleep, self._today = now, sleep, today
        if any(isinstance(place, ByConfig) for place in endpoints.values()):
            self.grain = 1
        self._changed: dict[str, datetime] = {}
        self._counted: dict[str, Count] = {}

    def split(self, target: str) -> Split:
        """Return the shares that the endpoint routes by now, whatever is desired."""
        place = self._place(target)
        return place.shares(self._seen(place))

    def set_split(self, target: str, split: Split, key: str) -> None:
        """Make it so, and wait until the endpoint is in service with it.

        Raises:
            ActionFailed: it cannot take this, nothing counts its requests (and this is no way back), or it did not settle in time.
        """
        place = self._place(target)
        shares = servable(target, split, place.versions)
        seen = self._settled(place, lambda _: True, "is not free for a change")
        if place.there(shares, seen):
            return
        if not key.endswith(UNDO):
            self.requests(target)
        operation, asked = place.order(shares, seen)
        with suppress(OutcomeUnknown):  # looking at the endpoint tells whether it was heard
            self._aws.write(SAGEMAKER, operation, asked)
        self._counted.pop(target, None)
        self._settled(place, lambda now: place.there(shares, now), "has not taken the change")
        self._changed[target] = self._today()

    def requests(self, target: str) -> Mapping[str, int]:
        """Return how many invocations each version has had in the whole minutes since the endpoint was last changed."""
        place, last = self._place(target), self._counted.get(target)
        if last is not None and self._now() - last.at < FRESH_S:
            return last.requests
        try:
            count = self._count(target, place)
        except AwsSilent:
            if last is None or self._now() - last.at > STALE_S:
                raise
            return last.requests
        self._counted[target] = count
        return count.requests

    def ready(self, target: str) -> str:
        """Say, without changing anything, what is there to change traffic with and to count it; ActionFailed where it is not."""
        place = self._place(target)
        if isinstance(place, ByConfig):
            for config in place.configs.values():
                self._aws.read(SAGEMAKER, "DescribeEndpointConfig", {"EndpointConfigName": config})
        seen = self._seen(place)
        if seen.status != IN_SERVICE:
            raise ActionFailed(f"A change would have to wait: {seen.words}.")
        self._count(target, place)
        return f"{seen.words}, and CloudWatch counts its invocations; whether the bot may update it only a change can show"

    def _place(self, target: str) -> ByVariant | ByConfig:
        if target not in self._endpoints:
            raise NotFound(f"SageMaker serves no '{target}' here; known: {', '.join(sorted(self._endpoints)) or 'none'}.")
        return self._endpoints[target]

    def _seen(self, place: ByVariant | ByConfig) -> Endpoint:
        """Return the endpoint as it stands; ActionFailed where it serves nobody, or is in no state to come back by itself."""
        answer = self._aws.read(SAGEMAKER, "DescribeEndpoint", {"EndpointName": place.endpoint})
        seen = told(Endpoint, answer, "DescribeEndpoint")
        if seen.status not in CHANGING:
            raise ActionFailed(f"SageMaker says that {seen.words}; it has to be mended there first.")
        return seen

    def _settled(self, place: ByVariant | ByConfig, there: Callable[[Endpoint], bool], else_it: str) -> Endpoint:
        """Wait until the endpoint is in service and `there`, and return it; looks that fail on the way are made again."""
        started, begun, why = self._now(), False, ""
        while True:
            try:
                seen = self._seen(place)
            except AwsSilent as silent:
                why = str(silent)
            else:
                why, waited = f"{seen.words}.", self._now() - started
                if seen.status != IN_SERVICE:
                    begun = True
                elif there(seen):
                    return seen
                elif begun or waited > GRACE_S:
                    raise ActionFailed(f"{place.endpoint} {else_it}: it is in service, but serves as before. {self._told(seen)}")
            if self._now() - started >= self._settle_s:
                raise ActionFailed(f"{place.endpoint} {else_it} within {self._settle_s:g} s: {why}")
            self._sleep(POLL_S)

    def _told(self, seen: Endpoint) -> str:
        return f"SageMaker says why: {seen.reason[:200].rstrip('.')}." if seen.reason else "SageMaker gives no reason."

    def _count(self, target: str, place: ByVariant | ByConfig) -> Count:
        seen = self._seen(place)
        changed = self._changed.get(target)
        if changed is not None:
            seen = seen.model_copy(update={"modified": max(seen.modified, changed)})
        asked = lambda query: self._aws.read(CLOUDWATCH, "GetMetricData", query)  # noqa: E731
        counted = invocations(asked, seen, until=self._today() + timedelta(minutes=5))
        requests = dict.fromkeys(place.versions, 0)
        for variant, n in counted.items():
            if version := place.version_of(variant, seen):
                requests[version] += n
        return Count(self._now(), requests)
