"""A Rollout is moved by what its controller understands: abort and template, promotion, its own steps; what it says is checked."""

import pytest

from bot.connectors.argo_rollouts import RIGHTS, ArgoRollouts, make
from bot.core.deployments import NotNow
from bot.core.errors import ActionFailed, ConfigError, NotFound, OutcomeUnknown, WorldMoved
from bot.core.routers import NoWay
from tests.fakes.kube import FakeKube, serving

TARGETS = {"delays": {"rollout": "delays"}}
STEPS = ({"setWeight": 20}, {"pause": {}}, {"setWeight": 40}, {"pause": {"duration": "1h"}}, {"setWeight": 50}, {"pause": {}})


@pytest.fixture(scope="module")
def house():
    """One server and two connectors for all facts; each begins with a world of its own."""
    kube = FakeKube()
    with serving(kube) as url:
        options = {"url": url, "namespace": "ml", "targets": TARGETS}
        plain, labelled = make(options), make({**options, "version_label": "version"})
        yield kube, plain, labelled
        plain.close()
        labelled.close()


@pytest.fixture
def kube(house):
    """A Rollout whose second version waits at a fifth of the traffic."""
    house[0].begin()
    house[0].rolls("v1", STEPS)
    house[0].rolls("v2")
    return house[0]


@pytest.fixture
def platform(kube, house):
    """The connector by labels, whose waits take no time."""
    house[2]._sleep = lambda _: None
    return house[2]


def settled(platform):
    """Look until it serves what it was asked for; return what was said at each look."""
    said = []
    while words := platform.settling("delays"):
        said.append(words)
        assert len(said) < 20, said
    return said


def moved(platform, split):
    platform.set_split("delays", split, "run:1")
    settled(platform)
    return platform.split("delays")


def image(kube):
    return kube.rolling()["spec"]["template"]["spec"]["containers"][0]["image"]


def test_the_stable_version_and_the_new_one_share_traffic(platform):
    assert platform.split("delays") == platform.ordered("delays") == {"v1": 0.8, "v2": 0.2}
    assert platform.settling("delays") == ""
    assert (platform.versions("delays"), platform.where("delays")) == (["v1", "v2"], "Rollout ml/delays")


def test_without_a_label_versions_go_by_their_replica_sets(kube, house):
    names = [row["metadata"]["name"] for row in kube.sets()]

    assert house[1].versions("delays") == names


# everything to the stable version


def test_the_stable_version_gets_everything_by_an_abort_and_its_template(kube, platform):
    assert moved(platform, {"v1": 1.0}) == {"v2": 0.0, "v1": 1.0}
    assert image(kube) == "srv:v1"
    assert kube.rolling()["status"]["phase"] == "Healthy"
    assert "abort" not in kube.rolling()["status"]


def test_an_abort_alone_moves_traffic_before_the_template_is_back(kube, platform):
    kube.forbidden = {"patch rollouts"}
    with pytest.raises(ActionFailed, match="may not patch rollouts"):
        platform.set_split("delays", {"v1": 1.0}, "run:1")
    kube.settle()

    assert platform.split("delays") == platform.ordered("delays") == {"v1": 1.0, "v2": 0.0}
    assert platform.settling("delays") == "it is degraded (RolloutAborted: Rollout aborted update to revision 2)"
    assert image(kube) == "srv:v2"


def test_what_somebody_has_aborted_gets_its_template_back(kube, platform):
    kube.rolling()["status"]["abort"] = True
    kube.settle()

    assert moved(platform, {"v1": 1.0}) == {"v2": 0.0, "v1": 1.0}
    assert (kube.calls["patch rollouts/status"], kube.calls["patch rollouts"], image(kube)) == (0, 1, "srv:v1")


def test_the_template_is_put_back_without_the_label_that_the_controller_adds(kube, platform):
    moved(platform, {"v1": 1.0})

    assert kube.rolling()["spec"]["template"]["metadata"]["labels"] == {"app": "delays", "version": "v1"}
    assert len(kube.sets()) == 2


def test_another_template_that_somebody_puts_meanwhile_stays(kube, platform):
    def meddle():
        kube.meddle = None
        kube.rolls("v3")

    kube.meddle = meddle
    with pytest.raises(WorldMoved, match="Somebody else has put another template into Rollout ml/delays meanwhile"):
        platform.set_split("delays", {"v1": 1.0}, "run:1")
    assert image(kube) == "srv:v3"


def test_somebody_who_always_writes_first_is_spoken_of(kube, platform):
    kube.meddle = lambda: kube.touch(kube.rolling())
    with pytest.raises(ActionFailed, match="Rollout ml/delays changed at each of 5 tries"):
        platform.set_split("delays", {"v1": 1.0}, "run:1")


# everything to the new version


def test_the_new_version_gets_everything_by_a_full_promotion(kube, platform):
    assert moved(platform, {"v2": 1.0}) == {"v1": 0.0, "v2": 1.0}
    assert kube.rolling()["status"]["phase"] == "Healthy"


def test_ordering_it_again_writes_nothing(kube, platform):
    moved(platform, {"v2": 1.0})
    moved(platform, {"v2": 1.0})
    kube.argo.mode = "blind"
    kube.rolling()["status"] |= {
        "stableRS": kube.sets()[0]["metadata"]["labels"]["rollouts-pod-template-hash"],
        "promoteFull": True,
    }
    platform.set_split("delays", {"v2": 1.0}, "run:1")

    assert (kube.calls["patch rollouts/status"], kube.calls["patch rollouts"]) == (1, 0)


# back to an earlier version, whole


def test_an_earlier_version_is_promoted_once_its_template_was_taken_up(kube, platform):
    moved(platform, {"v2": 1.0})
    assert moved(platform, {"v1": 1.0}) == {"v2": 0.0, "v1": 1.0}
    assert (image(kube), kube.rolling()["status"]["phase"]) == ("srv:v1", "Healthy")


def test_every_version_that_is_kept_can_be_gone_back_to(kube, platform):
    moved(platform, {"v2": 1.0})
    kube.rolls("v3")
    moved(platform, {"v3": 1.0})

    assert platform.versions("delays") == ["v1", "v2", "v3"]
    assert moved(platform, {"v1": 1.0, "v2": 0.0, "v3": 0.0}) == {"v2": 0.0, "v3": 0.0, "v1": 1.0}


def test_a_template_that_is_not_taken_up_is_not_promoted_blindly(kube, platform):
    moved(platform, {"v2": 1.0})
    kube.argo.mode = "blind"
    with pytest.raises(ActionFailed, match="has not taken up the template of v1 in 20 s"):
        platform.set_split("delays", {"v1": 1.0}, "run:1")
    assert kube.calls["patch rollouts/status"] == 1

    kube.argo.mode = "quick"
    kube.settle()
    assert moved(platform, {"v2": 1.0}) == {"v1": 0.0, "v2": 1.0}


def test_a_bot_that_died_between_template_and_promotion_finds_its_way_from_there(kube, platform):
    moved(platform, {"v2": 1.0})
    kube.rolls("v1")
    assert platform.versions("delays") == ["v2", "v1"]

    assert moved(platform, {"v1": 1.0, "v2": 0.0}) == {"v2": 0.0, "v1": 1.0}


def test_of_several_templates_of_one_version_the_newest_bears_its_name(kube, platform):
    kube.rolling()["spec"]["template"]["metadata"]["labels"]["version"] = "v1"
    kube.settle()
    first = kube.sets()[0]["metadata"]["name"]

    assert platform.versions("delays") == [f"v1 ({first})", "v1"]


# weights


@pytest.mark.parametrize("share", [0.5, 0.2], ids=["up", "down"])
def test_a_weight_at_which_its_steps_wait_can_be_had(platform, share):
    moved(platform, {"v1": 0.8, "v2": 0.2} if share == 0.5 else {"v1": 0.5, "v2": 0.5})

    assert moved(platform, {"v1": 1 - share, "v2": share}) == {"v1": 1 - share, "v2": share}


def test_it_waits_there_although_a_pause_was_left_on_the_way(kube, platform):
    moved(platform, {"v1": 0.5, "v2": 0.5})
    kube.settle()

    assert (kube.rolling()["status"]["phase"], kube.rolling()["status"]["currentStepIndex"]) == ("Paused", 5)


def test_the_weight_that_it_has_already_is_not_ordered_again(kube, platform):
    moved(platform, {"v1": 0.8, "v2": 0.2})

    assert kube.calls["patch rollouts/status"] == 0


@pytest.mark.parametrize("share", [0.4, 0.3], ids=["goes on by itself", "no such step"])
def test_any_other_share_is_refused_with_those_that_there_are(kube, platform, share):
    for call in (platform.check, lambda t, split: platform.set_split(t, split, "run:1")):
        with pytest.raises(NoWay, match=rf"cannot give {100 * share:.0f} % to v2 \(its steps wait at: 20 %, 50 %\); switch"):
            call("delays", {"v1": 1 - share, "v2": share})
    assert kube.calls["patch rollouts/status"] == 0


def test_where_no_rollout_goes_on_only_whole_versions_can_be_had(platform):
    moved(platform, {"v2": 1.0})

    with pytest.raises(NoWay, match="no rollout goes on there"):
        platform.set_split("delays", {"v1": 0.5, "v2": 0.5}, "run:1")


@pytest.mark.parametrize("order", ["abort", "promoteFull"])
def test_what_is_aborted_or_promoted_takes_no_weight(kube, platform, order):
    kube.argo.mode = "blind"
    kube.rolling()["status"][order] = True

    with pytest.raises(NoWay, match="is being aborted or promoted, so it takes no other weight"):
        platform.set_split("delays", {"v1": 0.5, "v2": 0.5}, "run:1")


def test_without_a_router_shares_are_those_of_pods_and_only_whole_versions_can_be_had(kube, platform):
    kube.begin()
    kube.rolls("v1", STEPS, routed=False)
    kube.rolls("v2")

    assert platform.split("delays") == {"v1": 0.75, "v2": 0.25}  # a fifth of four pods is one
    with pytest.raises(NoWay, match="its steps wait at: none"):
        platform.set_split("delays", {"v1": 0.5, "v2": 0.5}, "run:1")
    assert moved(platform, {"v1": 1.0}) == {"v2": 0.0, "v1": 1.0}


def test_behind_a_router_pods_that_nobody_has_weighted_get_nothing(kube, platform):
    kube.argo.mode = "blind"
    del kube.rolling()["status"]["canary"]["weights"]

    assert platform.split("delays") == {"v1": 1.0, "v2": 0.0}


def test_a_rollout_without_steps_is_promoted_by_itself(kube, platform):
    kube.begin()
    kube.rolls("v1")
    kube.rolls("v2")

    assert platform.split("delays") == platform.ordered("delays") == {"v1": 0.0, "v2": 1.0}


def test_an_experiment_that_gets_traffic_too_goes_by_its_hash(kube, platform):
    kube.argo.mode = "blind"
    kube.rolling()["status"]["canary"]["weights"]["additional"] = [{"weight": 100, "podTemplateHash": "abc"}]

    assert platform.split("delays") == {"v1": 0.4, "v2": 0.1, "abc": 0.5}


# states that are said


def test_a_rollout_that_is_paused_by_hand_is_told_and_refused(kube, platform):
    kube.rolling()["spec"]["paused"] = True
    kube.settle()

    assert platform.settling("delays") == "it is paused by hand (spec.paused)"
    with pytest.raises(ActionFailed, match=r"paused by hand \(spec.paused\), so it does nothing; resume it first"):
        platform.set_split("delays", {"v1": 1.0}, "run:1")


def test_an_order_that_was_not_taken_up_is_told_and_nothing_is_ordered_on_top(kube, platform):
    kube.argo.mode = "blind"
    kube.rolls("v3")

    assert platform.settling("delays") == "Argo Rollouts has not taken up the newest order yet"
    with pytest.raises(NotNow, match="has not taken up what somebody ordered just now"):
        platform.set_split("delays", {"v1": 1.0}, "run:1")


def test_a_pause_that_was_just_left_is_no_rest(kube, platform):
    kube.argo.mode = "blind"
    kube.rolling()["status"]["pauseConditions"] = None

    assert platform.settling("delays") == "Argo Rollouts has not taken up the newest order yet"


def test_a_pause_because_an_analysis_came_to_no_verdict_is_no_rest(kube, platform):
    kube.argo.mode = "blind"
    kube.rolling()["status"]["message"] = "InconclusiveAnalysisRun"

    assert platform.settling("delays") == "it is paused (InconclusiveAnalysisRun)"


def test_pods_that_never_come_are_never_called_served(kube, platform):
    kube.argo.mode = "stuck"
    platform.set_split("delays", {"v2": 1.0}, "run:1")
    kube.settle()

    assert "it still serves v1 80 % · v2 20 %, degraded (ProgressDeadlineExceeded" in platform.settling("delays")


def test_a_router_that_does_not_confirm_is_waited_for(kube, platform):
    kube.argo.mode = "unverified"
    platform.set_split("delays", {"v1": 0.5, "v2": 0.5}, "run:1")
    kube.settle()

    assert platform.settling("delays") == "its router has not confirmed the weights yet"


def test_a_rollout_without_any_available_pod_serves_nobody(kube, platform):
    kube.begin()
    kube.rolls("v1", STEPS, routed=False)
    kube.argo.mode = "blind"
    kube.sets()[0]["status"] = {}

    with pytest.raises(NotNow, match=r"Rollout ml/delays has no pod that is available, healthy"):
        platform.split("delays")


def test_a_version_that_is_not_there_has_moved(kube, platform):
    with pytest.raises(WorldMoved, match="v9 is none of the versions that Rollout ml/delays can be moved to now: v1, v2"):
        platform.set_split("delays", {"v9": 1.0}, "run:1")


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ({"workloadRef": {"kind": "Deployment", "name": "d"}}, "takes its template from another object"),
        ({"strategy": {"blueGreen": {}}}, "does not roll out by canary"),
    ],
    ids=["workload", "blue-green"],
)
def test_what_the_bot_does_not_move_is_refused(kube, platform, spec, words):
    kube.answers = [(200, {**kube.rolling(), "spec": {**kube.rolling()["spec"], **spec}})]
    with pytest.raises(ActionFailed, match=words):
        platform.split("delays")


def test_a_first_rollout_that_goes_on_has_no_stable_version(kube, platform):
    kube.argo.mode = "blind"
    del kube.rolling()["status"]["stableRS"]

    with pytest.raises(ActionFailed, match="no stable version yet; look again when its first rollout has ended"):
        platform.split("delays")


def test_replica_sets_of_others_and_without_a_hash_do_not_count(kube, platform):
    kube.argo.mode = "blind"
    first, second = kube.sets()
    others = [{**first["metadata"]["ownerReferences"][0], "uid": "uid-other"}]
    kube.put("replicasets", "ml", "other", {**first, "metadata": {**first["metadata"], "name": "other", "ownerReferences": others}})
    stray = {**second["metadata"], "name": "stray", "labels": {"app": "delays"}}
    kube.put("replicasets", "ml", "stray", {**second, "metadata": stray})

    assert platform.versions("delays") == ["v1", "v2"]


def test_something_else_than_a_rollout_is_said(kube, platform):
    kube.answers = [(200, {**kube.rolling(), "kind": "Deployment"})]
    with pytest.raises(ActionFailed, match="something else than the Rollout 'delays'"):
        platform.split("delays")


def test_a_server_that_stumbles_at_a_write_leaves_it_unknown(kube, platform):
    sets = {"items": kube.sets()}
    kube.answers = [(200, kube.rolling()), (200, sets), (500, {})]
    with pytest.raises(OutcomeUnknown, match="whether it was done has to be read back"):
        platform.set_split("delays", {"v2": 1.0}, "run:1")


@pytest.mark.parametrize("right", [right.words for right in RIGHTS])
def test_a_missing_permission_is_named_as_a_role_writes_it(kube, platform, right):
    assert platform.missing("delays") == []
    kube.forbidden = {right}
    with pytest.raises(ActionFailed, match=rf"may not {right} in namespace 'ml' \(403\); add this verb"):
        platform.set_split("delays", {"v1": 1.0}, "run:1")
    assert platform.missing("delays") == [right]


def test_a_model_without_a_rollout_is_named(platform):
    with pytest.raises(NotFound, match="No Rollout is named for 'churn'; known: delays"):
        platform.split("churn")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, "Connector argo_rollouts: the bot does not run in a cluster, so `url` must say where the API server is"),
        ({"url": "https://k", "targets": {}}, "at least 1"),
        ({"url": "https://k", "targets": {"delays": {"rollout": "../secrets"}}}, "rollout"),
        ({"url": "https://k", "version_label": "a b"}, "version_label"),
    ],
    ids=["no url", "no targets", "path", "label"],
)
def test_a_wrong_option_is_one_sentence(options, words, monkeypatch):
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    with pytest.raises(ConfigError, match=words):
        make({"targets": TARGETS, **options})


def test_it_waits_for_real_where_no_test_says_otherwise():
    assert ArgoRollouts.__init__.__defaults__[-1].__name__ == "sleep"
