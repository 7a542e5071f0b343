"""A playbook whose step takes its time: started once, shown as it goes on, stopped or left to people at its end."""

from dataclasses import replace

import pytest

from bot.actions.run_job import run_job
from bot.core.actions import Verification
from bot.core.checks import Family
from bot.core.errors import ConfigError, NotAllowed
from bot.core.incidents import Severity, State
from bot.core.jobs import Job, Stage
from bot.core.playbooks import Parameter, Playbook, Step
from bot.core.runs import RunState
from bot.flow import decide
from bot.flow.decide import approve
from bot.flow.propose import options, propose
from bot.flow.watch import since_mended
from tests.fakes.jobs import FakeJobs
from tests.fakes.journal import Killed
from tests.unit.flow.room import DELAYS, Room

RETRAIN = Playbook(
    name="retrain",
    title="Retrain",
    summary="Has it trained anew.",
    families=frozenset({Family.PERFORMANCE, Family.DATA_QUALITY}),
    severities=frozenset(Severity),
    parameters=(),
    steps=(Step("train", "run_job", {"job": "retrain"}, on="trainer", patience_s=3_600),),
    verification=Verification(),
    content={"name": "retrain"},
)
GOING = [Job(Stage.RUNNING, f"epoch {n} of 3") for n in (1, 2, 3)]
DONE = Job(Stage.SUCCEEDED, "trained v4", {"version": "v4"})


def laid(*plays, playbook=RETRAIN, model=None, **trouble):
    """A room with a losing model (or one with other `trouble`) whose trainer will say these things."""
    model = model or replace(DELAYS, connectors={"trainer": "nightly"})
    room = Room(model=model, playbook=playbook)
    room.jobs = FakeJobs(*plays)
    room.lays(
        platforms={"edge": room.splitter, "nightly": room.jobs},
        actions={**room.desk.actions, "run_job": run_job},
        expand=lambda playbook, _chosen: playbook.steps,
    )
    for name, value in (trouble or {"gap": 0.15}).items():
        setattr(room.log, name, value)
    room.looks(2)
    return room


def approved(room):
    return approve(room.desk, proposed(room).id, by=room.person("bo")).id


def proposed(room, **parameters):
    return propose(room.desk, 1, room.playbook.name, parameters, by=room.person("ana"))


def test_a_job_is_followed_to_its_end_and_the_incident_stays_with_people():
    room = laid(*GOING, DONE)
    number = approved(room)
    ended = room.runs(number)

    assert (ended["state"], ended["outcome"]) == (RunState.SUCCEEDED, "Done: trained v4. The incident stays with people.")
    assert len(room.jobs.started) == 1
    assert (room.incident().state, room.incident().evidence["suggestion"]) == (State.ACKNOWLEDGED, ended["outcome"])
    assert ":white_check_mark:" in [n.data.get("emoji") for n in room.store.notices.values()]


def test_a_training_is_no_mending_so_the_next_look_sees_the_whole_window():
    room = laid(DONE)
    room.runs(approved(room))
    window = room.model.watches[0].judged_at(room.data.now())

    assert since_mended(room.desk, room.model, window) == window


def test_people_see_how_far_it_is():
    room = laid(*GOING, DONE)
    number = approved(room)
    with pytest.raises(Killed):
        room.runs(number, room.journal(number, kill_before="train/measure/1"))

    assert room.shown(f"run:{number}")["outcome"] in [job.words for job in GOING]


def test_what_is_said_twice_is_written_once():
    room = laid(GOING[0], GOING[0], Job(Stage.RUNNING), DONE)
    room.runs(approved(room))

    assert room.audited().count("step.done") == 1


STEPS = ("train/apply", "train/read back", "train/measure", "train/measure/1", "applied", "end")
MOMENTS = [("kill_before", "sleep"), *((moment, step) for moment in ("kill_before", "kill_after") for step in STEPS)]


@pytest.mark.parametrize(("moment", "step"), MOMENTS)
def test_a_run_killed_at_any_point_finds_its_job_again(moment, step):
    room = laid(*GOING, DONE)
    number = approved(room)
    first = room.journal(number, **{moment: step})
    with pytest.raises(Killed):
        room.runs(number, first)
    ended = room.runs(number, first.restarted())

    assert (ended["state"], len(room.jobs.started)) == (RunState.SUCCEEDED, 1)


def test_a_start_whose_answer_was_cut_off_is_found_by_reading_back():
    room = laid(DONE)
    room.jobs.cut = True

    assert room.runs(approved(room))["state"] == RunState.SUCCEEDED


def test_a_start_that_never_arrived_fails_and_says_so():
    room = laid(DONE)
    room.jobs.deaf = True
    ended = room.runs(approved(room))

    assert (ended["state"], "knows nothing of it. retrain was never started." in ended["outcome"]) == (RunState.COMPENSATED, True)


def test_a_failure_is_handed_back_with_its_reason():
    room = laid(GOING[0], Job(Stage.FAILED, "out of memory"))
    ended = room.runs(approved(room))

    assert ended["outcome"] == "'train' failed: out of memory. retrain had ended; what it did stays."
    assert room.incident().state is State.ACKNOWLEDGED


def test_an_abort_stops_the_job_while_it_goes_on():
    room = laid(*GOING)
    number = approved(room)
    first = room.journal(number, kill_before="train/measure/1")
    with pytest.raises(Killed):
        room.runs(number, first)
    decide.abort(room.desk, number, by=room.person("bo"))
    ended = room.runs(number, first.restarted())

    assert ended["outcome"] == "It was aborted. retrain was told to stop; what it had done by then stays."
    assert room.jobs.cancelled == [f"run_playbook:{number}:train"]


def test_what_does_not_end_in_its_time_is_stopped():
    room = laid(GOING[0])
    room.lays(poll_s=1_000.0)
    ended = room.runs(approved(room))

    assert ended["outcome"].startswith("'train' had not ended after 1 h. retrain was told to stop")


def test_the_card_says_what_would_run_and_that_nothing_is_verified():
    room = laid()
    card = room.shown(f"proposal:{proposed(room).id}")

    assert card["steps"] == ["trainer: retrain delays"]
    assert card["blast_radius"].startswith("production: runs retrain for delays; going back stops it")
    assert card["verification"] == "nothing is verified by itself; when it is done, the incident goes back to people"


def test_a_model_without_a_trainer_is_not_offered_a_training():
    room = laid(model=DELAYS)

    assert options(room.desk, 1)["playbooks"] == []
    with pytest.raises(ConfigError, match=r"names no trainer connector; add `connectors: \{trainer: …\}`"):
        proposed(room)


def test_a_playbook_that_nobody_may_approve_is_not_offered():
    room = laid()
    room.lays(policies={})

    assert options(room.desk, 1)["playbooks"] == []


def test_steps_that_all_fall_away_make_no_plan():
    room = laid()
    room.lays(expand=lambda *_: [])
    with pytest.raises(NotAllowed, match="would do nothing"):
        proposed(room)


QUARANTINE = replace(RETRAIN, name="quarantine", parameters=(Parameter("column", "feature", title="Input"),))


def broken():
    return laid(playbook=QUARANTINE, missing=0.9)


def feature(room, number):
    return options(room.desk, number)["playbooks"][0]["parameters"][0]


def test_the_broken_input_is_suggested():
    room = broken()

    assert feature(room, 1) == {
        "name": "column",
        "title": "Input",
        "kind": "feature",
        "choices": [{"value": "temp", "text": "temp"}],
        "default": "temp",
    }
    assert propose(room.desk, 1, "quarantine", {}, by=room.person("ana")).plan.parameters == {"column": "temp"}


def test_an_input_that_is_not_broken_is_refused():
    room = broken()
    with pytest.raises(NotAllowed, match="'wind' is not an input that this is about; choose one of temp"):
        propose(room.desk, 1, "quarantine", {"column": "wind"}, by=room.person("ana"))


def test_an_incident_that_is_about_no_input_suggests_none():
    room = laid(playbook=QUARANTINE)

    assert options(room.desk, 1)["playbooks"] == []
    with pytest.raises(NotAllowed, match="Choose 'Input' first"):
        propose(room.desk, 1, "quarantine", {}, by=room.person("ana"))


def test_what_may_be_anything_is_the_playbooks_default():
    room = laid(playbook=replace(RETRAIN, parameters=(Parameter("until", "text", default="today"),)))

    assert (feature(room, 1)["choices"], feature(room, 1)["default"]) == ([], "today")
