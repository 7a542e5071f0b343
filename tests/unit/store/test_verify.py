"""Attacks on the audit log, each by somebody who can write to the database."""

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, IntegrityError

from bot.core.audit import GENESIS, AuditRow, merkle_root
from bot.core.errors import NotFound
from bot.store import audit, tables
from bot.store.anchors import AnchorFile, AnchorsUnreadable
from bot.store.checkpoints import Sealer, every
from bot.store.database import SqlStore, open_store
from bot.store.errors import AuditBroken
from bot.store.frontier import Frontier
from bot.store.keys import public_text
from bot.store.proof import prove, verifier
from bot.store.verify import SOUND, TAMPERED, UNANCHORED, Verification, verify
from tests.fakes.nouns import NOON, an_entry

KEY = Ed25519PrivateKey.from_private_bytes(b"k" * 32)
PUBLIC = public_text(KEY)
QUARTER = timedelta(minutes=15)


@pytest.fixture
def anchors(tmp_path: Path) -> AnchorFile:
    return AnchorFile(tmp_path / "anchors.jsonl")


@pytest.fixture
def log(store: SqlStore, anchors: AnchorFile) -> SqlStore:
    """Ten rows, sealed after the fourth, the eighth and the last but one."""
    sealer = Sealer(store, KEY, [anchors])
    for number in range(1, 11):
        with store.write() as unit:
            unit.audit(an_entry(f"a{number}", payload={"n": number}))
        if number in (4, 8, 9):
            sealer.seal(NOON + number * QUARTER)
    return store


def looked_at(log: SqlStore, anchors: AnchorFile) -> Verification:
    return verify(log, anchors.read(), PUBLIC, now=NOON + 10 * QUARTER)


def attack(log: SqlStore, *statements: str, **values: object) -> None:
    """Write as somebody who owns the database and has dropped the guards first."""
    guards = ["DROP TRIGGER IF EXISTS audit_no_UPDATE", "DROP TRIGGER IF EXISTS audit_no_DELETE"]
    if log.engine.dialect.name == "postgresql":
        guards = ["DROP TRIGGER IF EXISTS audit_no_change ON audit"]
    with log.begin() as connection:
        for statement in guards:
            connection.execute(text(statement))
        for statement in statements:
            connection.execute(text(statement), values)


def rechain(log: SqlStore, change: Callable[[AuditRow], AuditRow | None]) -> None:
    """Rewrite history and every hash after it, so that the chain itself holds again."""
    with log.look() as connection:
        rows = [change(row) for row, _ in audit.stored(connection)]
    prev, chained = GENESIS, []
    for seq, row in enumerate((row for row in rows if row), 1):
        chained.append(replace(row, seq=seq, prev=prev))
        prev = chained[-1].hash
    attack(log, "DELETE FROM audit")
    with log.begin() as connection:
        connection.execute(tables.audit.insert(), [audit._columns(row) for row in chained])


def test_an_untouched_log_is_anchored_and_says_what_still_waits(log: SqlStore, anchors: AnchorFile):
    found = looked_at(log, anchors)

    assert (found.code, found.rows, found.anchored, found.first_bad) == (SOUND, 10, 9, None)
    assert "the last 1 wait" in found.words


@pytest.mark.parametrize("statement", ["UPDATE audit SET actor = 'U9'", "DELETE FROM audit"])
def test_the_database_itself_refuses_to_change_the_log(log: SqlStore, statement: str):
    with pytest.raises((DBAPIError, IntegrityError), match="only be appended"), log.begin() as connection:
        connection.execute(text(statement))


def test_postgresql_refuses_to_empty_the_log(postgres_url: str):
    log = open_store(postgres_url)
    with pytest.raises(DBAPIError, match="only be appended"), log.begin() as connection:
        connection.execute(text("TRUNCATE audit"))
    log.close()


@pytest.mark.parametrize(
    ("statement", "first_bad"),
    [
        ("UPDATE audit SET actor = 'U9' WHERE seq = 3", 3),
        ("UPDATE audit SET at = '2013-07-01T13:00:00+00:00' WHERE seq = 3", 3),
        ("UPDATE audit SET at = 'yesterday' WHERE seq = 3", 3),
        ("UPDATE audit SET incident = NULL WHERE seq = 10", 10),
        ("""UPDATE audit SET payload = '{"n":99}' WHERE seq = 5""", 5),
        ("""UPDATE audit SET payload = '{"n":0,"n":5}' WHERE seq = 5""", 5),
        ("UPDATE audit SET payload = '' WHERE seq = 5", 5),
        ("UPDATE audit SET hash = 'zz' WHERE seq = 6", 6),
        ("UPDATE audit SET prev = 'zz' WHERE seq = 6", 6),
        ("DELETE FROM audit WHERE seq = 1", 1),
        ("DELETE FROM audit WHERE seq = 5", 5),
        ("DELETE FROM audit WHERE seq >= 8", 8),
        ("DELETE FROM audit", 1),
        ("UPDATE audit SET seq = 11 WHERE seq = 10", 10),
        ("INSERT INTO audit SELECT 11, at, actor, action, target, incident, payload, prev, hash FROM audit WHERE seq = 10", 11),
    ],
)
def test_a_change_is_found_where_it_starts(log: SqlStore, anchors: AnchorFile, statement: str, first_bad: int):
    attack(log, statement.replace(":", r"\:"))

    found = looked_at(log, anchors)

    assert (found.code, found.first_bad) == (TAMPERED, first_bad)


def test_two_swapped_rows_are_found(log: SqlStore, anchors: AnchorFile):
    for old, new in ((5, 99), (6, 5), (99, 6)):
        attack(log, "UPDATE audit SET seq = :new WHERE seq = :old", old=old, new=new)

    found = looked_at(log, anchors)

    assert (found.code, found.first_bad) == (TAMPERED, 5)


@pytest.mark.parametrize(
    ("change", "first_bad"),
    [
        (lambda row: replace(row, entry=replace(row.entry, actor="U9")) if row.seq == 2 else row, 1),
        (lambda row: replace(row, entry=replace(row.entry, actor="U9")) if row.seq == 6 else row, 5),
        (lambda row: None if row.seq == 6 else row, 5),
        (lambda row: None if row.seq > 8 else row, 9),
    ],
    ids=["early row", "late row", "row taken out", "tail cut"],
)
def test_history_rewritten_with_all_its_hashes_is_found_by_the_checkpoints(log, anchors, change, first_bad):
    rechain(log, change)

    found = looked_at(log, anchors)

    assert (found.code, found.first_bad) == (TAMPERED, first_bad)


def test_deleting_the_databases_own_checkpoints_does_not_hide_a_rewrite(log: SqlStore, anchors: AnchorFile):
    rechain(log, lambda row: None if row.seq == 6 else row)
    attack_checkpoints(log, "DELETE FROM checkpoints")

    found = looked_at(log, anchors)

    assert (found.code, found.first_bad) == (TAMPERED, 5)


@pytest.mark.parametrize("which", [{1}, {2}, {3}, {1, 2, 3}])
def test_a_removed_checkpoint_is_found(log: SqlStore, anchors: AnchorFile, which: set[int]):
    for number in which:
        attack_checkpoints(log, "DELETE FROM checkpoints WHERE id = :id", id=number)

    assert looked_at(log, anchors).code == TAMPERED


def test_a_checkpoint_of_another_key_is_found_and_is_not_believed_about_the_rows(log: SqlStore, anchors: AnchorFile):
    attack_checkpoints(log, "UPDATE checkpoints SET size = 700, signature = :none WHERE id = 3", none="00" * 64)

    found = looked_at(log, anchors)

    assert (found.code, found.first_bad) == (TAMPERED, None)
    assert "not signed by this key" in found.words


def attack_checkpoints(log: SqlStore, statement: str, **values: object) -> None:
    with log.begin() as connection:
        connection.execute(text(statement), values)


def test_an_unreachable_anchor_is_no_proof(log: SqlStore):
    found = verify(log, None, PUBLIC, now=NOON)

    assert (found.code, "cannot be reached" in found.words) == (UNANCHORED, True)


def test_no_anchor_at_all_is_no_proof(log: SqlStore):
    assert verify(log, [], PUBLIC, now=NOON).code == UNANCHORED


def test_anchors_that_stopped_are_stale_however_quiet_the_log_is(log: SqlStore, anchors: AnchorFile):
    found = verify(log, anchors.read(), PUBLIC, now=NOON + 40 * QUARTER)

    assert (found.code, "may have been removed" in found.words) == (UNANCHORED, True)


def test_an_empty_log_can_be_sealed_and_vouched_for(store: SqlStore, anchors: AnchorFile):
    Sealer(store, KEY, [anchors]).seal(NOON)

    assert verify(store, anchors.read(), PUBLIC, now=NOON).code == SOUND


def test_a_quiet_night_is_sealed_again_and_linked(log: SqlStore, anchors: AnchorFile):
    sealer = Sealer(log, KEY, [anchors])

    one, two = sealer.seal(NOON + 11 * QUARTER), sealer.seal(NOON + 12 * QUARTER)

    assert (one.size, one.root) == (two.size, two.root)
    assert verify(log, anchors.read(), PUBLIC, now=NOON + 13 * QUARTER).anchored == 10


def test_a_place_that_was_away_gets_what_it_missed(log: SqlStore, anchors: AnchorFile, tmp_path: Path):
    late = AnchorFile(tmp_path / "late.jsonl")

    Sealer(log, KEY, [late]).seal(NOON + 11 * QUARTER)

    with log.look() as connection:
        assert list(late.read()) == every(connection)


def test_a_line_that_a_crash_cut_short_is_replaced(log: SqlStore, anchors: AnchorFile, tmp_path: Path):
    file = tmp_path / "anchors.jsonl"
    file.write_text(file.read_text()[:-40])

    Sealer(log, KEY, [anchors]).seal(NOON + 11 * QUARTER)

    assert [checkpoint.size for checkpoint in anchors.read()] == [4, 8, 9, 10]


def test_a_file_of_something_else_is_unreadable(tmp_path: Path):
    (tmp_path / "x").write_text("hello\n")

    with pytest.raises(AnchorsUnreadable, match="not a checkpoint"):
        AnchorFile(tmp_path / "x").read()


def test_a_missing_file_is_unreadable(tmp_path: Path):
    with pytest.raises(AnchorsUnreadable, match="cannot be read"):
        AnchorFile(tmp_path / "nothing").read()


def test_a_changed_log_is_not_sealed(log: SqlStore):
    rechain(log, lambda row: None if row.seq == 6 else row)

    with pytest.raises(AuditBroken, match="verify"):
        Sealer(log, KEY).seal(NOON + 11 * QUARTER)


def test_a_log_with_a_hash_that_is_none_is_not_sealed(log: SqlStore):
    attack(log, "UPDATE audit SET hash = 'zz' WHERE seq = 6")

    with pytest.raises(AuditBroken, match="#6"):
        Sealer(log, KEY).seal(NOON + 11 * QUARTER)


def test_a_place_that_takes_nothing_is_named_and_the_checkpoint_is_made_all_the_same(log: SqlStore, tmp_path: Path):
    with pytest.raises(AnchorsUnreadable, match="cannot be written"):
        Sealer(log, KEY, [AnchorFile(tmp_path / "nowhere" / "anchors")]).seal(NOON + 11 * QUARTER)

    with log.look() as connection:
        assert [checkpoint.size for checkpoint in every(connection)] == [4, 8, 9, 10]


@pytest.mark.parametrize("size", [0, 1, 2, 3, 4, 5, 7, 8, 9, 31, 33])
def test_the_frontier_reaches_the_same_root_as_the_whole_tree(size: int):
    leaves, frontier = [bytes([n]) * 32 for n in range(size)], Frontier()
    for leaf in leaves:
        frontier.append(leaf)

    assert frontier.root() == merkle_root(leaves)


def proof_result(tmp_path: Path, proof: object, *key: str) -> subprocess.CompletedProcess[str]:
    """Run the script as an auditor would: Python without site-packages, the proof, the key they were given."""
    (tmp_path / "script.py").write_text(verifier())
    (tmp_path / "proof.json").write_text(json.dumps(proof))
    command = [sys.executable, "-I", "-S", "script.py", "proof.json", *key]
    return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("seq", [1, 5, 9])
def test_a_row_is_proven_to_an_outsider_with_nothing_but_python(log: SqlStore, tmp_path: Path, seq: int):
    ran = proof_result(tmp_path, prove(log, seq, PUBLIC), PUBLIC)

    assert (ran.returncode, ran.stderr) == (0, "")
    assert f"row #{seq} stands in the log" in ran.stdout


FALSE = {
    "row": lambda p: p | {"body": p["body"].replace("U1", "U9")},
    "place": lambda p: p | {"index": 3},
    "path": lambda p: p | {"path": p["path"][:-1]},
    "root": lambda p: p | {"checkpoint": p["checkpoint"] | {"root": "00" * 32}},
    "size": lambda p: p | {"checkpoint": p["checkpoint"] | {"size": 10**6}},
    "time": lambda p: p | {"checkpoint": p["checkpoint"] | {"at": "2013-07-01T00:00:00+00:00"}},
    "signature": lambda p: p | {"checkpoint": p["checkpoint"] | {"signature": "00" * 64}},
}


@pytest.mark.parametrize("lie", FALSE)
def test_a_false_proof_is_refused(log: SqlStore, tmp_path: Path, lie: str):
    ran = proof_result(tmp_path, FALSE[lie](prove(log, 5, PUBLIC)), PUBLIC)

    assert (ran.returncode, ran.stderr) == (1, "")
    assert "NOT proven" in ran.stdout


def test_a_proof_does_not_hold_for_another_key(log: SqlStore, tmp_path: Path):
    other = public_text(Ed25519PrivateKey.from_private_bytes(b"o" * 32))

    ran = proof_result(tmp_path, prove(log, 5, PUBLIC), other)

    assert (ran.returncode, "not signed by this key" in ran.stdout) == (1, True)


def test_a_row_that_no_checkpoint_covers_cannot_be_proven_yet(log: SqlStore):
    with pytest.raises(NotFound, match="within minutes"):
        prove(log, 10, PUBLIC)


def test_a_row_that_is_not_there_cannot_be_proven(log: SqlStore):
    with pytest.raises(NotFound, match="#77"):
        prove(log, 77, PUBLIC)
