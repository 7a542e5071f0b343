"""A splitter in memory that can be as treacherous as the real ones: it lies, forgets, restarts and answers too late."""

from bot.core.errors import ActionFailed, NotFound, OutcomeUnknown


class FakeSplitter:
    """Serves each request to the version that lags most behind its share, so shares are exact without chance."""

    name = "fake"
    grain = 10_000

    def __init__(self, target="delays", split=None):
        self.target, self.first = target, dict(split or {"v1": 1.0, "v2": 0.0})
        self.configured, self.served = dict(self.first), dict(self.first)
        self.counts, self.since = dict.fromkeys(self.first, 0), dict.fromkeys(self.first, 0)
        self.effects = []
        self.lies = self.cut_before = self.cut_after = False

    def split(self, target):
        self._known(target)
        return dict(self.configured)

    def set_split(self, target, split, key):
        self._known(target)
        stranger = next((version for version in split if version not in self.first), None)
        if stranger is not None:
            raise ActionFailed(f"There is no version '{stranger}' of {target}.")
        if not all(0 <= share <= 1 for share in split.values()) or abs(sum(split.values()) - 1) > 1e-6:
            raise ActionFailed(f"The shares of {target} must lie between 0 and 1 and add up to 1.")
        if self.cut_before:
            raise OutcomeUnknown("The call was cut off.")
        self.effects.append(key)
        self.configured = {version: split.get(version, 0.0) for version in self.first}
        if not self.lies:
            self.served, self.since = dict(self.configured), dict.fromkeys(self.first, 0)
        if self.cut_after:
            raise OutcomeUnknown("The call was cut off.")

    def requests(self, target):
        self._known(target)
        return dict(self.counts)

    def _known(self, target):
        if target != self.target:
            raise NotFound(f"There is no '{target}' here.")

    def send(self, n):
        """Let n requests come in; return how many of them found nobody."""
        if not any(self.served.values()):
            return n
        for _ in range(n):
            done = sum(self.since.values()) + 1
            version = max(self.served, key=lambda v: self.served[v] * done - self.since[v])
            self.since[version] += 1
            self.counts[version] += 1
        return 0

    def restart(self):
        """Forget what was set, and count from zero."""
        self.configured, self.served = dict(self.first), dict(self.first)
        self.counts, self.since = dict.fromkeys(self.first, 0), dict.fromkeys(self.first, 0)

    def set_raw(self, weights):
        """Set weights past every validation, as somebody with a shell would; what is no number is ignored, as Envoy does."""
        numbers = {v: int(w) if str(w).isdigit() else round(self.first[v] * 100) for v, w in weights.items()}
        total = sum(numbers.values())
        self.configured = {v: n / total if total else 0.0 for v, n in numbers.items()}
        self.served, self.since = dict(self.configured), dict.fromkeys(self.first, 0)
