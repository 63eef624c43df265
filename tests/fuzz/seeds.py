"""Writes the first corpus of the fuzzers: one small input for each thing they know.

  python3 tests/fuzz/seeds.py        into tests/fuzz/corpus/; what a fuzzer finds is added by hand, by the name of what it showed
"""
import json
import pathlib
import struct
import zlib

HERE = pathlib.Path(__file__).resolve().parent
CORPUS = HERE / "corpus"


def text(value):
    return bytes([len(value)]) + value.encode()


def trade(version, action, side, quantity, price, trade_id="1", instrument="i"):
    return 2, struct.pack("<IBBqqqq", version, action, side, quantity, price, 7, 1) + b"".join(
        text(t) for t in ("s", trade_id, "b", "t", "c", instrument))


def report(report_id, action, reference="", instrument="i"):
    return 17, struct.pack("<BBBqqqq", action, 1, 1, 5 * E8, 3 * E8, 0, 1) + b"".join(
        text(t) for t in ("s", report_id, reference, "b", "", "t", "p", instrument, ""))


E8 = 100_000_000
COMMANDS = {
    "trades": [trade(1, 1, 1, 5 * E8, 3 * E8), trade(1, 1, 1, 5 * E8, 3 * E8), trade(2, 2, 2, 9 * E8, E8), trade(3, 3, 1, 0, 0), trade(4, 1, 2, 1, 1)],
    "future_flips": [trade(1, 1, 1, 5 * E8, -3 * E8, "a", "j"), trade(1, 1, 2, 9 * E8, E8, "b", "j"), (3, struct.pack("<qq", -E8, 5) + text("j"))],
    "bounds": [trade(1, 1, 1, 10**18, 10**11, "a"), trade(1, 1, 1, 10**18 + 1, 1, "b"), trade(2**32 - 1, 1, 1, -1, 1, "c"), trade(1, 9, 9, 1, 1, "d")],
    "prices": [(3, struct.pack("<qq", 2 * E8, 0) + text("i")), (4, struct.pack("<qq", 2 * E8, 9) + text("EUR")), (3, struct.pack("<qq", 0, -1) + text("i"))],
    "reference": [(8, text("b") + text("d2")), (12, struct.pack("<B", 3) + text("b") + text("b2")), (7, text("new")), (5, text("f") + text("USD"))],
    "limits": [(14, struct.pack("<BBB", 1, 2, 1) + (1).to_bytes(16, "little") + (2).to_bytes(16, "little") + struct.pack("<qq", 0, 1) + text("l") + text("f") + text("o")),
               trade(1, 1, 1, E8, E8), (16, struct.pack("<Q", 1) + text("me") + struct.pack("<H", 2) + b"ok"), (15, text("l"))],
    "reports": [report("E1", 1), report("E3", 2, "E2"), report("E2", 2, "E1"), report("E4", 3, "E3"), report("P1", 1, instrument="k"),
                (11, struct.pack("<BqIq", 1, E8, 0, 0) + text("k") + text("USD") + text("") + text("") + text(""))],
    "fix": [(18, struct.pack("<IHB", 2, 2, 1) + text("oms") + text("AE") + struct.pack("<H", 3) + b"571"), report("R1", 1), report("R1/2", 1),
            (20, struct.pack("<I", 1000) + text("oms")), (19, struct.pack("<IQ", 2, 26) + text("oms") + struct.pack("<H", 5) + b"8=FIX"),
            (21, text("oms"))],
    "end_of_day": [(13, struct.pack("<I", 20261124)), (13, struct.pack("<I", 20261124)), (13, struct.pack("<I", 20260230)), (1, b"")],
}
CONFIGS = {
    "unknown_key": "[server]\nlisen = \"x\"\n",
    "wrong_type": "[server]\nlisten = 5\n",
    "not_toml": "[[[",
    "environment": "\0HALOCLINE_JOURNAL_DURABILITY=os\0HALOCLINE_SERVER_LISTEN=\0",
}
HEAD = "49=OMS|50=anna|56=HALOCLINE|52=20261124-10:42:13|"
LOGON = "35=A|34=1|" + HEAD + "98=0|108=30|"
TRADE = "17=E%d|150=F|1=b1|55=AAPL|54=1|32=100|31=10|60=20261124-10:42:13|"
CAPTURE = "571=R%d|55=AAPL|32=100|31=10|552=1|54=1|1=b1|"


def fix(kind, number, body="", flags=""):
    return f"35={kind}|34={number}|{flags}{HEAD}{body}"


FIX_SESSIONS = {
    "executions": [LOGON, fix("8", 2, TRADE % 1), "!", fix("8", 3, TRADE % 2), "#", fix("A", 4, "98=0|108=30|"), "!", fix("8", 3, TRADE % 2, "43=Y|"), "!"],
    "captures": [LOGON, fix("AE", 2, CAPTURE % 1), fix("AE", 3, CAPTURE % 2), "!", fix("2", 4, "7=1|16=0|"), "!", "#", "!", fix("A", 5, "98=0|108=30|"), "!"],
    "gap": [LOGON, fix("8", 4, TRADE % 3), fix("4", 2, "36=4|123=Y|", "43=Y|"), fix("1", 5, "112=x|"), fix("0", 6), "!"],
    "reset": [LOGON, fix("8", 2, TRADE % 1), "!", fix("A", 1, "98=0|108=30|141=Y|"), "!", fix("4", 9, "36=20|"), fix("5", 20), "!"],
    "bad": [LOGON, fix("8", 2, "17=E1|150=F|"), fix("8", 3, (TRADE % 2) + "31=5|"), fix("ZZ", 4), fix("V", 5, "262=r|"), fix("8", 6, "58=|"), "=8=FIX.4.4|9=5|", "=noise", "!"],
    "prices": [LOGON, fix("W", 2, "55=AAPL|268=2|269=0|270=1|269=1|270=2|"), fix("X", 3, "268=1|279=0|269=2|55=AAPL|270=1|"), "!"],
}
FIX_MESSAGES = {
    "execution": "1\n35=8|34=2|" + HEAD + (TRADE % 1) + "453=2|448=anna|447=D|452=12|448=acme|452=17|12=1|13=3|136=1|137=0.5|15=USD|",
    "execution_42": "1\n35=8|34=2|" + HEAD + "17=E2|20=2|19=E1|150=2|1=b1|55=AAPL|54=2|32=1|31=1|",
    "capture": "=house\n35=AE|34=2|" + HEAD + "571=R1|487=2|572=R0|32=5|31=2|48=US1|22=4|552=2|54=1|1=a|54=2|1=b|",
    "prices": "party:38\n35=X|34=2|" + HEAD + "262=q|268=2|279=0|269=2|55=AAPL|270=1|272=20261124|273=10:00:00.5|279=2|269=4|270=2|",
    "alternative_ids": "id:8 100\n35=8|34=2|" + HEAD + (TRADE % 1) + "454=2|455=US1|456=4|455=X|456=8|57=rates|",
}
SCHEMA = {"type": "struct", "schema-id": 0, "fields": [
    {"id": 1, "name": "id", "required": True, "type": "long"}, {"id": 2, "name": "at", "required": False, "type": "timestamptz"},
    {"id": 3, "name": "legs", "required": False, "type": {"type": "list", "element-id": 4, "element-required": True, "element": {
        "type": "struct", "fields": [{"id": 5, "name": "px", "required": True, "type": "decimal(38, 8)"}]}}},
    {"id": 6, "name": "tags", "required": False, "type": {
        "type": "map", "key-id": 7, "key": "string", "value-id": 8, "value": "fixed[4]", "value-required": False}}]}
SPEC = {"spec-id": 0, "fields": [{"source-id": 1, "field-id": 1000, "name": "id_bucket", "transform": "bucket[8]"}]}
ORDER = {"order-id": 1, "fields": [{"source-id": 1, "transform": "identity", "direction": "asc", "null-order": "nulls-last"}]}


def snapshot(number, **more):
    return {"snapshot-id": number, "sequence-number": number, "timestamp-ms": 2000 + number, "manifest-list": f"m{number}",
            "summary": {"operation": "append"}, "schema-id": 0, **more}


def main_at(number):
    return {"action": "set-snapshot-ref", "ref-name": "main", "type": "branch", "snapshot-id": number}


STATISTICS = {"snapshot-id": 1, "statistics-path": "p", "file-size-in-bytes": 3}
METADATA = {
    "format-version": 2, "table-uuid": "u", "location": "file:///w/t", "last-sequence-number": 1, "last-updated-ms": 5, "last-column-id": 8,
    "schemas": [SCHEMA], "current-schema-id": 0, "partition-specs": [SPEC], "default-spec-id": 0, "last-partition-id": 1000,
    "sort-orders": [ORDER], "default-sort-order-id": 1, "properties": {"a": "b"}, "current-snapshot-id": 1, "snapshots": [snapshot(1)],
    "refs": {"main": {"snapshot-id": 1, "type": "branch"}, "eod": {"snapshot-id": 1, "type": "tag", "max-ref-age-ms": 9}},
    "snapshot-log": [{"timestamp-ms": 5, "snapshot-id": 1}], "metadata-log": [{"timestamp-ms": 4, "metadata-file": "f"}],
    "statistics": [STATISTICS], "partition-statistics": [STATISTICS]}
TABLES = {
    "version_2": METADATA,
    "version_3": {**METADATA, "format-version": 3, "next-row-id": 7, "snapshots": [snapshot(1, **{"first-row-id": 0, "added-rows": 7})],
                  "encryption-keys": [{"key-id": "k", "encrypted-key-metadata": "bQ=="}]},
    "no_snapshot": {key: value for key, value in METADATA.items() if key not in ("snapshots", "refs", "snapshot-log", "current-snapshot-id")},
}
ROWS = {"first-row-id": 0, "added-rows": 7}
COMMITS = {
    "snapshots": {"first": [{"action": "add-snapshot", "snapshot": snapshot(1, **ROWS)}, main_at(1),
                            {"action": "set-statistics", "statistics": STATISTICS},
                            {"action": "set-partition-statistics", "partition-statistics": STATISTICS}],
                  "second": [{"action": "add-snapshot", "snapshot": snapshot(2, **{"parent-snapshot-id": 1, "first-row-id": 7, "added-rows": 1})},
                             main_at(2), {"action": "remove-snapshots", "snapshot-ids": [1]}]},
    "shape": {"first": [{"action": "add-schema", "schema": SCHEMA}, {"action": "set-current-schema", "schema-id": -1},
                        {"action": "add-spec", "spec": SPEC}, {"action": "set-default-spec", "spec-id": -1},
                        {"action": "add-sort-order", "sort-order": ORDER}, {"action": "set-default-sort-order", "sort-order-id": -1}],
              "second": [{"action": "remove-schemas", "schema-ids": [0]}, {"action": "remove-partition-specs", "spec-ids": [0]},
                         {"action": "upgrade-format-version", "format-version": 3}]},
    "properties": {"first": [{"action": "set-properties", "updates": {"write.metadata.previous-versions-max": "1"}},
                             {"action": "set-location", "location": "l"}, {"action": "assign-uuid", "uuid": "u"}],
                   "second": [{"action": "remove-properties", "removals": ["a"]}, {"action": "remove-snapshot-ref", "ref-name": "main"},
                              {"action": "remove-statistics", "snapshot-id": 1},
                              {"action": "remove-partition-statistics", "snapshot-id": 1}]},
    "keys": {"first": [{"action": "add-encryption-key", "encryption-key": {"key-id": "k", "encrypted-key-metadata": "bQ=="}}],
             "second": [{"action": "remove-encryption-key", "key-id": "k"}]},
}
QUERIES = {
    "star": "SELECT * FROM trades",
    "groups": "SELECT trader, SUM(notional) AS total, COUNT(*) FROM trades WHERE live GROUP BY trader HAVING COUNT(*) > 0 ORDER BY total DESC NULLS FIRST LIMIT 2;",
    "aggregates": "SELECT COUNT(DISTINCT side), MIN(price), MAX(book), AVG(version), SUM(fees) FILTER (WHERE side = 'BUY') FROM trades",
    "left_join": "SELECT n.name, t.trade_id FROM nodes n LEFT OUTER JOIN trades t ON t.trader = n.name AND n.kind = 'trader' WHERE n.kind IN ('trader', 'desk')",
    "self_join": "SELECT a.trade_id, b.* FROM trades AS a JOIN trades b ON a.instrument = b.instrument WHERE a.price >= b.price",
    "alerts": "SELECT a.*, l.breach FROM alerts a INNER JOIN limits l ON a.limit_name = l.name ORDER BY 1",
    "positions": "SELECT node_kind, node, average_price, realised, unrealised FROM positions WHERE quantity <> 0 ORDER BY node_kind, node",
    "distinct": "SELECT DISTINCT currency, sector FROM instruments ORDER BY currency",
    "case": "SELECT CASE side WHEN 'BUY' THEN quantity ELSE -quantity END AS q, COALESCE(sector, 'none'), NULLIF(price, 3) FROM trades",
    "times": "SELECT DATE_TRUNC('minute', trade_time), NOW() - trade_time FROM trades WHERE trade_time > NOW() - INTERVAL '1 hour 30 minutes'",
    "parameters": "SELECT trade_id FROM trades WHERE version = $1 AND trader = $2 AND fees < $3 AND trade_time >= $4 OR desk = $5",
    "oql": "SELECT * FROM /trades t WHERE t.price > 1.0f && !(t.status == 'NEW') || t.version IN SET(1L, 2) AND IS_DEFINED(t.book)",
    "comments": "-- a\nSELECT /* b */ \"name\" FROM books b; -- end",
    "explain": "EXPLAIN SELECT kind, COUNT(*) FROM nodes GROUP BY kind",
    "misspelt": "SELECT tradr FROM trads WHERE x = 'y",
    "types": "SELECT trader + 1 FROM trades",
    "nested": "SELECT " + "(" * 80 + "1" + ")" * 80 + " FROM trades",
    "chain": "SELECT 1" + " + 1" * 700 + " FROM trades",
    "numbers": "SELECT 9223372036854775807 + 1, 1e5, 0.000000001, 1000000000000000000000.0 * 2, 1 / 0, 5 % 0, ROUND(2.5) FROM currencies",
    "condition": "price > 3 AND (sector LIKE '%s_' OR NOT quantity BETWEEN 1 AND 5) OR book NOT IN ('b', NULL)",
    "condition_null": "CASE WHEN live THEN NULL ELSE fees = 0.01 END",
    "bytes": "SELECT '\xff\x00' FROM \x01trades",
}
# Odd first byte: edits of a good journal; even: the image of a segment.
JOURNALS = {"edit_header": b"\x01\x00\x00\x00\xff", "edit_block": b"\x01\x40\x10\x00\x01", "edit_crc_right": b"\x03\x48\x10\x00\x02",
            "empty_image": b"\x00", "short_image": b"\x00" + b"HALO" * 40}
# The first byte says what it is (checkpoint_fuzz.cc).
CHECKPOINTS = {
    "image": b"\x00HALOCKPT" + bytes(200), "edit_header": b"\x01\x90\x00\xff", "edit_block": b"\x01\x30\x10\x01", "good": b"\x01",
    "more_blocks": b"\x02\x91\x00\xff", "another_part": b"\x02\x08\x10\x01", "long_block": b"\x02\x1b\x10\xff", "no_zstd": b"\x02\x20\x10\x00",
    "huge_part": b"\x03part trades 104 2496 4294967280", "huge_index": b"\x03part trade_index.segments 8192 32 4000000000",
    "wide_directory": b"\x03index trade_index 40 20", "another_seq": b"\x03number seq 3", "added_part": b"\x03part more 4 4 0\nnumber x",
    "order": b"\x04" + bytes(reversed(range(60))), "twice": b"\x04\x01\x01" + bytes(range(2, 60)), "none": b"\x04"}

# A head and a key whose signatures do not fit, and a proof of them; `good` in the corpus is one that a server's record gave.
HEAD = f"halocline-head-1 tables {'0f' * 16} 12 {'ab' * 32} {'cd' * 32} 1795516933000000000 {'11' * 32} {'22' * 64}"
KEY = f"halocline-key-1 {'0f' * 16} {'11' * 32} 1795516933000000000 {'11' * 32} {'22' * 64}"
PROOFS = {"head": HEAD, "key": KEY,
          "not_signed": json.dumps({"halocline_proof": 1, "source": "oms", "trade_id": "t1", "head": HEAD, "keys": [KEY],
                                    "records": [{"seq": 3, "leaf": "03" + "00" * 30, "path": ["ab" * 32]}], "earlier_head": HEAD, "consistency": ["cd" * 32]})}


def vector(bitmap):
    """The blob of a deletion vector: length, magic, bitmap, CRC-32."""
    content = b"\xd1\xd3\x39\x64" + bitmap
    return struct.pack(">I", len(content)) + content + struct.pack(">I", zlib.crc32(content))


def puffin(*blobs, **more):
    """A Puffin file of deletion vectors."""
    data, entries = b"PFA1", []
    for blob in blobs:
        entries.append({"type": "deletion-vector-v1", "fields": [2147483645], "snapshot-id": -1, "sequence-number": -1, "offset": len(data),
                        "length": len(blob), "properties": {"referenced-data-file": "f", "cardinality": "3"}, **more})
        data += blob
    footer = json.dumps({"blobs": entries, "properties": {"created-by": "seeds"}}).encode()
    return data + b"PFA1" + footer + struct.pack("<II", len(footer), 0) + b"PFA1"


# Bitmaps by the kind of their containers: numbers, runs, bits, several of them, two keys.
ARRAY = struct.pack("<QIIIHHI3H", 1, 0, 12346, 1, 0, 2, 16, 1, 3, 5)
BITMAPS = {
    "empty": struct.pack("<Q", 0),
    "array": ARRAY,
    "runs": struct.pack("<QIIBHHHHH", 1, 0, 12347, 1, 7, 2, 1, 9, 2),
    "bits": struct.pack("<QIIIHHI", 1, 0, 12346, 1, 0, 5000 - 1, 16) + b"\xff" * 625 + b"\x00" * 7567,
    "four_with_runs": struct.pack("<QIIB8H4I", 1, 0, 12347 | 3 << 16, 0b0001, 0, 9, 1, 0, 2, 0, 3, 0, 37, 43, 45, 47) + struct.pack("<6H", 1, 5, 9, 1, 2, 3),
    "two_keys": struct.pack("<Q", 2) + ARRAY[8:] + struct.pack("<I", 5) + ARRAY[12:],
}

ANSWERS = {
    "config": {"defaults": {"prefix": "a"}, "overrides": {"namespace-separator": "%2E"}, "endpoints": ["POST /v1/{prefix}/transactions/commit"]},
    "table": {"metadata-location": "file:///m.json", "metadata": METADATA, "config": {"s3.region": "r"},
              "storage-credentials": [{"prefix": "s3://b", "config": {"s3.access-key-id": "k"}}]},
    "namespaces": {"namespaces": [["a"], ["a", "b"]], "identifiers": [{"namespace": ["a"], "name": "t"}], "next-page-token": "n"},
    "token": {"access_token": "t", "token_type": "bearer", "expires_in": 3600},
}


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
    for name, lines in FIX_SESSIONS.items():
        write("fix_session", name, "\n".join(lines).encode())
    for name, message in FIX_MESSAGES.items():
        write("fix_mapping", name, message.encode())
    for name, metadata in TABLES.items():
        write("table_metadata", name, json.dumps(metadata).encode())
    for name, commits in COMMITS.items():
        write("table_commit", name, json.dumps(commits).encode())
    for name, answer in ANSWERS.items():
        write("remote_catalog", name, b"\0" + json.dumps(answer).encode())
    write("remote_catalog", "error", b"\x08" + json.dumps({"error": {"message": "m", "type": "CommitFailedException", "code": 409}}).encode())
    for name, sql in QUERIES.items():
        write("sql", name, sql.encode("latin-1"))
    for name, proof in PROOFS.items():
        write("proof", name, proof.encode())
    for name, bitmap in BITMAPS.items():
        write("puffin", f"bitmap_{name}", b"\x02" + bitmap)
    write("puffin", "vector", b"\x01" + vector(ARRAY))
    write("puffin", "file", b"\x00" + puffin(vector(ARRAY), vector(ARRAY)))
    write("puffin", "file_of_another_kind", b"\x00" + puffin(b"sketch", type="apache-datasketches-theta-v1"))
    write("puffin", "file_compressed", b"\x00" + puffin(vector(ARRAY), **{"compression-codec": "zstd"}))
    for name, journal in JOURNALS.items():
        write("journal", name, journal)
    for name, checkpoint in CHECKPOINTS.items():
        write("checkpoint", name, checkpoint)


if __name__ == "__main__":
    main()
