"""What is forgotten, and that nobody notices: on both databases, because the rules are theirs."""

from dataclasses import replace
from datetime import timedelta
from itertools import count

import pytest

from bot.core.approvals import Standing
from bot.core.checks import Family
from bot.core.findings import Verdict
from bot.core.holds import Kind
from bot.core.incidents import State
from bot.core.keeping import LOOKS, Keep
from bot.core.metrics import Metrics
from bot.core.models import Persistence, Recovery, Watch
from bot.core.readings import Reading
from bot.core.seasons import Season
from bot.core.windows import Window
from bot.flow import forget as sweeping
from bot.flow import meter, report, same_hours
from bot.flow.decide import RUN
from bot.flow.forget import Broom, forget
from bot.flow.watch import fingerprint, look
from bot.store.database import open_store
from bot.store.keeper import SqlKeeper
from bot.store.outbox import Outbox
from tests.fakes.journal import FakeJournal, Killed
from tests.fakes.nouns import a_finding, a_hold, a_note, a_notice, a_proposal, a_run, an_incident
from tests.unit.flow.room import DELAYS, Room

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
KEEP = Keep(healthy=14 * DAY, findings=90 * DAY)
HOURLY = Watch("hourly", "0 * * * *", HOUR, ("missing", "performance", "psi", "latency"), persistence=Persistence(2, 3))


class House:
    """A desk on a real database, and a broom for it."""

    def __init__(self, url: str) -> None:
        self.room = Room()
        self.clock = self.room.desk.clock
        self.store = open_store(url, clock=self.clock.now)
        self.model = replace(DELAYS, watches=(HOURLY,))
        self.desk = replace(self.room.desk, data=self.clock, store=self.store, models={self.model.key: self.model})
        self.keeper = SqlKeeper(self.store)
        self.rests = 0
        self._stamps = count(1)

    @property
    def now(self):
        return self.clock.now()

    def broom(self, keep: Keep = KEEP, **changes) -> Broom:
        return Broom(replace(self.desk, **changes), self.keeper, keep, self._rest)

    def _rest(self) -> None:
        self.rests += 1

    def sweep(self, keep: Keep = KEEP, **changes) -> dict[str, object]:
        return forget(self.broom(keep, **changes), FakeJournal())

    def finds(self, days: int, *findings, model: str = "delays@production", step: timedelta = DAY) -> None:
        """One look every so often, for so many days until now; each finds this."""
        with self.store.write() as unit:
            for place in range(int(days * DAY / step)):
                unit.record(self.now - place * step, [replace(f, model=model) for f in findings])

    def slots(self, verdict: Verdict | None = None, check: str = "psi") -> list[int]:
        """How many days old what is left is."""
        with self.store.read() as unit:
            found = unit.history("delays@production", (check, "temperature"), limit=100_000)
            return [f.n for f in found if verdict in (None, f.verdict)]

    def says(self, key: str, *, thread: str = "", sent: bool = True) -> None:
        with self.store.write() as unit:
            unit.announce(a_notice(key, thread=thread))
        if sent:
            self.delivers()

    def delivers(self) -> None:
        outbox = Outbox(self.store)
        while due := outbox.due(self.now):
            for posting in due:
                assert outbox.sending(posting.key, posting.nonce, self.now)
                assert outbox.sent(posting.key, posting.revision, posting.ts or f"{next(self._stamps)}.0")

    def told(self, *keys: str) -> list[str]:
        with self.store.read() as unit:
            return [key for key in keys if unit.posted(key)]

    def opens(self, **changes):
        with self.store.write() as unit:
            return unit.open_incident(an_incident(opened_at=self.now, window=Window.ending(self.now, DAY), **changes))

    def resolves(self, incident):
        with self.store.write() as unit:
            unit.save_incident(unit.incident(incident.id).moved(State.RESOLVED, resolved_at=self.now))


@pytest.fixture(autouse=True)
def few_looks(monkeypatch):
    """Four looks stay in any case; that the real number is enough is a test of its own."""
    monkeypatch.setattr(sweeping, "LOOKS", 4)
    monkeypatch.setattr(sweeping, "SPARE", 1)


@pytest.fixture
def house(database_url):
    opened = House(database_url)
    yield opened
    opened.store.close()


@pytest.fixture
def file_house(sqlite_url):
    """Where the database does not matter: how often something is tried, and in which order."""
    opened = House(sqlite_url)
    yield opened
    opened.store.close()


def aged(house: House, verdicts, step: timedelta = 10 * DAY) -> None:
    """A look every ten days, the newest now; each finding says in `n` how many looks ago it was."""
    with house.store.write() as unit:
        for place, verdict in enumerate(verdicts):
            unit.record(house.now - place * step, [a_finding(verdict=verdict, n=place)])


def test_healthy_findings_go_after_two_weeks_and_the_others_after_ninety_days(house):
    aged(house, [Verdict.HEALTHY, Verdict.CRITICAL] * 55, step=DAY)

    went = house.sweep()

    assert max(house.slots(Verdict.HEALTHY)) == 14
    assert max(house.slots(Verdict.CRITICAL)) == 89
    assert went["findings"] == 110 - len(house.slots())


def test_the_newest_looks_of_a_check_stay_however_old_they_are(house):
    aged(house, [Verdict.HEALTHY] * 20)
    with house.store.write() as unit:
        for month in range(8):
            unit.record(house.now - month * 30 * DAY, [a_finding(check="ks", n=month)])

    house.sweep()

    assert max(house.slots()) == 3
    assert max(house.slots(check="ks")) == 3


def test_a_watch_that_reads_more_looks_keeps_more(house):
    patient = replace(house.model, watches=(replace(HOURLY, recovery=Recovery(windows=7)),))
    aged(house, [Verdict.HEALTHY] * 20)

    house.sweep(models={patient.key: patient})

    assert max(house.slots()) == 7


def test_an_open_incident_keeps_its_days_and_those_before_it(house):
    with house.store.write() as unit:
        unit.open_incident(an_incident(window=Window.ending(house.now - 60 * DAY, DAY)))
    aged(house, [Verdict.HEALTHY] * 100, step=DAY)

    house.sweep()

    assert max(house.slots()) == 61 + 14


def test_a_model_that_nobody_watches_any_more_is_forgotten_as_a_whole_ninety_days_later(house):
    house.finds(5, a_finding(), model="gone@production")
    kept = house.sweep()
    house.clock.passes(91 * 86_400)
    went = house.sweep()

    assert (kept["findings"], went["findings"]) == (0, 5)
    with house.store.read() as unit:
        assert list(unit.latest()) == []


@pytest.mark.parametrize("database_url", ["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)], indirect=True)
def test_after_forgetting_every_report_and_the_next_look_say_what_they_said_before(house, monkeypatch):
    monkeypatch.setattr(sweeping, "LOOKS", LOOKS)
    log = house.room.log
    for place in range(130):
        log.missing = 0.9 if place % 9 > 6 else 0.0
        log.drift = 0.4 if place % 30 == 29 else 0.0
        look(house.desk, house.model, HOURLY, house.now + place * DAY)
    house.clock.passes(130 * 86_400)
    house.delivers()
    before = answers(house)

    went = house.sweep()

    assert went["findings"] > 0
    assert answers(house) == before


def answers(house: House) -> object:
    """What people are told, and what the next look reads."""
    with house.store.read() as unit:
        keys = {f.key for f in unit.latest()}
        recent = {key: list(unit.recent(house.model.key, key, house.now, 9)) for key in sorted(keys)}
        charts = {key: list(unit.history(house.model.key, key)) for key in sorted(keys)}
    told = [report.status(house.desk), report.incidents(house.desk), report.report(house.desk), report.incident(house.desk, 1)]
    return told, recent, charts


def test_what_stands_in_slack_of_a_resolved_incident_goes_after_a_month_but_for_its_first_message(house):
    incident = house.opens()
    house.says("incident:1")
    house.says("incident:1/line:7", thread="incident:1")
    house.clock.passes(40 * 86_400)
    while_open = house.sweep()["messages"]
    house.resolves(incident)
    house.says("incident:1/closing", thread="incident:1")
    at_once = house.sweep()["messages"]
    house.clock.passes(31 * 86_400)

    assert (while_open, at_once, house.sweep()["messages"]) == (0, 1, 1)
    assert house.told("incident:1", "incident:1/line:7", "incident:1/closing") == ["incident:1"]


def test_a_thread_that_was_edited_lately_keeps_its_answers(house):
    house.resolves(house.opens())
    house.says("incident:1")
    house.says("incident:1/line:7", thread="incident:1")
    house.clock.passes(40 * 86_400)
    with house.store.write() as unit:
        unit.announce(a_notice("incident:1", data={"title": "Resolved"}))
    waiting = house.sweep()["messages"]
    house.delivers()

    assert (waiting, house.sweep()["messages"]) == (0, 0)


def test_a_message_that_has_not_arrived_is_never_forgotten(house):
    house.says("digest:2026-01-01", sent=False)
    house.clock.passes(400 * 86_400)

    assert house.sweep()["messages"] == 0
    assert house.told("digest:2026-01-01")


def test_digests_and_words_to_other_teams_go_as_well(house):
    keys = ["digest:2026-01-01", "brake:7", f"step:{RUN}:p1:tell"]
    for key in keys:
        house.says(key)
    house.clock.passes(31 * 86_400)

    assert house.sweep()["messages"] == 3
    assert house.told(*keys) == []


@pytest.mark.parametrize("owed", ["review", "vote", "run"])
def test_a_thread_in_which_something_is_owed_keeps_its_messages(house, owed):
    incident = house.opens()
    house.says("incident:1")
    house.says("proposal:p1", thread="incident:1")
    house.says(f"step:{RUN}:p1:tell")
    standing = Standing.WAITING if owed == "vote" else Standing.APPROVED
    with house.store.write() as unit:
        unit.add_proposal(a_proposal(standing=standing))
        if owed == "review":
            unit.hold(a_hold("p1", kind=Kind.REVIEW))
        if owed == "run":
            unit.save_run(a_run())
    house.resolves(incident)
    house.clock.passes(31 * 86_400)
    house.sweep()
    kept = house.told("proposal:p1", f"step:{RUN}:p1:tell")

    assert kept == ["proposal:p1", *([f"step:{RUN}:p1:tell"] if owed == "run" else [])]


def test_digest_lines_go_after_four_hundred_days_of_the_data(house):
    with house.store.write() as unit:
        for day in (0, 60, 399, 401, 800):
            unit.note(a_note(at=house.now - day * DAY, text=f"{day} days ago"))

    assert house.sweep()["notes"] == 2
    with house.store.read() as unit:
        assert [n.text for n in unit.notes(house.now - 900 * DAY)] == ["399 days ago", "60 days ago", "0 days ago"]


def stored(house: House) -> set[tuple[str, str]]:
    return set(house.keeper.references())


def test_a_reference_goes_when_nobody_has_asked_for_it_in_ninety_days(house):
    ours, theirs = (house.model.key, fingerprint(house.model)), (house.model.key, "of-before")
    with house.store.write() as unit:
        for key in (ours, theirs):
            unit.save_reference(*key, Reading(house.model.reference, 0))
    first = house.sweep()["references"]
    house.clock.passes(89 * 86_400)
    early = house.sweep()["references"]
    house.clock.passes(2 * 86_400)

    assert (first, early, house.sweep()["references"]) == (0, 0, 1)
    assert stored(house) == {ours}


def test_a_reference_that_another_replica_still_asks_for_stays(house):
    other = replace(house.model, reference=Window(house.model.reference.start - DAY, house.model.reference.end))
    key = (other.key, fingerprint(other))
    with house.store.write() as unit:
        unit.save_reference(*key, Reading(other.reference, 0))
    for _ in range(4):
        house.sweep()
        house.sweep(models={other.key: other})
        house.clock.passes(40 * 86_400)

    assert stored(house) == {key}


def test_the_hours_of_a_season_and_the_metrics_are_asked_for_with_their_model(house):
    season = replace(house.model.watches[0], season=Season("week", "Europe/Berlin"), window=3 * HOUR)
    metrics = Metrics("prometheus", {"cpu": "up"})
    model = replace(house.model, watches=(season, HOURLY), metrics=metrics)
    slot = season.hours_of(Window.ending(house.now + timedelta(minutes=20), 3 * HOUR))
    hours = (model.key, same_hours._fingerprint(fingerprint(model), slot))
    cpu = meter.stored_under(model, metrics)["cpu"]
    with house.store.write() as unit:
        for key in (hours, cpu, (model.key, "of-before")):
            unit.save_reference(*key, Reading(model.reference, 0))
    for _ in range(3):
        house.sweep(models={model.key: model})
        house.clock.passes(50 * 86_400)

    assert stored(house) == {hours, cpu}


def test_what_was_forgotten_is_audited_once_and_nothing_is_when_nothing_went(house):
    house.sweep()
    aged(house, [Verdict.HEALTHY] * 10)
    house.sweep()
    house.sweep()

    with house.store.read() as unit:
        [row] = unit.audit_rows(10)
    assert (row.entry.action, row.entry.payload["findings"]) == ("database.pruned", 6)


def test_much_is_forgotten_in_several_steps_with_a_rest_after_each_transaction(file_house, monkeypatch):
    monkeypatch.setattr(sweeping, "BATCH", 3)
    monkeypatch.setattr(sweeping, "STRETCH", 3)
    aged(file_house, [Verdict.HEALTHY] * 50, step=DAY)
    journal = FakeJournal()

    went = forget(file_house.broom(), journal)

    assert went["findings"] == 35
    assert journal.done.count("forget findings") == 5
    assert file_house.rests >= 35 / 3


def test_many_models_are_gone_through_in_several_steps(file_house, monkeypatch):
    monkeypatch.setattr(sweeping, "MODELS", 2)
    for place in range(5):
        file_house.finds(1, a_finding(), model=f"m{place}@production")
    file_house.clock.passes(91 * 86_400)
    journal = FakeJournal()

    assert forget(file_house.broom(), journal)["findings"] == 5
    assert journal.done.count("forget findings") == 3


@pytest.mark.parametrize("kill", ["kill_before", "kill_after"])
@pytest.mark.parametrize("step", ["forget findings", "forget messages", "forget notes", "forget references", "audit"])
def test_a_kill_in_the_middle_loses_nothing_and_the_next_life_ends_it(file_house, step, kill):
    house = file_house
    aged(house, [Verdict.HEALTHY] * 10)
    house.says("digest:2026-01-01")
    house.clock.passes(31 * 86_400)
    journal = FakeJournal(**{kill: step})
    with pytest.raises(Killed):
        forget(house.broom(), journal)

    forget(house.broom(), journal.restarted())

    assert house.slots() == [3, 2, 1, 0]
    assert house.told("digest:2026-01-01") == []


def test_findings_of_a_family_that_opens_nothing_are_counted_by_their_verdict_alone(house):
    with house.store.write() as unit:
        for place in range(40):
            verdict = Verdict.UNKNOWN if place % 2 else Verdict.HEALTHY
            unit.record(house.now - place * DAY, [a_finding(family=Family.OPERATIONS, verdict=verdict, n=place)])

    house.sweep()

    assert max(house.slots(Verdict.HEALTHY)) == 14
    assert max(house.slots(Verdict.UNKNOWN)) == 39
