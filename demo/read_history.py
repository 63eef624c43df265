"""Asks another engine, DuckDB, what the books hold, from the history's Iceberg tables, and the server what they hold now.

    build/venv/bin/python demo/read_history.py SERVER CATALOG_URI     0: both say the same; 1: they do not; 3: DuckDB is not installed
"""
import csv
import pathlib
import subprocess
import sys
from decimal import Decimal

try:
    import duckdb
    import duckdb_ext
except ImportError:
    sys.exit(3)

ROOT = pathlib.Path(__file__).resolve().parents[1]
HOT = "SELECT book, COUNT(*) AS trades, SUM(quantity) AS quantity FROM trades WHERE live GROUP BY book"
COLD = "SELECT book, count(*), sum(quantity) FROM lake.halocline.trades WHERE status = 'LIVE' GROUP BY book"


def main():
    server, uri = sys.argv[1:]
    lake = duckdb.connect()
    extensions = pathlib.Path(next(iter(duckdb_ext.__path__))) / "extensions" / f"v{duckdb.__version__}" / "linux_amd64"
    for extension in ("avro", "httpfs", "iceberg"):
        lake.execute(f"LOAD '{extensions / extension}.duckdb_extension'")
    lake.execute(f"ATTACH '' AS lake (TYPE iceberg, ENDPOINT '{uri}', AUTHORIZATION_TYPE 'none')")
    asked = subprocess.run([ROOT / "build/release/halocline", "query", HOT, "--csv", "--server", server], check=True, capture_output=True, text=True)
    hot = {row["book"]: (int(row["trades"]), Decimal(row["quantity"])) for row in csv.DictReader(asked.stdout.splitlines())}
    cold = {book: (trades, quantity) for book, trades, quantity in lake.sql(COLD).fetchall()}
    if hot != cold:
        print(f"of {len(hot | cold)} books {sum(hot.get(book) != cold.get(book) for book in hot | cold)} differ")
        sys.exit(1)
    rows = lake.sql("SELECT count(*) FROM lake.halocline.trade_events").fetchone()[0]
    print(f"{sum(trades for trades, _ in hot.values()):,} live trades in {len(hot)} books, {rows:,} events in the ledger")


if __name__ == "__main__":
    main()
