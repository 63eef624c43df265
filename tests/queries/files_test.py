"""Runs tests/queries/*.test (README.md says what they mean)."""
import pathlib
import re
import unittest

from books import Books

HERE = pathlib.Path(__file__).resolve().parent


def blocks_of(path):
    """-> (line number, lines) of each block"""
    block, first = [], 0
    for number, line in enumerate(path.read_text(encoding="utf-8").split("\n") + [""], 1):
        if line.startswith("#"):
            continue
        if line.strip():
            if not block:
                first = number
            block.append(line)
        elif block:
            yield first, block
            block = []


def value(text):
    if re.fullmatch(r"-?\d+", text):
        return int(text)
    return {"true": True, "false": False, "null": None}.get(text, text)


class File(unittest.TestCase):
    def play(self, path):
        counted = 0
        with Books() as books:
            for number, block in blocks_of(path):
                with self.subTest(file=path.name, line=number):
                    counted += self.block(books, block)
        return counted

    def block(self, books, block):
        head = block[0].split()
        if head[0] not in ("query", "error", "types"):
            for line in block:
                outcome = books.line(line.split("  =>")[0])
                wanted = line.split("=>")[1].strip() if "=>" in line else "ACCEPTED"
                if outcome is not None:
                    self.assertEqual(outcome["outcome"], wanted, line)
            return 0
        cut = block.index("----")
        sql, expected = "\n".join(block[1:cut]), block[cut + 1:]
        answer = books.query(sql, {name: value(text) for name, text in (one.split("=", 1) for one in head[1:])})
        if head[0] == "error":
            self.assertIn("error", answer, sql)
            self.assertEqual(answer["error"].split("\n"), expected, sql)
            return 1
        self.assertNotIn("error", answer, f"{sql}\n{answer.get('error')}")
        if head[0] == "types":
            self.assertEqual([f"{name} {kind}" for name, kind in answer["columns"]], expected, sql)
            return 1
        rows = [" | ".join("NULL" if one is None else one for one in row) for row in answer["rows"]]
        if "ORDER BY" not in sql.upper():
            rows, expected = sorted(rows), sorted(expected)
        self.assertEqual(rows, expected, sql)
        return 1

    def test_the_page_lists_the_sources_as_they_are(self):
        with Books() as books:
            self.assertIn(books.tell({"sources": True})["page"], (HERE.parents[1] / "docs/queries.md").read_text(encoding="utf-8"))

    def test_all(self):
        files = sorted(HERE.glob("*.test"))
        counted = sum(self.play(path) for path in files)
        self.assertGreater(counted, 0)
        print(f"{counted} questions in {len(files)} files")


if __name__ == "__main__":
    unittest.main()
