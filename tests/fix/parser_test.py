"""Our parser and simplefix's on the same bytes, right and damaged.

  parser_test.py --driver build/release/tests/fix/fix_fields --inputs 50000 [--seed N]

An input is one to three messages with random fields: groups, data fields with any bytes, text with any bytes but SOH. Half of them are damaged: bytes
changed, cut out, doubled; and half of those get a right BodyLength and CheckSum again, so that the damage is inside. Held against simplefix:
  - of an input that is not damaged both read all messages, with the same fields in the same order;
  - what we accept of any other, and simplefix reads to its end, has the same fields to both;
  - what simplefix reads to its end, with right BodyLength and CheckSum and beginning with 8, 9, 35, we accept.
simplefix checks less and ends at the first 10; a message whose data fields are not each right behind their length is passed over, because
it gives them a meaning of its own.
"""
import argparse
import collections
import random
import re
import subprocess
import sys
import time

import simplefix

# Tags of no meaning to a parser, and data fields both know, by their length fields.
TAGS = (1, 11, 14, 17, 31, 32, 34, 37, 38, 48, 49, 52, 54, 55, 56, 58, 60, 150, 151, 448, 452, 453, 571, 5001, 9999, 20001)
DATA = {90: 91, 93: 89, 95: 96, 212: 213, 348: 349, 350: 351, 352: 353, 354: 355, 445: 446, 618: 619}
LENGTHS = set(simplefix.data.RAW_LEN_TAGS)
SOH = b"\x01"


def framed(inner, begin=b"FIX.4.4"):
    whole = b"8=" + begin + SOH + b"9=%d" % len(inner) + SOH + inner
    return whole + b"10=%03d" % (sum(whole) % 256) + SOH


def random_message(rng):
    parts = [b"35=" + rng.choice((b"8", b"AE", b"W", b"0"))]
    for _ in range(rng.randrange(1, 30)):
        if rng.random() < 0.08:
            length, data = rng.choice(list(DATA.items()))
            value = rng.randbytes(rng.randrange(1, 20))
            parts += [b"%d=%d" % (length, len(value)), b"%d=" % data + value]
        elif rng.random() < 0.1:
            parts.append(b"%d=" % rng.choice(TAGS) + rng.randbytes(rng.randrange(1, 12)).replace(SOH, b"?"))
        else:
            parts.append(b"%d=%d" % (rng.choice(TAGS), rng.randrange(10**rng.randrange(1, 9))))
    return framed(SOH.join(parts) + SOH, rng.choice((b"FIX.4.2", b"FIX.4.4", b"FIXT.1.1")))


def damaged(rng, message):
    data = bytearray(message)
    for _ in range(rng.randrange(1, 4)):
        at = rng.randrange(len(data))
        what = rng.randrange(5)
        if what == 0:
            data[at] = rng.randrange(256)
        elif what == 1:
            data[at] = rng.choice(b"=\x01019")
        elif what == 2:
            del data[at:at + rng.randrange(1, 8)]
        elif what == 3:
            data[at:at] = data[at:at + rng.randrange(1, 20)]
        else:
            data[at:at] = rng.choice((b"=", SOH, b"58=", b"\x0158=\x01", b"\x01017=x\x01", b"\x01-1=x\x01", b"95=3\x01", b"\x0195=3\x0196=a\x01b\x01"))
        if not data:
            return b"8"
    found = re.match(rb"8=([^\x01]*)\x019=[^\x01]*\x01(.*?)(10=\d*\x01?)?$", bytes(data), re.S)
    if found and rng.random() < 0.5:
        return framed(found[2], found[1])
    return bytes(data)


def by_simplefix(data):
    """Every message it finds, as [(tag, value)]; None when it finds the bytes wrong, or something is left over."""
    parser = simplefix.FixParser(allow_empty_values=True)
    try:
        parser.append_buffer(data)
        found = []
        while (message := parser.get_message()) is not None:
            found.append([(int(tag), value) for tag, value in message.pairs])
    except (ValueError, simplefix.errors.ParsingError):
        return None
    return found if not parser.buf and not parser.pairs else None


def to_the_end(data):
    """The one message that simplefix finds and that is all of the bytes; None when it is not so."""
    found = by_simplefix(data)
    if found is None or len(found) != 1 or b"".join(b"%d=%b\x01" % field for field in found[0]) != data:
        return None
    fields = found[0]
    for (tag, value), (following, data_value) in zip(fields, fields[1:]):
        if (tag in LENGTHS or following in DATA.values()) and (DATA.get(tag) != following or not value.isdigit() or int(value) != len(data_value)):
            return None
    return fields


def whole(fields, data):
    """Whether a message is right by the rules: first 8, 9, 35, right length and sum."""
    found = re.match(rb"8=FIXT?\.\d\.\d\x019=(\d+)\x0135=", data)
    if not found or any(not 0 < tag < 1 << 31 for tag, _ in fields):
        return False
    end = found.end() - 3 + int(found[1])
    return fields[-1] == (10, b"%03d" % (sum(data[:end]) % 256)) and data[end:] == b"10=%b\x01" % fields[-1][1]


def by_us(line):
    """[(bytes, fields)]"""
    messages = []
    for one in line.split():
        raw, fields = one.split(":")
        pairs = [field.split("=") for field in fields.split(",")]
        messages.append((bytes.fromhex(raw), [(int(tag), bytes.fromhex(value)) for tag, value in pairs]))
    return messages


def compare(data, right, ours, counts):
    """What is wrong, or None."""
    if right is not None:
        counts["right messages"] += len(right)
        theirs = by_simplefix(data)
        if [raw for raw, _ in ours] != right or theirs != [fields for _, fields in ours]:
            return f"a right input: we read {ours}, simplefix {theirs}"
        return None
    for raw, fields in ours:
        theirs = to_the_end(raw)
        if theirs is not None:
            counts["damaged, accepted by both"] += 1
            if theirs != fields:
                return f"of {raw} we read {fields}, simplefix {theirs}"
        else:
            counts["damaged, accepted by us only"] += 1
    theirs = to_the_end(data)
    if theirs is not None and whole(theirs, data):
        counts["damaged, whole to simplefix"] += 1
        if [fields for _, fields in ours] != [theirs]:
            return f"simplefix reads {theirs}, we {ours}"
    elif not ours:
        counts["damaged, refused"] += 1
    return None


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--driver", required=True)
    parser.add_argument("--inputs", type=int, default=50_000)
    parser.add_argument("--seed", type=int, default=None, help="default: from the clock")
    options = parser.parse_args()
    if options.seed is None:
        options.seed = time.time_ns() // 1000 % 10**9
    print(f"parser test, seed {options.seed}", flush=True)
    rng, inputs = random.Random(options.seed), []
    for _ in range(options.inputs):
        messages = [random_message(rng) for _ in range(rng.choice((1, 1, 2, 3)))]
        if rng.random() < 0.5:
            inputs.append((b"".join(messages), messages))
        else:
            inputs.append((damaged(rng, messages[0]), None))
    text = "".join(data.hex() + "\n" for data, _ in inputs)
    out = subprocess.run([options.driver], input=text, capture_output=True, text=True, check=True).stdout.splitlines()
    counts = collections.Counter()
    for number, ((data, right), line) in enumerate(zip(inputs, out, strict=True)):
        wrong = compare(data, right, by_us(line), counts)
        if wrong is not None:
            print(f"DIFFERENCE, seed {options.seed}, input {number}: {data!r}\n{wrong}", file=sys.stderr)
            return 1
    print(f"verified: {options.inputs} inputs; " + ", ".join(f"{count} {what}" for what, count in sorted(counts.items())))
    return 0


if __name__ == "__main__":
    sys.exit(main())
