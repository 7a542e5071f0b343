"""The outbox as a delivery sees it."""

import threading
from contextlib import suppress
from datetime import timedelta

import pytest

from bot.store.database import SqlStore
from bot.store.outbox import Outbox, Posting
from tests.fakes.nouns import NOON, a_notice

SETTLE = timedelta(seconds=30)
LATER = NOON + 2 * SETTLE
SECOND = timedelta(seconds=1)


@pytest.fixture
def outbox(store: SqlStore) -> Outbox:
    return Outbox(store, settle=SETTLE, claim=SETTLE)


def tell(store: SqlStore, key: str = "incident:1", **changes: object) -> None:
    with store.write() as unit:
        unit.announce(a_notice(key, **changes))


def deliver(outbox: Outbox, posting: Posting, ts: str) -> bool:
    assert outbox.sending(posting.key, posting.nonce, NOON)
    return outbox.sent(posting.key, posting.revision, ts)


def only(outbox: Outbox, now=NOON) -> Posting:
    [posting] = outbox.due(now)
    return posting


def test_what_was_told_is_handed_out_once(store, outbox):
    tell(store)

    posting = only(outbox)

    assert (posting.notice, posting.revision, posting.ts, posting.edit, posting.ambiguous) == (a_notice(), 1, "", False, False)
    assert outbox.due(NOON) == []


def test_what_was_rolled_back_is_never_handed_out(store, outbox):
    with suppress(ZeroDivisionError), store.write() as unit:
        unit.announce(a_notice())
        raise ZeroDivisionError

    assert outbox.due(NOON) == []


def test_what_was_sent_rests_until_its_content_changes_and_is_then_an_edit(store, outbox):
    tell(store)
    deliver(outbox, only(outbox), "1.0")
    tell(store)
    quiet = outbox.due(NOON)
    tell(store, data={"title": "Resolved"})

    edit = only(outbox)

    assert (quiet, edit.ts, edit.edit, edit.revision, edit.notice.data) == ([], "1.0", True, 2, {"title": "Resolved"})


def test_edits_while_slack_is_down_become_one(store, outbox):
    for number in range(50):
        tell(store, data={"title": f"{number}"})

    posting = only(outbox)
    deliver(outbox, posting, "1.0")

    assert (posting.revision, posting.notice.data, outbox.due(LATER)) == (50, {"title": "49"}, [])


def test_a_change_during_the_sending_comes_back_as_an_edit(store, outbox):
    tell(store)
    posting = only(outbox)
    outbox.sending(posting.key, posting.nonce, NOON)
    tell(store, data={"title": "newer"})
    outbox.sent(posting.key, posting.revision, "1.0")

    edit = only(outbox)

    assert (edit.ts, edit.revision) == ("1.0", 2)


def test_a_channel_is_served_in_order_and_channels_do_not_wait_for_each_other(store, outbox):
    tell(store, "a1", channel="a")
    tell(store, "a2", channel="a")
    tell(store, "b1", channel="b")

    first = outbox.due(NOON)
    deliver(outbox, first[0], "1.0")
    second = outbox.due(NOON)

    assert ([p.key for p in first], [p.key for p in second]) == (["a1", "b1"], ["a2"])


def test_a_retry_that_is_not_due_yet_holds_its_channel(store, outbox):
    tell(store, "a1", channel="a")
    tell(store, "a2", channel="a")
    posting = only(outbox)
    outbox.failed("a1", posting.nonce, "ratelimited", retry_at=NOON + SECOND)

    assert outbox.due(NOON) == []
    assert [(p.key, p.attempts) for p in outbox.due(NOON + SECOND)] == [("a1", 2)]


def test_a_refusal_for_good_frees_the_channel_and_is_listed(store, outbox):
    tell(store, "a1")
    tell(store, "a2")
    outbox.failed("a1", only(outbox).nonce, "channel_not_found")

    assert (only(outbox).key, list(outbox.failures())) == ("a2", [("a1", "channel_not_found")])


def test_what_was_refused_for_good_is_tried_again_when_its_content_changes(store, outbox):
    tell(store)
    outbox.failed("incident:1", only(outbox).nonce, "invalid_blocks")
    tell(store, data={"title": "shorter"})

    assert only(outbox).attempts == 1


def test_a_reply_waits_for_its_thread_and_holds_up_nobody(store, outbox):
    tell(store, "reply", thread="root")
    tell(store, "other")

    before = only(outbox)
    deliver(outbox, before, "1.0")
    tell(store, "root")
    root = only(outbox)
    deliver(outbox, root, "2.0")
    reply = only(outbox)

    assert [before.key, root.key, reply.key, reply.thread_ts] == ["other", "root", "reply", "2.0"]


def test_a_reply_without_a_channel_goes_where_its_thread_is(store, outbox):
    tell(store, "early", thread="root", channel="")
    tell(store, "root", channel="#here")
    deliver(outbox, only(outbox), "1.0")
    tell(store, "late", thread="root", channel="")

    assert {p.notice.channel for p in outbox.due(NOON)} == {"#here"}


def test_a_claim_whose_owner_died_before_sending_is_handed_out_again_without_doubt(store, outbox):
    tell(store)
    dead = only(outbox)

    again = only(outbox, LATER)

    assert again.ambiguous is False
    assert outbox.sending(dead.key, dead.nonce, LATER) is False


def test_a_post_without_an_answer_comes_back_ambiguous_after_the_settle_wait(store, outbox):
    tell(store)
    lost = only(outbox)
    outbox.sending(lost.key, lost.nonce, NOON)
    tell(store, data={"title": "newer"})

    early, again = outbox.due(NOON + SETTLE), only(outbox, LATER)

    assert (early, again.ambiguous, again.suspects, again.first_sending, again.revision) == ([], True, {lost.nonce: 1}, NOON, 2)


def test_what_the_read_back_finds_is_recorded_with_the_revision_it_carried(store, outbox):
    tell(store)
    lost = only(outbox)
    outbox.sending(lost.key, lost.nonce, NOON)
    tell(store, data={"title": "newer"})
    again = only(outbox, LATER)

    outbox.sent(again.key, again.suspects[lost.nonce], "1.0")
    edit = only(outbox, LATER)

    assert (edit.ts, edit.revision, edit.ambiguous, edit.suspects) == ("1.0", 2, False, {})


def test_every_attempt_without_an_answer_stays_a_suspect_until_one_is_recorded(store, outbox):
    tell(store)
    nonces = []
    for attempt in range(3):
        posting = only(outbox, NOON + attempt * 2 * SETTLE)
        outbox.sending(posting.key, posting.nonce, NOON + attempt * 2 * SETTLE)
        nonces.append(posting.nonce)

    assert set(only(outbox, NOON + 6 * SETTLE).suspects) == set(nonces)


def test_a_clear_refusal_is_no_suspect(store, outbox):
    tell(store)
    posting = only(outbox)
    outbox.sending(posting.key, posting.nonce, NOON)
    outbox.failed(posting.key, posting.nonce, "ratelimited", retry_at=NOON)

    assert only(outbox).ambiguous is False


def test_an_edit_without_an_answer_is_sent_again_without_doubt(store, outbox):
    tell(store)
    deliver(outbox, only(outbox), "1.0")
    tell(store, data={"title": "newer"})
    edit = only(outbox)
    outbox.sending(edit.key, edit.nonce, NOON)

    assert only(outbox, LATER).ambiguous is False


def test_a_second_copy_is_told_apart_from_the_first(store, outbox):
    tell(store)
    posting = only(outbox)

    assert [deliver(outbox, posting, "1.0"), outbox.sent(posting.key, 1, "1.5"), outbox.sent(posting.key, 1, "1.0")] == [
        True,
        False,
        True,
    ]


def test_a_late_refusal_of_somebody_who_lost_the_claim_changes_nothing(store, outbox):
    tell(store)
    slow = only(outbox)
    quick = only(outbox, LATER)

    assert outbox.failed(slow.key, slow.nonce, "ratelimited") is False
    assert outbox.sending(quick.key, quick.nonce, LATER) is True


@pytest.mark.parametrize(
    "call", [lambda o: o.sending("x", "n", NOON), lambda o: o.sent("x", 1, "1"), lambda o: o.failed("x", "n", "e")]
)
def test_a_message_that_nobody_told_is_nobodys(outbox, call):
    assert call(outbox) is False


def test_a_busy_card_does_not_starve_its_channel(store, outbox):
    tell(store, "card")
    tell(store, "other")
    card = only(outbox)
    outbox.sending("card", card.nonce, NOON)
    tell(store, "card", data={"title": "newer"})
    outbox.sent("card", 1, "1.0")

    assert only(outbox).key == "other"


def test_a_message_that_stands_keeps_its_channel(store, outbox):
    tell(store, channel="#a")
    deliver(outbox, only(outbox), "1.0")
    tell(store, channel="#b", data={"title": "x"})

    assert only(outbox).notice.channel == "#a"


def test_messages_are_found_by_place_and_threads_by_message(store, outbox):
    tell(store, "root", channel="#a")
    deliver(outbox, only(outbox), "1.0")
    tell(store, "reply", channel="#a", thread="root")
    deliver(outbox, only(outbox), "2.0")

    assert [outbox.key_of("#a", "2.0"), outbox.key_of("#b", "2.0"), outbox.key_of("#a", "9")] == ["reply", None, None]
    assert [outbox.root_ts("root"), outbox.root_ts("reply"), outbox.root_ts("x")] == ["1.0", "1.0", ""]


def test_facts_are_kept_with_the_message(store, outbox):
    tell(store)
    outbox.keep("incident:1", {"file": "F1"})

    assert only(outbox).kept == {"file": "F1"}


def test_depth_counts_what_people_cannot_see_yet(store, outbox):
    empty = outbox.depth_and_oldest()
    tell(store, "a")
    tell(store, "b")
    deliver(outbox, only(outbox), "1.0")

    depth, oldest = outbox.depth_and_oldest()

    assert (empty, depth, oldest is not None) == ((0, None), 1, True)


def test_two_replicas_never_hold_the_same_message(store, outbox):
    for number in range(40):
        tell(store, f"k{number}", channel=f"c{number}")
    start, taken = threading.Barrier(8), []

    def replica() -> None:
        start.wait()
        taken.extend(posting.key for posting in Outbox(store).due(NOON, limit=40))

    threads = [threading.Thread(target=replica) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(taken) == sorted(f"k{number}" for number in range(40))


def test_a_limit_is_kept_and_the_longest_waiting_come_first(store, outbox):
    for number in range(5):
        tell(store, f"k{number}", channel=f"c{number}")

    assert [p.key for p in outbox.due(NOON, limit=2)] == ["k0", "k1"]
