"""The model against cases worked out by hand from docs/semantics.md (cases/*.jsonl and *.expect), and its arithmetic.

A line of NAME.expect says what command `seq` of NAME.jsonl does: outcome (ACCEPTED when not said), first_seq (0), events (none; the
fields given), and of the state after it: positions ("kind/node/symbol" -> Q, C, count, V, K, average price, realised, unrealised),
listed (how many positions), measures (by node id), lines (of the digest, | for 0x1f).
"""
import json
import pathlib
import unittest

import generate
from facts import R, next_level, valid_date, valid_name
from model import Model

CASES = pathlib.Path(__file__).resolve().parent / "cases"
MEASURES = ("net", "long", "short", "total_pnl", "day_base", "peak_pnl", "largest_trade", "trade_rate", "stale")


def load(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


class Cases(unittest.TestCase):
    def test_cases(self):
        paths = sorted(CASES.glob("*.jsonl"))
        self.assertGreaterEqual(len(paths), 7)
        for path in paths:
            with self.subTest(path.stem):
                self.run_case(load(path), {line["seq"]: line for line in load(path.with_suffix(".expect"))})

    def run_case(self, commands, expected):
        self.assertLessEqual(set(expected), {command["seq"] for command in commands})
        model = Model()
        for command in commands:
            seq = command["seq"]
            outcome, first_seq, events = model.apply(seq, command["time"], command)
            expect = expected.get(seq, {})
            self.assertLessEqual(set(expect), {"seq", "why", "outcome", "first_seq", "events", "positions", "listed", "measures", "lines"})
            self.assertEqual((outcome, first_seq), (expect.get("outcome", "ACCEPTED"), expect.get("first_seq", 0)), command)
            wanted = expect.get("events", [])
            self.assertEqual([{key: event[key] for key in want} for event, want in zip(events, wanted)], wanted, command)
            self.assertEqual(len(events), len(wanted), (command, events))
            for event in events:
                self.assertEqual((event["seq"], event["time"]), (seq, command["time"]))
            self.check_state(model, expect, command)

    def check_state(self, model, expect, command):
        rows = {"/".join(row[:3]): row[3:] for row in model.positions()}
        for key, row in expect.get("positions", {}).items():
            self.assertEqual(rows.get(key), row, (key, command))
        self.assertEqual(len(rows), expect.get("listed", len(rows)), command)
        lines = [line.split("\x1f") for line in model.digest_lines()]
        for id, measures in expect.get("measures", {}).items():
            fields = next(line[2:] for line in lines if line[:2] == ["measures", id])
            self.assertEqual(len(fields), len(MEASURES))
            shown = dict(zip(MEASURES, fields))
            self.assertEqual({key: shown[key] for key in measures}, measures, (id, command))
        for line in expect.get("lines", []):
            self.assertIn(line.split("|"), lines, command)


class Arithmetic(unittest.TestCase):
    def test_rounding_is_half_even_for_both_signs(self):
        for a, b, want in ((1, 2, 0), (3, 2, 2), (5, 2, 2), (-1, 2, 0), (-3, 2, -2), (-5, 2, -2), (7, -2, -4), (-7, -2, 4), (5, 3, 2),
                           (-5, 3, -2), (4, 3, 1), (-4, 3, -1), (0, 7, 0), (6, 3, 2), (10**40 + 5, 10, 10**39),
                           (10**40 + 15, 10, 10**39 + 2)):
            self.assertEqual(R(a, b), want, (a, b))

    def test_levels_do_not_change_when_looked_at_again(self):
        for warn, breach, hysteresis in ((0, 10, 0), (5, 10, 10**7 * 3), (10, 10, 5 * 10**7), (9, 10, 99999999), (1, 10, 10**7)):
            for level in range(3):
                for v in range(-3, 14):
                    once = next_level(level, v, warn, breach, hysteresis)
                    self.assertEqual(next_level(once, v, warn, breach, hysteresis), once)

    def test_dates(self):
        for date, good in ((20261124, True), (20240229, True), (20260229, False), (21000229, False), (20000229, True), (19000101, True),
                           (18991231, False), (99991231, True), (99991232, False), (20261301, False), (20260001, False), (20260400, False),
                           (20260431, False), (0, False), (1, False), (4294967295, False)):
            self.assertEqual(valid_date(date), good, date)

    def test_names(self):
        for name, good in (("a", True), ("n" * 64, True), ("n" * 65, False), ("é" * 32, True), ("é" * 33, False), ("", False),
                           ("a\x1fb", False), ("\x7f", False), ("a b", True), ("*", True), ("\ud800", False)):
            self.assertEqual(valid_name(name), good, name)


class Histories(unittest.TestCase):
    def test_a_seed_gives_one_history_and_one_digest(self):
        ends = []
        for _ in range(2):
            model = Model()
            for seq, (time, command) in enumerate(generate.generate(5, 200), 1):
                model.apply(seq, time, command)
            ends.append(model.digest())
        self.assertEqual(*ends)

    def test_p_and_l_adds_up(self):
        """Each trade is in one position of each of the five kinds of node, so Q, C and count add up to the firm's."""
        for seed in range(4):
            model = Model()
            for seq, (time, command) in enumerate(generate.generate(seed, 300), 1):
                model.apply(seq, time, command)
            sums = {}
            for kind, _, symbol, *numbers in model.positions():
                quantity, cash, count = map(int, numbers[:3])
                s = sums.setdefault((kind, symbol), [0, 0, 0])
                sums[kind, symbol] = [s[0] + quantity, s[1] + cash, s[2] + count]
            for (kind, symbol), s in sums.items():
                self.assertEqual(s, sums["1", symbol], (seed, kind, symbol))


if __name__ == "__main__":
    unittest.main()
