"""What the actions on Deployments make of a cluster, over real HTTP: plan → precheck → apply → read back → measure → undo."""

import pytest

import bot.actions
from bot import shelf
from bot.actions.restart_deployment import restart_deployment
from bot.actions.scale import scale
from bot.actions.undo_rollout import undo_rollout
from bot.connectors.kubernetes import make
from bot.core.actions import UNDO, Action, Effect, Going
from bot.core.errors import ActionFailed, ConfigError, NotFound, OutcomeUnknown, WorldMoved
from bot.core.registry import discover
from tests.fakes.jobs import FakeJobs
from tests.fakes.kube import FakeKube, serving

KEY = "run-1:step"
EVERY = pytest.mark.parametrize(
    ("action", "parameters"),
    [(restart_deployment, {}), (scale, {"replicas": "4"}), (undo_rollout, {})],
    ids=["restart", "scale", "undo"],
)


@pytest.fixture(scope="module")
def house():
    """One server and one connector for all facts; each begins with a world of its own."""
    kube = FakeKube()
    with serving(kube) as url:
        connector = make({"url": url, "namespace": "ml", "targets": {"delays": {"deployment": "delays"}}})
        yield kube, connector
        connector.close()


@pytest.fixture
def kube(house):
    """A Deployment whose second version is in use."""
    kube, _ = house
    kube.begin()
    kube.deploy(image="srv:v1")
    kube.deploy(image="srv:v2")
    return kube


@pytest.fixture
def platform(kube, house):
    return house[1]


def planned(action, platform, parameters, before=None):
    return action.plan(platform, "delays", parameters, step="step", before=before)


def applied(action, platform, parameters):
    change = planned(action, platform, parameters)
    action.precheck(platform, change)
    action.apply(platform, change, KEY)
    return change


def looked(action, platform, change, key=KEY):
    """Look until it has ended; return how far it was at each look, and the effect."""
    said = []
    while isinstance(seen := action.measure(platform, change, key), Going):
        said.append(seen.words)
        assert len(said) < 40
    return said, seen


def test_they_are_found_by_their_names():
    found = discover(bot.actions, Action)

    assert [found[one.name] for one in (restart_deployment, scale, undo_rollout)] == [restart_deployment, scale, undo_rollout]


@EVERY
def test_a_plan_changes_nothing(kube, platform, action, parameters):
    before = kube.version
    planned(action, platform, parameters)

    assert kube.version == before


@EVERY
def test_a_second_call_with_the_same_key_changes_nothing(kube, platform, action, parameters):
    change = applied(action, platform, parameters)
    kube.settle()
    spec, sets = kube.deployment()["metadata"]["generation"], len(kube.sets())
    action.precheck(platform, change)
    action.apply(platform, change, KEY)
    kube.settle()

    assert (kube.deployment()["metadata"]["generation"], len(kube.sets())) == (spec, sets)


@EVERY
def test_what_was_not_done_is_found_out_by_reading_back(platform, action, parameters):
    change = planned(action, platform, parameters)
    with pytest.raises(ActionFailed):
        action.read_back(platform, change, KEY)
    action.apply(platform, change, KEY)
    action.read_back(platform, change, KEY)


@EVERY
def test_a_world_that_moved_stops_the_run_before_it_acts(kube, platform, action, parameters):
    change = planned(action, platform, parameters)
    kube.deploy(image="srv:v3")
    kube.deployment()["spec"]["replicas"] = 7
    with pytest.raises(WorldMoved, match="propose it again"):
        action.precheck(platform, change)
    with pytest.raises(WorldMoved, match="by now, set by somebody else"):
        action.apply(platform, change, KEY)


@EVERY
def test_somebody_elses_change_in_the_middle_is_not_overwritten_and_a_status_update_is_no_reason_to_stop(
    kube, platform, action, parameters
):
    change = planned(action, platform, parameters)
    kube.meddle = lambda: (kube.touch(kube.deployment()), setattr(kube, "meddle", None))
    action.apply(platform, change, KEY)
    action.read_back(platform, change, KEY)

    assert kube.calls["patch deployments"] + kube.calls["patch deployments/scale"] == 2


@EVERY
def test_a_deployment_that_never_rests_is_given_up(kube, platform, action, parameters):
    change = planned(action, platform, parameters)
    kube.meddle = lambda: kube.touch(kube.deployment())
    with pytest.raises(ActionFailed, match="changed at each of 5 tries"):
        action.apply(platform, change, KEY)


@EVERY
def test_a_server_that_stumbles_at_a_write_leaves_it_to_reading_back(kube, platform, action, parameters):
    change = planned(action, platform, parameters)
    read = kube.get("deployments", "ml", "delays")
    kube.answers = [(200, read), *([(200, {"items": kube.sets()})] if action is undo_rollout else []), (504, {})]
    with pytest.raises(OutcomeUnknown, match="has to be read back"):
        action.apply(platform, change, KEY)


@EVERY
def test_a_platform_that_rolls_out_nothing_is_refused(action, parameters):
    with pytest.raises(ConfigError, match="rolls out no Deployments"):
        planned(action, FakeJobs(), parameters)


@EVERY
def test_it_is_said_what_could_go_wrong(platform, action, parameters):
    assert "pod" in action.blast([planned(action, platform, parameters)])


@EVERY
@pytest.mark.parametrize("status", [429, 503])
def test_a_server_that_cannot_be_asked_for_a_moment_is_asked_again(kube, platform, action, parameters, status):
    change = applied(action, platform, parameters)
    kube.answers = [(status, b"busy")]
    said, effect = looked(action, platform, change)

    assert said[0].endswith(f"answered {status}.")
    assert "pods run" in effect.words


# restart


def test_a_restart_replaces_every_pod_and_says_how_far_it_is(kube, platform):
    before = {place for place in kube.objects if place[0] == "pods"}
    change = applied(restart_deployment, platform, {})
    said, effect = looked(restart_deployment, platform, change)

    assert change.words == "srv:v2, 2 pods → the same, with new pods"
    assert said[0] == "1 of 2 replicas are new, 3 available, 2 old"
    assert effect == Effect("restarted: 2 pods run srv:v2", {"replicas": 2, "stamp": KEY})
    assert not before & set(kube.objects)


def test_an_order_that_the_controller_has_not_seen_is_no_success(kube, platform):
    kube.controller.blind = True
    change = applied(restart_deployment, platform, {})

    assert restart_deployment.measure(platform, change, KEY) == Going("the order was not taken up yet")


def test_a_restart_that_is_stuck_fails_and_goes_back_to_the_pods_that_still_run(kube, platform):
    kube.controller.mode = "stuck"
    before = {place for place in kube.objects if place[0] == "pods"}
    change = applied(restart_deployment, platform, {})
    with pytest.raises(ActionFailed, match="has timed out progressing"):
        looked(restart_deployment, platform, change)
    words = restart_deployment.undo(platform, change, KEY + UNDO)
    kube.settle()

    assert words == "The restart was given up: Kubernetes goes back to the pods of before."
    assert {place for place in kube.objects if place[0] == "pods"} == before


def test_a_restart_that_has_ended_is_not_restarted_again_by_going_back(kube, platform):
    change = applied(restart_deployment, platform, {})
    kube.settle()
    generation = kube.deployment()["metadata"]["generation"]

    assert restart_deployment.undo(platform, change, KEY + UNDO) == "The restart had ended; its pods stay."
    assert kube.deployment()["metadata"]["generation"] == generation


def test_a_restart_that_cannot_be_given_up_says_so(kube, platform, monkeypatch):
    kube.controller.mode = "stuck"
    change = applied(restart_deployment, platform, {})
    monkeypatch.setattr(platform, "stamp", lambda *_: None)
    with pytest.raises(ActionFailed, match="still bears the restart's stamp"):
        restart_deployment.undo(platform, change, KEY + UNDO)


def test_what_was_never_restarted_has_no_way_back(platform):
    change = planned(restart_deployment, platform, {})

    assert restart_deployment.undo(platform, change, KEY + UNDO) == "Nothing was restarted."


def test_somebody_who_rolls_out_during_a_restart_is_left_alone(kube, platform):
    change = applied(restart_deployment, platform, {})
    kube.deploy(image="srv:v3")
    with pytest.raises(WorldMoved, match="Somebody else has rolled out something"):
        restart_deployment.measure(platform, change, KEY)
    with pytest.raises(WorldMoved, match="that stays"):
        restart_deployment.undo(platform, change, KEY + UNDO)


@pytest.mark.parametrize("action", [restart_deployment, undo_rollout], ids=["restart", "undo"])
def test_a_paused_deployment_would_roll_nothing_out(kube, platform, action):
    change = planned(action, platform, {})
    kube.deployment()["spec"]["paused"] = True
    with pytest.raises(ActionFailed, match="kubectl rollout resume"):
        action.precheck(platform, change)


# scale


def test_replicas_are_added_one_by_one(kube, platform):
    change = applied(scale, platform, {"replicas": "+2"})
    said, effect = looked(scale, platform, change)

    assert (change.words, change.before, change.after) == ("2 → 4 replicas", {"replicas": 2}, {"replicas": 4})
    assert said[0] == "3 of 4 replicas are available"
    assert effect == Effect("4 replicas: 4 pods run srv:v2", {"replicas": 4})
    assert scale.blast([change]) == "adds 2 of delays's 4 pods"


def test_going_back_sets_the_replicas_of_before(kube, platform):
    change = applied(scale, platform, {"replicas": "4"})
    kube.settle()

    assert scale.undo(platform, change, KEY + UNDO) == "delays was set back to 2 replicas, and that was read back."
    kube.settle()
    assert kube.images() == {"srv:v2": 2}


def test_going_back_leaves_what_somebody_else_has_set(kube, platform):
    change = applied(scale, platform, {"replicas": "4"})
    kube.deployment()["spec"]["replicas"] = 7
    with pytest.raises(WorldMoved, match="has 7 replicas by now"):
        scale.undo(platform, change, KEY + UNDO)
    assert kube.deployment()["spec"]["replicas"] == 7


@pytest.mark.parametrize("replicas", ["0", "11", "-2", "+9"])
def test_the_limits_of_the_configuration_hold(platform, replicas):
    with pytest.raises(ConfigError, match="may have 1 to 10 replicas"):
        planned(scale, platform, {"replicas": replicas})


@pytest.mark.parametrize("replicas", ["", "many", "1.5", "٣", "9" * 30])
def test_what_is_no_number_of_replicas_is_refused(platform, replicas):
    with pytest.raises(ConfigError, match="must be a whole number"):
        planned(scale, platform, {"replicas": replicas})


def test_the_replicas_that_it_has_are_no_plan(platform):
    with pytest.raises(ConfigError, match="has 2 replicas already"):
        planned(scale, platform, {"replicas": "2"})


def test_a_second_step_goes_on_from_the_first(platform):
    assert planned(scale, platform, {"replicas": "-1"}, before={"replicas": 5}).words == "5 → 4 replicas"


def test_replicas_that_an_autoscaler_sets_are_left_to_it(kube, platform):
    change = planned(scale, platform, {"replicas": "4"})
    spec = {"scaleTargetRef": {"kind": "Deployment", "name": "delays"}, "minReplicas": 2, "maxReplicas": 8}
    kube.put("horizontalpodautoscalers", "ml", "delays-load", {"spec": spec})
    for ask in (lambda: scale.precheck(platform, change), lambda: planned(scale, platform, {"replicas": "4"})):
        with pytest.raises(ActionFailed, match=r"are set by the autoscaler 'delays-load' \(2 to 8\).*change its limits instead"):
            ask()


def test_pods_that_cannot_be_made_say_why(kube, platform):
    change = applied(scale, platform, {"replicas": "4"})
    paper = kube.deployment()
    kube.controller.blind = True
    failure = {"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate", "message": "exceeded quota: ml"}
    paper["status"] |= {"observedGeneration": paper["metadata"]["generation"], "conditions": [failure]}

    assert scale.measure(platform, change, KEY) == Going("2 of 4 replicas are available: exceeded quota: ml")


# undo a rollout


def test_the_previous_template_is_put_back_and_its_images_really_run(kube, platform):
    change = applied(undo_rollout, platform, {})
    _, effect = looked(undo_rollout, platform, change)

    assert change.words == "srv:v2 (revision 2) → srv:v1 (revision 1)"
    assert effect == Effect("2 pods run srv:v1", {"ready": 2, "images": ["srv:v1"]})
    assert kube.images() == {"srv:v1": 2}


def test_previous_means_the_newest_that_differs_so_a_restart_is_no_version(kube, platform):
    restart = applied(restart_deployment, platform, {})
    looked(restart_deployment, platform, restart)

    assert planned(undo_rollout, platform, {}).words == "srv:v2 (revision 3) → srv:v1 (revision 1)"


def test_a_revision_can_be_chosen(kube, platform):
    kube.deploy(image="srv:v3")

    assert planned(undo_rollout, platform, {"revision": "1"}).words == "srv:v3 (revision 3) → srv:v1 (revision 1)"


@pytest.mark.parametrize(
    ("revision", "error"), [("9", NotFound), ("2", NotFound), ("newest", ConfigError), ("²", ConfigError), ("", ConfigError)]
)
def test_a_revision_that_is_none_is_refused(platform, revision, error):
    with pytest.raises(error, match=r"keeps: srv:v1 \(revision 1\)|must be a number"):
        planned(undo_rollout, platform, {"revision": revision})


def test_a_stuck_rollout_is_undone_although_the_old_complaint_still_stands(kube, platform):
    kube.controller.mode = "stuck"
    kube.deploy(image="srv:v3")
    assert platform.rollout("delays").failed
    kube.controller.mode, kube.controller.blind = "quick", True
    change = applied(undo_rollout, platform, {})
    paper = kube.deployment()
    paper["status"]["observedGeneration"] = paper["metadata"]["generation"]  # seen, and not moved yet

    assert isinstance(undo_rollout.measure(platform, change, KEY), Going)
    kube.controller.blind = False
    assert looked(undo_rollout, platform, change)[1].words == "2 pods run srv:v2"


def test_going_back_puts_the_newer_template_back(kube, platform):
    change = applied(undo_rollout, platform, {})
    kube.settle()
    words = undo_rollout.undo(platform, change, KEY + UNDO)
    kube.settle()

    assert words == "The template of srv:v2 (revision 2) was put back and read back; Kubernetes rolls it out."
    assert kube.images() == {"srv:v2": 2}


def test_what_only_the_newer_template_has_goes_with_it(kube, platform):
    kube.deployment()["spec"]["template"]["spec"]["nodeSelector"] = {"gpu": "yes"}
    kube.settle()
    change = applied(undo_rollout, platform, {"revision": "1"})

    assert "nodeSelector" not in kube.deployment()["spec"]["template"]["spec"]
    assert "secret" not in str(change)


def test_a_template_stays_in_the_cluster_and_out_of_the_plan(kube, platform):
    kube.deployment()["spec"]["template"]["spec"]["containers"][0]["env"] = [{"name": "PASSWORD", "value": "hunter2"}]
    kube.settle()

    assert "hunter2" not in str(planned(undo_rollout, platform, {}))


def test_a_revision_that_was_cleaned_away_is_not_waited_for(kube, platform):
    change = planned(undo_rollout, platform, {})
    first = next(row for row in kube.sets() if row["spec"]["template"]["spec"]["containers"][0]["image"] == "srv:v1")
    del kube.objects["replicasets", "ml", first["metadata"]["name"]]
    with pytest.raises(WorldMoved, match=r"no longer keeps srv:v1 \(revision 1\)"):
        undo_rollout.precheck(platform, change)
    with pytest.raises(NotFound, match="nothing to go back to"):
        undo_rollout.apply(platform, change, KEY)


def test_pods_of_another_template_are_not_believed(kube, platform):
    change = applied(undo_rollout, platform, {})
    kube.controller.blind = True  # a status that says "done" while the old pods run
    paper = kube.deployment()
    paper["status"] |= {"observedGeneration": paper["metadata"]["generation"], "replicas": 2, "updatedReplicas": 2}
    with pytest.raises(ActionFailed, match=r"was rolled back to srv:v1 \(revision 1\), but really 2 pods run srv:v2"):
        undo_rollout.measure(platform, change, KEY)


def test_somebody_who_rolls_out_meanwhile_is_left_alone(kube, platform):
    change = applied(undo_rollout, platform, {})
    kube.deploy(image="srv:v3")
    with pytest.raises(WorldMoved, match="Somebody else has rolled out something else"):
        undo_rollout.measure(platform, change, KEY)
    with pytest.raises(WorldMoved, match="by now, set by somebody else"):
        undo_rollout.undo(platform, change, KEY + UNDO)


@pytest.mark.parametrize("name", ["restart_deployment", "scale", "rollback_deployment"])
def test_its_playbook_asks_for_a_cluster_and_can_be_planned(platform, name):
    playbook = shelf.read().playbooks[name]
    (step,) = shelf.expand(playbook, {})
    action = discover(bot.actions, Action)[step.action]

    assert playbook.parts == ["cluster"]
    assert " → " in planned(action, platform, step.parameters).words
