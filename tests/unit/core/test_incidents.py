"""The states of an incident and every road between them."""

from datetime import timedelta
from itertools import product

import pytest

from bot.core.checks import Family
from bot.core.errors import Conflict
from bot.core.incidents import Severity, State, dedup_key
from tests.fakes.nouns import NOON, a_note, an_incident

ROADS = {
    ("open", "acknowledged"),
    ("open", "mitigating"),
    ("open", "resolved"),
    ("acknowledged", "mitigating"),
    ("acknowledged", "resolved"),
    ("mitigating", "verifying"),
    ("mitigating", "acknowledged"),
    ("mitigating", "resolved"),
    ("verifying", "resolved"),
    ("verifying", "acknowledged"),
}
PAIRS = [(start, end) for start, end in product(State, State) if start is not end]


@pytest.mark.parametrize(("start", "end"), [pair for pair in PAIRS if pair in ROADS])
def test_a_road_leads_where_it_says(start, end):
    assert an_incident(state=start).moved(end, cause="why").state is end


@pytest.mark.parametrize(("start", "end"), [pair for pair in PAIRS if pair not in ROADS])
def test_a_road_that_does_not_exist_is_refused(start, end):
    with pytest.raises(Conflict, match=f"Incident #0 is {start}; it cannot become {end} from there."):
        an_incident(state=start).moved(end)


@pytest.mark.parametrize("state", State)
def test_an_incident_may_stay_where_it_is_and_learn_something(state):
    assert an_incident(state=state).moved(state, severity=Severity.SEV1).severity is Severity.SEV1


def test_its_identity_is_model_environment_and_family():
    keys = {
        dedup_key(m, e, f)
        for m, e, f in product(["delays", "arrivals"], ["production", "staging"], [Family.DRIFT, Family.OPERATIONS])
    }

    assert len(keys) == 8
    assert an_incident().key == "delays@production:performance"


@pytest.mark.parametrize("state", State)
def test_it_is_open_until_it_is_resolved(state):
    assert an_incident(state=state).open is (state is not State.RESOLVED)


def test_the_time_to_resolve_is_known_once_it_is_resolved():
    resolved = an_incident().moved(State.RESOLVED, resolved_at=NOON + timedelta(hours=2))

    assert (an_incident().time_to_resolve, resolved.time_to_resolve) == (None, timedelta(hours=2))


def test_sev1_is_the_worst():
    assert min(Severity, key=lambda severity: severity.rank) is Severity.SEV1


def test_a_note_and_an_incident_name_their_model_alike():
    assert a_note().model_key == an_incident().model_key == "delays@production"
