"""The upsert of bench/upsert.cc by others: MERGE INTO of a warm Spark session, merge-on-read and copy-on-write, and PyIceberg's upsert, each into a copy of
the same table of a million trades, through the same catalog.

    build/venv/bin/python bench/peers/iceberg/upsert.py URI ROWS UPDATES NEW ROUNDS     prints one JSON line
"""
import json
import pathlib
import sys
import tempfile
import time

from pyiceberg.catalog.rest import RestCatalog

ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "tests/spark"))
from session import session  # noqa: E402


def rows_of(spark, rows, updates, added, round_):
    """What changes in a round: as many old numbers, spread over the table, and new ones."""
    step = rows // updates
    old = spark.range(updates).selectExpr(f"id * {step} + {round_ % step} AS number")
    return old.unionAll(spark.range(rows + (round_ - 1) * added, rows + round_ * added).selectExpr("id AS number")).selectExpr(
        "number", "'bench' AS source", "concat('T', number) AS trade_id", f"CAST({round_ + 1} AS BIGINT) AS version", "'LIVE' AS status", "'AMEND' AS action",
        "concat('book ', number % 100) AS book", "'trader' AS trader", "'street' AS counterparty", "'AAPL' AS instrument",
        "if(number % 2 = 0, 'BUY', 'SELL') AS side", "CAST(1 + number % 1000 AS DECIMAL(20, 8)) AS quantity", "CAST(190 AS DECIMAL(20, 8)) AS price",
        "CAST(0 AS DECIMAL(20, 8)) AS fees", "CAST(NULL AS TIMESTAMP) AS trade_time", "CAST(0 AS BIGINT) AS trade_time_ns", "number + 1 AS seq",
        "number + 2 AS version_seq")


def merge_seconds(spark, mode, sizes, rounds):
    table = "lake.bench.trades_" + mode.replace("-", "_")
    spark.sql(f"CREATE TABLE {table} USING iceberg TBLPROPERTIES ('format-version' = '2', 'write.merge.mode' = '{mode}') "
              "AS SELECT * FROM lake.halocline.trades WHERE number < " + str(sizes[0]))
    seconds = []
    for round_ in range(1, rounds + 2):  # the first one warms up
        rows_of(spark, *sizes, round_).localCheckpoint().createOrReplaceTempView("changed")
        began = time.monotonic()
        spark.sql(f"MERGE INTO {table} t USING changed c ON t.number = c.number WHEN MATCHED THEN UPDATE SET * WHEN NOT MATCHED THEN INSERT *")
        seconds.append(time.monotonic() - began)
    found = spark.sql(f"SELECT count(*), count(DISTINCT number) FROM {table}").collect()[0]
    assert tuple(found) == (sizes[0] + (rounds + 1) * sizes[2],) * 2, found
    return min(seconds[1:])


def pyiceberg_seconds(spark, uri, sizes):
    spark.sql(f"CREATE TABLE lake.bench.trades_py USING iceberg TBLPROPERTIES ('format-version' = '2') AS SELECT * FROM lake.halocline.trades "
              f"WHERE number < {sizes[0]}")
    table = RestCatalog("bench", uri=uri).load_table("bench.trades_py")
    changed = rows_of(spark, *sizes, 1).toArrow().cast(table.schema().as_arrow())
    began = time.monotonic()
    table.upsert(changed, join_cols=["number"])
    return time.monotonic() - began


def main():
    uri, (rows, updates, added, rounds) = sys.argv[1], map(int, sys.argv[2:])
    with tempfile.TemporaryDirectory() as scratch:
        spark = session(uri, scratch, memory="3g")
        spark.sql("CREATE NAMESPACE IF NOT EXISTS lake.bench")
        metrics = {f"spark_{mode.replace('-', '_')}_seconds": merge_seconds(spark, mode, (rows, updates, added), rounds)
                   for mode in ("merge-on-read", "copy-on-write")}
        metrics["pyiceberg_seconds"] = pyiceberg_seconds(spark, uri, (rows, updates, added))
        spark.stop()
    print(json.dumps(metrics))


if __name__ == "__main__":
    main()
