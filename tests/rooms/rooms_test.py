"""The rooms of src/ include only what they may, and the text of the code keeps a few plain rules.

An arrow that is not in ARROWS, a tab, an over-long line or file, a TODO, or a public header without its contract comment
fails here, with file and line.
"""
import pathlib
import re
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
SRC = ROOT / "src"

# Which room may include which (its own is always allowed). gateways and client see the API's generated headers as well.
ARROWS = {
    "base": set(),
    "command": {"base"},
    "catalog": {"base", "command"},
    "engine": {"base", "command", "catalog"},
    "journal": {"base", "command"},
    "history": {"base", "command", "catalog", "journal"},
    "gateways": {"base", "command", "api"},
    "server": {"base", "command", "catalog", "engine", "journal", "history", "gateways"},
    "client": {"base", "command", "api"},
    "cli": {"base", "command", "client", "api", "journal", "server", "gateways"},
}
# Headers from outside that only some rooms may know.
FOREIGN = {
    "grpcpp/": {"gateways", "client"},
    "grpc/": {"gateways", "client"},
    "google/": {"gateways", "client", "cli"},
    "asio/": {"gateways"},
    "boost/": {"gateways"},
    "quickfix/": {"gateways"},
    "toml++/": {"server", "cli"},
    "tao/": {"engine"},
    "CLI/": {"cli"},
    "nlohmann/": {"cli", "history"},
    "sqlite3.h": {"history"},
    "curl/": {"history"},
    "arrow/": {"history"},
    "parquet/": {"history"},
    "zlib.h": {"history"},
    "zstd.h": {"history", "journal"},
    "snappy.h": {"history"},
    "absl/": {"engine", "server", "gateways", "client"},  # the last two for gRPC's locks
}
# The engine is a pure function: none of these may be included there, tests aside.
IMPURE = {"chrono", "ctime", "time.h", "thread", "mutex", "fstream", "iostream", "cstdio", "random", "filesystem", "sys/",
          "unistd.h", "fcntl.h", "locale", "cmath", "future", "condition_variable"}
INCLUDE = re.compile(r'^\s*#include\s+(["<])([^">]+)[">]')
MOST_COLUMNS = 140
MOST_LINES = 800


def sources(*suffixes):
    return [path for path in sorted(SRC.rglob("*")) if path.suffix in suffixes]


def room_of(path):
    return path.relative_to(SRC).parts[0]


def includes(path):
    for number, line in enumerate(path.read_text().splitlines(), 1):
        match = INCLUDE.match(line)
        if match:
            yield number, match.group(1), match.group(2)


class RoomsTest(unittest.TestCase):
    def test_every_room_is_known_and_says_what_it_is(self):
        for room in sorted(p.name for p in SRC.iterdir() if p.is_dir()):
            self.assertIn(room, ARROWS)
            self.assertTrue((SRC / room / "README.md").exists(), f"src/{room} has no README.md")

    def test_arrows_point_one_way(self):
        wrong = []
        for path in sources(".h", ".cc"):
            room = room_of(path)
            for number, quote, target in includes(path):
                where = f"{path.relative_to(ROOT)}:{number}: {target}"
                if quote == '"':
                    other = target.split("/")[0]
                    if other == "halocline":
                        other = "api"
                    if other == "bench" and path.name.endswith("_test.cc"):
                        continue
                    if other != room and other not in ARROWS[room]:
                        wrong.append(where)
                for prefix, rooms in FOREIGN.items():
                    if target.startswith(prefix) and room not in rooms:
                        wrong.append(where)
        self.assertEqual(wrong, [])

    def test_a_build_without_iceberg_leaves_out_what_needs_it(self):
        # CMakeLists.txt, HALOCLINE_ICEBERG=OFF: the rooms, and what server/ adds to them behind server/iceberg.h.
        behind = {"server/catalog_gateway", "server/engine_books", "server/history", "server/lake", "server/table_places"}
        wrong = []
        for path in sources(".h", ".cc"):
            name = str(path.relative_to(SRC).with_suffix(""))
            if name.startswith(("history/", "gateways/http/")) or name in behind | {"server/audit_tables", "server/iceberg", "server/history_test", "server/table_places_test"}:
                continue
            for number, _, target in includes(path):
                if target.startswith(("history/", "gateways/http/")) or target.removesuffix(".h") in behind:
                    wrong.append(f"{path.relative_to(ROOT)}:{number}: {target}")
        self.assertEqual(wrong, [])

    def test_the_engine_is_pure(self):
        wrong = []
        for path in sources(".h", ".cc"):
            if room_of(path) not in ("engine", "catalog", "command") or path.name.endswith("_test.cc"):
                continue
            for number, quote, target in includes(path):
                if quote == "<" and any(target == bad or (bad.endswith("/") and target.startswith(bad)) for bad in IMPURE):
                    wrong.append(f"{path.relative_to(ROOT)}:{number}: {target}")
        self.assertEqual(wrong, [])

    def test_text(self):
        wrong = []
        for path in sources(".h", ".cc"):
            lines = path.read_text().splitlines()
            if len(lines) > MOST_LINES:
                wrong.append(f"{path.relative_to(ROOT)}: {len(lines)} lines")
            for number, line in enumerate(lines, 1):
                where = f"{path.relative_to(ROOT)}:{number}"
                if "\t" in line:
                    wrong.append(f"{where}: a tab")
                if len(line) > MOST_COLUMNS:
                    wrong.append(f"{where}: {len(line)} columns")
                if re.search(r"\b(TODO|FIXME|XXX)\b", line):
                    wrong.append(f"{where}: do it or write it down in docs/")
        self.assertEqual(wrong, [])

    def test_headers_carry_their_contract(self):
        wrong = []
        for path in sources(".h"):
            text = path.read_text()
            if not text.startswith("// ") or "#pragma once" not in text:
                wrong.append(str(path.relative_to(ROOT)))
        self.assertEqual(wrong, [])

    def test_nothing_reads_the_clock_but_the_clock(self):
        # sleep_for and friends are no synchronisation.
        wrong = []
        for path in sources(".h", ".cc"):
            for number, line in enumerate(path.read_text().splitlines(), 1):
                if re.search(r"\b(sleep_for|usleep|nanosleep)\s*\(", line):
                    wrong.append(f"{path.relative_to(ROOT)}:{number}")
        self.assertEqual(wrong, [])


if __name__ == "__main__":
    unittest.main()
