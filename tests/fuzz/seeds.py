"""Writes the first corpus of the command, configuration and journal fuzzers: one small input for each thing they know.

  python3 tests/fuzz/seeds.py        into tests/fuzz/corpus/; what a fuzzer finds is added by hand, by the name of what it showed
"""
import pathlib
import struct

HERE = pathlib.Path(__file__).resolve().parent
CORPUS = HERE / "corpus"


def text(value):
    return bytes([len(value)]) + value.encode()


def trade(version, action, side, quantity, price, trade_id="1", instrument="i"):
    return 2, struct.pack("<IBBqqqq", version, action, side, quantity, price, 7, 1) + b"".join(
        text(t) for t in ("s", trade_id, "b", "t", "c", instrument))


E8 = 100_000_000
COMMANDS = {
    "trades": [trade(1, 1, 1, 5 * E8, 3 * E8), trade(1, 1, 1, 5 * E8, 3 * E8), trade(2, 2, 2, 9 * E8, E8), trade(3, 3, 1, 0, 0), trade(4, 1, 2, 1, 1)],
    "future_flips": [trade(1, 1, 1, 5 * E8, -3 * E8, "a", "j"), trade(1, 1, 2, 9 * E8, E8, "b", "j"), (3, struct.pack("<qq", -E8, 5) + text("j"))],
    "bounds": [trade(1, 1, 1, 10**18, 10**11, "a"), trade(1, 1, 1, 10**18 + 1, 1, "b"), trade(2**32 - 1, 1, 1, -1, 1, "c"), trade(1, 9, 9, 1, 1, "d")],
    "prices": [(3, struct.pack("<qq", 2 * E8, 0) + text("i")), (4, struct.pack("<qq", 2 * E8, 9) + text("EUR")), (3, struct.pack("<qq", 0, -1) + text("i"))],
    "reference": [(8, text("b") + text("d2")), (12, struct.pack("<B", 3) + text("b") + text("b2")), (7, text("new")), (5, text("f") + text("USD"))],
    "limits": [(14, struct.pack("<BBB", 1, 2, 1) + (1).to_bytes(16, "little") + (2).to_bytes(16, "little") + struct.pack("<qq", 0, 1) + text("l") + text("f") + text("o")),
               trade(1, 1, 1, E8, E8), (16, struct.pack("<Q", 1) + text("me") + struct.pack("<H", 2) + b"ok"), (15, text("l"))],
    "end_of_day": [(13, struct.pack("<I", 20261124)), (13, struct.pack("<I", 20261124)), (13, struct.pack("<I", 20260230)), (1, b"")],
}
CONFIGS = {
    "unknown_key": "[server]\nlisen = \"x\"\n",
    "wrong_type": "[server]\nlisten = 5\n",
    "not_toml": "[[[",
    "environment": "\0HALOCLINE_JOURNAL_DURABILITY=os\0HALOCLINE_SERVER_LISTEN=\0",
}
# Odd first byte: edits of a good journal; even: the image of a segment.
JOURNALS = {"edit_header": b"\x01\x00\x00\x00\xff", "edit_block": b"\x01\x40\x10\x00\x01", "edit_crc_right": b"\x03\x48\x10\x00\x02",
            "empty_image": b"\x00", "short_image": b"\x00" + b"HALO" * 40}


def write(target, name, data):
    folder = CORPUS / target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(data)


def main():
    for name, commands in COMMANDS.items():
        write("command", name, b"".join(struct.pack("<BBH", kind, i, len(payload)) + payload for i, (kind, payload) in enumerate(commands)))
    for name, config in CONFIGS.items():
        write("config", name, config.encode())
    write("config", "example", (HERE.parents[1] / "halocline.example.toml").read_bytes())
    for name, journal in JOURNALS.items():
        write("journal", name, journal)


if __name__ == "__main__":
    main()
