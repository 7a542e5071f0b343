"""A rollout is done when everything that is wanted, and nothing else, runs; until then it says how far it is."""

from dataclasses import replace

import pytest

from bot.core.actions import Going
from bot.core.deployments import NotNow, Pods, Revision, Rollout, deployments, not_yet, patiently, pods_words
from bot.core.errors import ActionFailed, ConfigError
from tests.fakes.jobs import FakeJobs

DONE = Rollout("t1", "", wanted=3, updated=3, total=3, available=3)


@pytest.mark.parametrize(
    ("seen", "words"),
    [
        ({"observed": False}, "the order was not taken up yet"),
        ({"updated": 1}, "1 of 3 replicas are new, 3 available, 2 old"),
        ({"total": 4}, "3 of 3 replicas are new, 3 available, 1 old"),
        ({"available": 2}, "3 of 3 replicas are new, 2 available"),
        ({"wanted": 4, "trouble": "exceeded quota"}, "3 of 4 replicas are new, 3 available, exceeded quota"),
    ],
    ids=["unseen", "old ones left", "one too many", "one not ready", "quota"],
)
def test_what_is_not_done_says_how_far_it_is(seen, words):
    assert not_yet(replace(DONE, **seen), "restart") == Going(words)


def test_what_is_done_is_done():
    assert not_yet(DONE, "restart") is None


def test_what_has_given_up_has_failed():
    with pytest.raises(ActionFailed, match=r"'restart' failed: it timed out \(1 of 3 replicas are new, 3 available, 2 old\)\."):
        not_yet(replace(DONE, updated=1, failed="it timed out."), "restart")


def test_a_platform_that_cannot_be_asked_now_is_no_failure():
    def asked():
        raise NotNow("No answer.")

    assert patiently(asked) == Going("No answer.")
    assert patiently(lambda: Going("2 of 3")) == Going("2 of 3")


def test_a_platform_of_another_kind_is_refused():
    with pytest.raises(ConfigError, match="'trainer' rolls out no Deployments, so scale cannot use it"):
        deployments(FakeJobs(), "scale")


def test_a_revision_is_told_by_its_images_and_kept_without_its_template():
    revision = Revision("delays-5d4f", 7, "0a1b", ("srv:v7", "proxy:1"))

    assert revision.words == "srv:v7, proxy:1 (revision 7)"
    assert revision.snapshot == {"replica_set": "delays-5d4f", "number": 7, "template": "0a1b", "images": ["srv:v7", "proxy:1"]}


def test_what_really_runs_is_said():
    assert pods_words([Pods("a", ("srv:v1",), 1), Pods("b", ("srv:v2",), 2)]) == "1 pod runs srv:v1; 2 pods run srv:v2"
    assert pods_words([]) == "no pod is ready"
