#!/usr/bin/env python3
"""Checks a proof file of `halocline audit prove`, sharing no code with the program that wrote it: Python's own library, and nothing else.

    tools/verify_proof.py proof.json [--key KEY]

KEY is the public key to trust, 64 hexadecimal digits or a PEM file. Exit code 0: the records stand in the journal that was signed; 5: the file
proves nothing, and stderr says why; 2: it is no proof file. The formats: docs/formats/audit.md, journal.md and commands.md.
"""
import argparse
import base64
import hashlib
import json
import re
import struct
import sys

try:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
except ImportError:
    Ed25519PublicKey = None

# --- Ed25519, RFC 8032 section 5.1: the curve -x^2 + y^2 = 1 + d x^2 y^2 over 2^255 - 19, points as (X, Y, Z, T)

P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
SQRT_MINUS_ONE = pow(2, (P - 1) // 4, P)


def add(a, b):
    e, f = (a[1] - a[0]) * (b[1] - b[0]) % P, (a[1] + a[0]) * (b[1] + b[0]) % P
    g, h = 2 * a[3] * b[3] * D % P, 2 * a[2] * b[2] % P
    e, f, g, h = f - e, h - g, h + g, f + e
    return e * f % P, g * h % P, f * g % P, e * h % P


def times(scalar, point):
    product = (0, 1, 1, 0)
    while scalar:
        if scalar & 1:
            product = add(product, point)
        point = add(point, point)
        scalar >>= 1
    return product


def same_point(a, b):
    return (a[0] * b[2] - b[0] * a[2]) % P == 0 and (a[1] * b[2] - b[1] * a[2]) % P == 0


def point_of(encoded):
    """Section 5.1.3; None when these bytes are no point."""
    y = int.from_bytes(encoded, "little")
    sign, y = y >> 255, y & (1 << 255) - 1
    if y >= P:
        return None
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * SQRT_MINUS_ONE % P
    if (x * x - square) % P or (x == 0 and sign):
        return None
    if x & 1 != sign:
        x = P - x
    return x, y, 1, x * y % P


BASE = point_of((4 * pow(5, P - 2, P) % P).to_bytes(32, "little"))


def signature_fits_here(key, message, signature):
    """Section 5.1.7."""
    point, commitment = point_of(key), point_of(signature[:32])
    scalar = int.from_bytes(signature[32:], "little")
    if point is None or commitment is None or scalar >= ORDER:
        return False
    challenge = int.from_bytes(hashlib.sha512(signature[:32] + key + message).digest(), "little") % ORDER
    return same_point(times(scalar, BASE), add(commitment, times(challenge, point)))


def signature_fits(key, message, signature):
    if Ed25519PublicKey is None:
        return signature_fits_here(key, message, signature)
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, message)
        return True
    except (InvalidSignature, ValueError):
        return False


# --- Merkle trees, RFC 9162 sections 2.1.3.2 and 2.1.4.2

def leaf_hash(leaf):
    return hashlib.sha256(b"\0" + leaf).digest()


def node_hash(left, right):
    return hashlib.sha256(b"\1" + left + right).digest()


def root_by_path(leaf, index, size, path):
    """The root that the path leads to, None when it is of another length than it must be."""
    if not 0 <= index < size:
        return None
    at, last, digest = index, size - 1, leaf
    for beside in path:
        if last == 0:
            return None
        if at & 1 or at == last:
            digest = node_hash(beside, digest)
            while at and not at & 1:
                at, last = at >> 1, last >> 1
        else:
            digest = node_hash(digest, beside)
        at, last = at >> 1, last >> 1
    return digest if last == 0 else None


def is_consistent(before, root_before, size, root, proof):
    if not 0 < before <= size:
        return False
    if before == size:
        return not proof and root_before == root
    if before & (before - 1) == 0:
        proof = [root_before, *proof]
    if not proof:
        return False
    at, last = before - 1, size - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    first = second = proof[0]
    for beside in proof[1:]:
        if last == 0:
            return False
        if at & 1 or at == last:
            first, second = node_hash(beside, first), node_hash(beside, second)
            while at and not at & 1:
                at, last = at >> 1, last >> 1
        else:
            second = node_hash(second, beside)
        at, last = at >> 1, last >> 1
    return last == 0 and first == root_before and second == root


# --- The lines of a witness file

HEAD = re.compile(r"halocline-head-1 (journal|tables) ([0-9a-f]{32}) (0|[1-9][0-9]{0,19}) ([0-9a-f]{64}) ([0-9a-f]{64}) (0|[1-9][0-9]{0,18}) "
                  r"([0-9a-f]{64}) ([0-9a-f]{128})", re.ASCII)
KEY = re.compile(r"halocline-key-1 ([0-9a-f]{32}) ([0-9a-f]{64}) (0|[1-9][0-9]{0,18}) ([0-9a-f]{64}) ([0-9a-f]{128})", re.ASCII)


def line_fits(line, key, signature):
    return signature_fits(bytes.fromhex(key), line.rpartition(" ")[0].encode(), bytes.fromhex(signature))


class Head:
    """`good`: the line is a head, and signed by the key it names."""

    def __init__(self, line):
        match = HEAD.fullmatch(line)
        self.good = match is not None and line_fits(line, match[7], match[8])
        if match is not None:
            self.journal, self.size, self.root, self.key = match[2], int(match[3]), bytes.fromhex(match[4]), match[7]
            self.time = int(match[6])


def introduced(lines, journal):
    """The keys, each introduced by the one before; empty when they do not hold together."""
    keys = []
    for line in lines:
        match = KEY.fullmatch(line)
        if match is None or match[1] != journal or not line_fits(line, match[4], match[5]) or match[4] != (keys[-1] if keys else match[2]):
            return []
        keys.append(match[2])
    return keys


# --- Leaves: u64 seq, i64 time, u32 length, u16 type, u16 flags, payload

TRADE, TRADE_REPORT = 2, 17
FIXED = {TRADE: struct.Struct("<IBBqqqq"), TRADE_REPORT: struct.Struct("<BBBqqqq")}
TEXTS = {TRADE: ("source", "trade_id", "book", "trader", "counterparty", "instrument"),
         TRADE_REPORT: ("source", "trade_id", "reference", "book", "desk", "trader", "counterparty", "instrument", "currency")}
LONGEST_TEXT = 64


def read_leaf(leaf):
    """(seq, time, texts of the command); None when it is no record of a trade."""
    if len(leaf) < 24:
        return None
    seq, time, length, kind, flags = struct.unpack_from("<QqIHH", leaf)
    payload = leaf[24:]
    if length != len(payload) or flags or kind not in FIXED or length < FIXED[kind].size:
        return None
    at, texts = FIXED[kind].size, {}
    for name in TEXTS[kind]:
        if at >= length or payload[at] > LONGEST_TEXT or at + 1 + payload[at] > length:
            return None
        texts[name] = payload[at + 1:at + 1 + payload[at]]
        at += 1 + payload[at]
    return (seq, time, texts) if at == length else None


def concerns(texts, source, trade_id):
    of_source = not source or texts["source"] == source.encode()
    return of_source and trade_id.encode() in (texts["trade_id"], texts.get("reference"))


# --- The proof

def digests(texts):
    if not all(re.fullmatch("[0-9a-f]{64}", text, re.ASCII) for text in texts):
        raise ValueError("a digest is not 64 hexadecimal digits")
    return [bytes.fromhex(text) for text in texts]


def check(proof, trusted=None):
    """What is wrong with it, as texts. ValueError, KeyError, TypeError: it is no proof file."""
    if type(proof["halocline_proof"]) is not int or proof["halocline_proof"] != 1:
        raise ValueError("it is of another version")
    head = Head(proof["head"])
    if not head.good:
        return ["its head is no signed head"]
    wrong = []
    keys = introduced(proof["keys"], head.journal)
    if not keys or keys[-1] != head.key:
        wrong.append("its keys do not introduce the one that signs the head")
    if trusted and trusted not in keys:
        wrong.append(f"the key to trust, {trusted}, is not among its keys")
    if not proof["records"]:
        wrong.append("it has no records")
    for record in proof["records"]:
        path = digests(record["path"])
        if not re.fullmatch("([0-9a-f]{2})*", record["leaf"], re.ASCII):
            raise ValueError("a leaf is not hexadecimal")
        leaf = bytes.fromhex(record["leaf"])
        read = read_leaf(leaf)
        if read is None:
            wrong.append(f"seq {record['seq']}: its leaf is no record of a trade")
            continue
        if read[0] != record["seq"]:
            wrong.append(f"seq {record['seq']}: its leaf is of seq {read[0]}")
        if not concerns(read[2], proof["source"], proof["trade_id"]):
            wrong.append(f"seq {record['seq']}: it is not of this trade")
        if root_by_path(leaf_hash(leaf), read[0] - 1, head.size, path) != head.root:
            wrong.append(f"seq {record['seq']}: its path does not lead to the head's root")
    if proof.get("earlier_head"):
        earlier = Head(proof["earlier_head"])
        if not earlier.good or earlier.journal != head.journal or earlier.key not in keys:
            wrong.append("its earlier head is no signed head of this journal")
        elif not is_consistent(earlier.size, earlier.root, head.size, head.root, digests(proof.get("consistency", []))):
            wrong.append("it does not show that the journal begins with what the earlier head is of")
    return wrong


def key_of(text):
    """Hexadecimal digits, or those of a PEM file (RFC 8410: twelve bytes, then the key)."""
    if re.fullmatch("[0-9a-f]{64}", text, re.ASCII):
        return text
    with open(text, encoding="ascii") as file:
        der = base64.b64decode("".join(line for line in file if not line.startswith("-")))
    if len(der) != 44 or der[:12].hex() != "302a300506032b6570032100":
        raise ValueError(f"{text} is no Ed25519 public key")
    return der[12:].hex()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("proof")
    parser.add_argument("--key", help="the public key to trust: 64 hexadecimal digits, or a PEM file")
    options = parser.parse_args()
    try:
        trusted = key_of(options.key) if options.key else None
        with open(options.proof, encoding="utf-8") as file:
            proof = json.load(file)
        wrong = check(proof, trusted)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        print(f"{options.proof}: {error!r}", file=sys.stderr)
        return 2
    for text in wrong:
        print(f"{options.proof}: {text}", file=sys.stderr)
    if wrong:
        return 5
    head = Head(proof["head"])
    print(f"{len(proof['records'])} records of trade {proof['trade_id']} stand in journal {head.journal}; signed by key {head.key}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
