"""How many rows of `trade_events` DuckDB reads.

    build/venv/bin/python bench/peers/iceberg/count.py URI     prints the number
"""
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path[:0] = [str(ROOT / "tests/system")]
from history_server import attached  # noqa: E402

duckdb = attached(sys.argv[1])
print(duckdb.sql("SELECT count(*) FROM lake.halocline.trade_events").fetchone()[0])
