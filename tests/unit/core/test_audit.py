"""The audit log's arithmetic against RFC 6962: the tree and paths of the certificate-transparency test data."""

import hashlib
from dataclasses import replace

import pytest

from bot.core.audit import GENESIS, AuditRow, Checkpoint, first_break, inclusion_proof, leaf, merkle_root, node, proves
from tests.fakes.nouns import NOON, an_entry

LEAVES = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
PATH_OF_THE_FIRST = [
    "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
    "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
    "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
]
SIZES = range(1, 34)


def hashed(n):
    return [leaf(f"row {i}".encode()) for i in range(n)]


def chain(n):
    """Rows that hold together, and their hashes as a database stores them."""
    rows = []
    for seq in range(1, n + 1):
        rows.append(AuditRow(seq, an_entry(f"action {seq}"), rows[-1].hash if rows else GENESIS))
    return rows, [row.hash for row in rows]


@pytest.mark.parametrize("size", range(9))
def test_the_root_is_that_of_the_standard_test_data(size):
    assert merkle_root([leaf(bytes.fromhex(body)) for body in LEAVES[:size]]).hex() == ROOTS[size]


def test_the_path_of_a_leaf_is_that_of_the_standard_test_data():
    leaves = [leaf(bytes.fromhex(body)) for body in LEAVES]

    assert [sibling.hex() for sibling in inclusion_proof(0, leaves)] == PATH_OF_THE_FIRST


def test_a_leaf_can_never_be_taken_for_a_node():
    left, right = leaf(b"a"), leaf(b"b")

    assert leaf(left + right) != node(left, right)


@pytest.mark.parametrize("size", SIZES)
def test_every_leaf_proves_itself(size):
    leaves = hashed(size)
    root = merkle_root(leaves)

    assert all(proves(leaves[i], i, size, inclusion_proof(i, leaves), root) for i in range(size))


@pytest.mark.parametrize("size", SIZES)
def test_a_changed_leaf_proves_nothing(size):
    leaves = hashed(size)
    root = merkle_root(leaves)

    assert not any(proves(leaf(b"forged"), i, size, inclusion_proof(i, leaves), root) for i in range(size))


@pytest.mark.parametrize("size", range(2, 34))
def test_a_path_with_one_flipped_bit_is_refused(size):
    leaves = hashed(size)
    root = merkle_root(leaves)
    flipped = [
        (i, [*path[:j], bytes([path[j][0] ^ 1]) + path[j][1:], *path[j + 1 :]])
        for i in range(size)
        for path in [inclusion_proof(i, leaves)]
        for j in range(len(path))
    ]

    assert not any(proves(leaves[i], i, size, path, root) for i, path in flipped)


def test_a_path_that_is_too_short_or_too_long_is_refused():
    leaves = hashed(7)
    root, path = merkle_root(leaves), inclusion_proof(2, leaves)

    assert not proves(leaves[2], 2, 7, path[:-1], root)
    assert not proves(leaves[2], 2, 7, [*path, leaf(b"more")], root)


@pytest.mark.parametrize("index", [-1, 7])
def test_a_place_outside_of_the_tree_is_refused(index):
    leaves = hashed(7)

    assert not proves(leaves[0], index, 7, inclusion_proof(0, leaves), merkle_root(leaves))


def test_another_place_in_the_same_tree_is_refused():
    leaves = hashed(8)

    assert not proves(leaves[3], 4, 8, inclusion_proof(3, leaves), merkle_root(leaves))


def test_rows_that_hold_together_have_no_break():
    rows, hashes = chain(5)

    assert first_break(rows, hashes) is None


def test_a_log_without_rows_has_no_break():
    assert first_break([], []) is None


def test_a_changed_row_breaks_the_chain_where_it_stands():
    rows, hashes = chain(5)
    rows[2] = replace(rows[2], entry=an_entry("something else"))

    assert first_break(rows, hashes) == 3


def test_a_changed_row_with_a_new_hash_breaks_the_chain_one_row_later():
    rows, hashes = chain(5)
    rows[2] = replace(rows[2], entry=an_entry("something else"))
    hashes[2] = rows[2].hash

    assert first_break(rows, hashes) == 4


def test_a_removed_row_breaks_the_chain():
    rows, hashes = chain(5)

    assert first_break([*rows[:2], *rows[3:]], [*hashes[:2], *hashes[3:]]) == 3


def test_a_stretch_of_the_log_can_be_checked_from_where_it_starts():
    rows, hashes = chain(5)

    assert first_break(rows[3:], hashes[3:], prev=hashes[2]) is None
    assert first_break(rows[3:], hashes[3:], prev=hashes[1]) == 4


def test_a_row_holds_every_part_of_its_entry():
    row = AuditRow(1, an_entry(), GENESIS)
    others = [
        an_entry("closed"),
        an_entry(actor="U2"),
        an_entry(target="incident:2"),
        an_entry(incident=2),
        an_entry(at=NOON.replace(hour=13)),
        an_entry(payload={"why": "drift"}),
    ]

    assert len({row.hash, *(AuditRow(1, entry, GENESIS).hash for entry in others)}) == 7


def test_a_message_carries_the_row_as_a_number_and_the_start_of_its_hash():
    row = AuditRow(41, an_entry(), GENESIS)
    hashed_again = hashlib.sha256(b"\x00" + row.body).hexdigest()

    assert row.witness == f"audit #41 · {hashed_again[:12]}"


def test_a_checkpoint_signs_size_root_time_and_the_one_before():
    checkpoint = Checkpoint(7, "c0ffee", NOON, "0ld", signature="never part of what is signed")

    assert checkpoint.body == b"aiops-bot/audit\n7\nc0ffee\n2013-07-01T12:00:00+00:00\n0ld\n"
