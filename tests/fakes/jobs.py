"""Jobs in memory: a test says where each start stands, and what was started is counted."""

from bot.core.errors import NotFound, OutcomeUnknown
from bot.core.jobs import Job, Stage


class FakeJobs:
    """One job, `retrain`; `plays` are its next answers, the last one stays."""

    name = "trainer"

    def __init__(self, *plays):
        self.plays = list(plays) or [Job(Stage.SUCCEEDED, "trained v4", {"version": "v4"})]
        self.started, self.cancelled = [], []
        self.cut = self.deaf = False

    def order(self, job, parameters):
        if job != "retrain":
            raise NotFound(f"There is no job '{job}' here.")
        return f"retrain {parameters['model']}"

    def start(self, job, parameters, key):
        if not self.deaf and key not in self.started:
            self.started.append(key)
        if self.cut:
            raise OutcomeUnknown("The call was cut off.")

    def job(self, job, key):
        if key not in self.started:
            return Job(Stage.ABSENT)
        return self.plays.pop(0) if len(self.plays) > 1 else self.plays[0]

    def cancel(self, job, key):
        self.cancelled.append(key)
