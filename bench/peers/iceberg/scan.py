"""How long others take to read all of `trades`, of which every row is looked at: DuckDB and a warm Spark session, the best of five each.

    build/venv/bin/python bench/peers/iceberg/scan.py URI     prints one JSON line, with what they read
"""
import json
import pathlib
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path[:0] = [str(ROOT / "tests/spark"), str(ROOT / "tests/system")]
from history_server import attached  # noqa: E402
from session import session  # noqa: E402

SCAN = ("SELECT count(*), sum(quantity * 2), sum(price), sum(number), sum(version), min(trade_id), max(book), count(trade_time), max(version_seq) "
        "FROM lake.halocline.trades")
READS = 5


def best(read):
    seconds, answer = [], None
    for _ in range(READS):
        began = time.monotonic()
        answer = [str(value) for value in read()]
        seconds.append(time.monotonic() - began)
    return min(seconds), answer


def main():
    uri = sys.argv[1]
    with tempfile.TemporaryDirectory() as scratch:
        duckdb = attached(uri)
        duckdb_seconds, rows = best(lambda: duckdb.sql(SCAN).fetchone())
        spark = session(uri, scratch, memory="2g")
        spark_seconds, same = best(lambda: spark.sql(SCAN).collect()[0])
        spark.stop()
    assert [float(a) if a.replace(".", "").isdigit() else a for a in rows] == [float(a) if a.replace(".", "").isdigit() else a for a in same], (rows, same)
    print(json.dumps({"duckdb_seconds": duckdb_seconds, "spark_seconds": spark_seconds, "rows": rows}))


if __name__ == "__main__":
    main()
