"""Queries that look alike and are not are watched apart; queries that are the same are watched once, each with the answer it asked for."""
import unittest

from books import Books

LINES = ["firm Acme USD", "desk rates", "book B1 rates", "trader a rates", "trader b rates", "trader c", "counterparty street",
         "instrument AAPL equity USD sector=tech", "trade oms/1 B1 a street AAPL BUY 1 1 time=2026-11-24T10:00:00Z",
         "trade oms/2 B1 b street AAPL SELL 2 3", "trade oms/3 B1 c street AAPL SELL 2 4"]
ALIKE = [
    ["SELECT trade_id FROM trades WHERE trader IN ('a', 'b')", "SELECT trade_id FROM trades WHERE trader IN ('a'', ''b')",
     "SELECT trade_id FROM trades WHERE trader NOT IN ('a', 'b')", "SELECT trade_id FROM trades WHERE trader = 'a' OR trader = 'b'"],
    ["SELECT trade_id FROM trades WHERE 9223372036854775807 + version > 0", "SELECT trade_id FROM trades WHERE 9223372036854775807.0 + version > 0"],
    ["SELECT trader AS x FROM trades", "SELECT trader AS y FROM trades", "SELECT trader AS \"x\n\" FROM trades", "SELECT side AS x FROM trades"],
    ["SELECT COALESCE(sector, 'NULL') FROM trades", "SELECT COALESCE(sector, NULL) FROM trades", "SELECT COALESCE(sector, 'a', 'b') FROM trades",
     "SELECT COALESCE(sector, 'a'', ''b') FROM trades"],
    ["SELECT trader FROM trades", "SELECT DISTINCT trader FROM trades", "SELECT trader FROM trades GROUP BY trader", "SELECT trader FROM trades LIMIT 1",
     "SELECT trader FROM trades ORDER BY trader LIMIT 1", "SELECT trader FROM trades ORDER BY trader DESC LIMIT 1"],
    ["SELECT side, COUNT(*) FROM trades GROUP BY side", "SELECT side, COUNT(sector) FROM trades GROUP BY side",
     "SELECT side, COUNT(DISTINCT sector) FROM trades GROUP BY side", "SELECT side, COUNT(*) FILTER (WHERE quantity > 1) FROM trades GROUP BY side",
     "SELECT side, COUNT(*) FROM trades WHERE quantity > 1 GROUP BY side", "SELECT side, COUNT(*) FROM trades GROUP BY side HAVING COUNT(*) > 1",
     "SELECT side, MIN(price) FROM trades GROUP BY side", "SELECT side, MAX(price) FROM trades GROUP BY side"],
    ["SELECT t.trade_id, p.price FROM trades t JOIN prices p ON t.instrument = p.instrument",
     "SELECT t.trade_id, p.price FROM trades t JOIN prices p ON t.price = p.price",
     "SELECT t.trade_id, p.price FROM trades t LEFT JOIN prices p ON t.price = p.price",
     "SELECT t.trade_id, t.price FROM trades t JOIN prices p ON t.instrument = p.instrument"],
    ["SELECT trade_id FROM trades WHERE trade_time > NOW() - INTERVAL '60 seconds'", "SELECT trade_id FROM trades WHERE trade_time > NOW() - INTERVAL '0 s'",
     "SELECT trade_id FROM trades WHERE trade_time <= NOW() - INTERVAL '60 seconds'"],
]
SAME = [("SELECT trade_id FROM trades WHERE trader = 'a'", {}), ("select TRADE_ID from /trades t where t.trader == $1", {"1": "a"}),
        ("SELECT trade_id -- again\nFROM trades WHERE (trader = :who)", {"who": "a"})]


class Shared(unittest.TestCase):
    def test_alike_is_not_the_same(self):
        for queries in ALIKE:
            with Books() as books:
                for line in LINES:
                    books.line(line)
                ids = set()
                for sql in queries:
                    watch = books.tell({"watch": sql})
                    self.assertNotIn("error", watch, sql)
                    ids.add(watch["id"])
                    self.assertEqual(sorted(map(str, (row for _, row in watch["rows"]))), sorted(map(str, books.query(sql)["rows"])), sql)
                self.assertEqual(len(ids), len(queries), queries)

    def test_the_same_is_watched_once(self):
        with Books() as books:
            for line in LINES:
                books.line(line)
            watches = [books.tell({"watch": sql, "parameters": parameters}) for sql, parameters in SAME]
            self.assertEqual({watch["id"] for watch in watches}, {watches[0]["id"]}, watches)
            other = books.tell({"watch": SAME[1][0], "parameters": {"1": "b"}})
            self.assertNotEqual(other["id"], watches[0]["id"])
            self.assertEqual(other["rows"][0][1], ["2"])
            # It lives as long as somebody watches it.
            for _ in SAME[1:]:
                books.tell({"unwatch": watches[0]["id"]})
            self.assertEqual([event[0] for event in books.line("trade oms/4 B1 a street AAPL BUY 1 1")["events"]], [watches[0]["id"]])
            books.tell({"unwatch": watches[0]["id"]})
            self.assertNotIn("events", books.line("trade oms/5 B1 a street AAPL BUY 1 1"))

    def test_what_can_only_be_asked_once(self):
        wrong = "NOW() can be watched only where a time of one source is compared with it: trade_time > NOW() - INTERVAL '60 seconds'"
        with Books() as books:
            for line in LINES:
                books.line(line)
            for sql in ["SELECT NOW() FROM books", "SELECT trade_id FROM trades WHERE NOW() - trade_time < INTERVAL '1 s'",
                        "SELECT trade_id FROM trades ORDER BY NOW() - trade_time LIMIT 1", "SELECT MAX(NOW() - trade_time) FROM trades",
                        "SELECT t.trade_id FROM trades t JOIN books b ON t.book = b.book WHERE t.trade_time > NOW()"]:
                self.assertEqual(books.tell({"watch": sql}), {"error": wrong}, sql)
                self.assertNotIn("error", books.query(sql), sql)
            self.assertEqual(books.tell({"watch": "EXPLAIN SELECT book FROM books"}), {"error": "EXPLAIN can be asked once, not watched"})


if __name__ == "__main__":
    unittest.main()
