"""Check a proof that a row stands in an audit log: `python3 proof_script.py proof.json [PUBLIC_KEY_HEX]`.

Needs nothing but Python. Checks the row's path to the root (RFC 9162, section 2.1.3.2) and the root's Ed25519 signature (RFC 8032,
section 5.1.7). Give the public key that you got from a place you trust; the one inside the proof only shows that the proof agrees
with itself. Exit code 0: proven. 1: not.
"""

import hashlib
import json
import sys
from pathlib import Path
from typing import Any

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
ROOT_OF_MINUS_1 = pow(2, (P - 1) // 4, P)
BASE_Y = 4 * pow(5, P - 2, P) % P

Point = tuple[int, int, int, int]


def main(arguments: list[str]) -> int:
    """Print one sentence and return the exit code."""
    proof = json.loads(Path(arguments[0]).read_text(encoding="utf-8"))
    key = arguments[1] if len(arguments) > 1 else proof["public_key"]
    trouble = wrong(proof, key)
    seq = proof["index"] + 1
    print(f"NOT proven: {trouble}." if trouble else f"Proven: row #{seq} stands in the log of {proof['checkpoint']['at']}.")  # noqa: T201
    if not trouble:
        print(proof["body"])  # noqa: T201
    return 1 if trouble else 0


def wrong(proof: dict[str, Any], public_key: str) -> str:
    """Return what is wrong with the proof, or nothing."""
    checkpoint, body = proof["checkpoint"], proof["body"]
    if json.loads(body).get("seq") != proof["index"] + 1:
        return "the row has another number than its place"
    path = [bytes.fromhex(step) for step in proof["path"]]
    leaf = hashlib.sha256(b"\x00" + body.encode()).digest()
    if reached(leaf, proof["index"], checkpoint["size"], path) != bytes.fromhex(checkpoint["root"]):
        return "the row does not lead to the signed root"
    lines = ("aiops-bot/audit", checkpoint["size"], checkpoint["root"], checkpoint["at"], checkpoint["previous"])
    signed = "".join(f"{line}\n" for line in lines).encode()
    if not verified(bytes.fromhex(public_key), signed, bytes.fromhex(checkpoint["signature"])):
        return "the root was not signed by this key"
    return ""


def reached(leaf: bytes, index: int, size: int, path: list[bytes]) -> bytes | None:
    """Return the root that this path leads to, or None when it does not fit the place."""
    fn, sn, here = index, size - 1, leaf
    if not 0 <= index < size:
        return None
    for sibling in path:
        if sn == 0:
            return None
        if fn & 1 or fn == sn:
            here = hashlib.sha256(b"\x01" + sibling + here).digest()
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            here = hashlib.sha256(b"\x01" + here + sibling).digest()
        fn, sn = fn >> 1, sn >> 1
    return here if sn == 0 else None


def verified(public_key: bytes, message: bytes, signature: bytes) -> bool:
    """Return whether the signature is Ed25519-valid."""
    if len(public_key) != 32 or len(signature) != 64:
        return False
    key, commitment = decoded(public_key), decoded(signature[:32])
    scalar = int.from_bytes(signature[32:], "little")
    if key is None or commitment is None or scalar >= L:
        return False
    challenge = int.from_bytes(hashlib.sha512(signature[:32] + public_key + message).digest(), "little") % L
    base = (on_curve(BASE_Y, 0), BASE_Y)
    return same(times(scalar, point(*base)), plus(commitment, times(challenge, key)))


def decoded(data: bytes) -> Point | None:
    """Return the point of 32 bytes, or None when there is none."""
    y = int.from_bytes(data, "little")
    sign, y = y >> 255, y & ((1 << 255) - 1)
    x = on_curve(y, sign) if y < P else None
    return None if x is None else point(x, y)


def on_curve(y: int, sign: int) -> int | None:
    """Return the x of this y with this sign."""
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * ROOT_OF_MINUS_1 % P
    if (x * x - square) % P or (x == 0 and sign):
        return None
    return P - x if x & 1 != sign else x


def point(x: int | None, y: int) -> Point:
    """Return extended coordinates."""
    x = x or 0
    return (x, y, 1, x * y % P)


def plus(one: Point, other: Point) -> Point:
    """Add two points."""
    a = (one[1] - one[0]) * (other[1] - other[0]) % P
    b = (one[1] + one[0]) * (other[1] + other[0]) % P
    c = 2 * one[3] * other[3] * D % P
    d = 2 * one[2] * other[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return (e * f % P, g * h % P, f * g % P, e * h % P)


def times(scalar: int, start: Point) -> Point:
    """Add a point to itself so often."""
    total: Point = (0, 1, 1, 0)
    while scalar:
        if scalar & 1:
            total = plus(total, start)
        start, scalar = plus(start, start), scalar >> 1
    return total


def same(one: Point, other: Point) -> bool:
    """Compare two points."""
    return not ((one[0] * other[2] - other[0] * one[2]) % P or (one[1] * other[2] - other[1] * one[2]) % P)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
