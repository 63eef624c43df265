"""Runs tests/queries/*.test (README.md says what they mean)."""
import pathlib
import re
import unittest

from books import Books

HERE = pathlib.Path(__file__).resolve().parent
INSERT, UPDATE = 1, 2
REASONS = {1: "row changed", 2: "row gone", 3: "time passed"}


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


def row_text(row):
    return " | ".join("NULL" if one is None else one for one in row)


def event_text(event):
    _, kind, _, before, after, reason = event
    if kind == INSERT:
        return "INSERT " + row_text(after)
    if kind == UPDATE:
        return f"UPDATE {row_text(before)} -> {row_text(after)}"
    return f"DELETE {row_text(before)} ({REASONS[reason]})"


def alert_text(alert):
    number, step, query, row, reason = alert
    return f"{step} {number} {query} {row}" + ("" if reason == "ROW" else f" ({reason})")


class File(unittest.TestCase):
    def play(self, path):
        counted, self.watched = 0, None
        with Books() as books:
            for number, block in blocks_of(path):
                with self.subTest(file=path.name, line=number):
                    counted += self.block(books, block)
        return counted

    def watch(self, books, sql, parameters):
        """Takes the place of the last watch."""
        if self.watched is not None:
            books.tell({"unwatch": self.watched})
        answer = books.tell({"watch": sql, "parameters": parameters})
        self.watched = answer.get("id")
        return {**answer, "rows": [row for _, row in answer.get("rows", [])]}

    def answers(self, books, lines):
        """The answer to each command; `=> OUTCOME` behind it is wanted instead of ACCEPTED."""
        for line in lines:
            command, _, wanted = line.partition("=>")
            answer = books.line(command.rstrip())
            if answer is not None:
                self.assertEqual(answer["outcome"], wanted.strip() or "ACCEPTED", line)
                yield answer

    def commands(self, books, lines):
        """-> what the watch tells: command by command, that of one command in alphabetical order"""
        return [text for answer in self.answers(books, lines) for text in sorted(event_text(event) for event in answer.get("events", []))]

    def alerts(self, books, lines):
        """-> what queries raise and clear, in order"""
        return [alert_text(one) for answer in self.answers(books, lines) for one in answer.get("alerts", [])]

    def block(self, books, block):
        head = block[0].split()
        if head[0] not in ("query", "error", "types", "watch", "events", "statement", "alerts"):
            self.commands(books, block)
            return 0
        cut = block.index("----")
        if head[0] == "alerts":
            self.assertEqual(self.alerts(books, block[1:cut]), block[cut + 1:])
            return 1
        if head[0] == "statement":
            answer = books.statement("\n".join(block[1:cut]))
            told = [answer["error"]] if "error" in answer else [answer["outcome"]] + [alert_text(one) for one in answer.get("alerts", [])]
            self.assertEqual("\n".join(told).split("\n"), block[cut + 1:])
            return 1
        if head[0] == "events":
            self.assertEqual(self.commands(books, block[1:cut]), block[cut + 1:], self.watched)
            return 1
        sql, expected = "\n".join(block[1:cut]), block[cut + 1:]
        parameters = {name: value(text) for name, text in (one.split("=", 1) for one in head[1:])}
        answer = self.watch(books, sql, parameters) if head[0] == "watch" else books.query(sql, parameters)
        if head[0] == "error":
            self.assertIn("error", answer, sql)
            self.assertEqual(answer["error"].split("\n"), expected, sql)
            return 1
        self.assertNotIn("error", answer, f"{sql}\n{answer.get('error')}")
        if head[0] == "types":
            self.assertEqual([f"{name} {kind}" for name, kind in answer["columns"]], expected, sql)
            return 1
        rows = [row_text(row) for row in answer["rows"]]
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
