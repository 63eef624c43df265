"""The real `halocline` binary with a real server, as a person and a script would use it: every command, its output and its
exit code, bad input included. The binary is $HALOCLINE_BIN, or the newest build/*/halocline."""
import json
import os
import pathlib
import re
import signal
import subprocess
import tempfile
import time
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
FLOOR = """
[firm]
name = "Acme"
currency = "USD"
[[currency]]
code = "EUR"
rate = "1.1"
[[desk]]
name = "rates"
[[book]]
name = "b1"
desk = "rates"
[[trader]]
name = "anna"
desk = "rates"
[[counterparty]]
name = "cp"
[[instrument]]
symbol = "AAPL"
kind = "equity"
currency = "USD"
sector = "tech"
"""
FIRM = ["--set", "firm.name=Acme", "--set", "firm.currency=USD"]
DONE, REFUSED, USAGE, UNREACHABLE, NOT_FOUND, DAMAGED = range(6)


def binary():
    if "HALOCLINE_BIN" in os.environ:
        return os.environ["HALOCLINE_BIN"]
    built = sorted(ROOT.glob("build/*/halocline"), key=lambda path: path.stat().st_mtime)
    if not built:
        raise unittest.SkipTest("no halocline binary: set HALOCLINE_BIN")
    return str(built[-1])


class Server:
    """`halocline serve` on a free port with a data directory of its own."""

    def __init__(self, directory, port=0, settings=(), more=()):
        self.data = str(directory)
        more = [*map(str, more), *(word for setting in settings for word in ("--set", setting))]
        self.process = subprocess.Popen(
            [binary(), "serve", "--set", f"server.listen=127.0.0.1:{port}", "--set", f"server.data_directory={self.data}", *FIRM, *more],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        match = re.search(r"serving on (127\.0\.0\.1:\d+)", line)
        assert match, f"no address in {line!r}: {self.process.stderr.read()}"
        self.address = match.group(1)

    def stop(self, how=signal.SIGTERM):
        self.process.send_signal(how)
        self.said = self.process.communicate(timeout=60)[1]
        return self.process.returncode


def run_cli(address, *args, expect=None, stdin=None, server=None):
    environment = dict(os.environ, HALOCLINE_SERVER=server or address, TZ="Asia/Tokyo")
    done = subprocess.run([binary(), *map(str, args)], env=environment, input=stdin, capture_output=True, text=True, timeout=60)
    if expect is not None and done.returncode != expect:
        raise AssertionError(f"{args}: exit {done.returncode}, expected {expect}\n{done.stdout}\n{done.stderr}")
    return done


class CliTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.temp = tempfile.TemporaryDirectory()
        cls.dir = pathlib.Path(cls.temp.name)
        cls.server = Server(cls.dir / "data")
        (cls.dir / "floor.toml").write_text(FLOOR)
        cls.run_cli("ref", "load", str(cls.dir / "floor.toml"), expect=DONE)

    @classmethod
    def tearDownClass(cls):
        code = cls.server.stop()
        cls.temp.cleanup()
        assert code == 0, f"the server ended with {code}"

    @classmethod
    def run_cli(cls, *args, **more):
        return run_cli(cls.server.address, *args, **more)

    def json_of(self, *args, expect=DONE):
        return json.loads(self.run_cli(*args, "--json", expect=expect).stdout)

    def trade(self, trade_id, *more, expect=DONE, **fields):
        flags = {"source": "test", "id": trade_id, "book": "b1", "trader": "anna", "counterparty": "cp", "instrument": "AAPL",
                 "side": "buy", "quantity": "100", "price": "10.5", **fields}
        return self.run_cli("trade", *[word for name, text in flags.items() for word in ("--" + name, text)], *more, expect=expect)

    # TLS ---------------------------------------------------------------------------------------------------------------

    def test_tls_is_checked_against_the_certificates_named_in_the_address(self):
        def certificate(name):
            key, pem = self.dir / f"{name}.key", self.dir / f"{name}.pem"
            subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj",
                            f"/CN={name}", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", pem], check=True, capture_output=True)
            return key, pem
        key, pem = certificate("server")
        _, other = certificate("other")
        server = Server(self.dir / "tls", settings=[f"server.tls_certificate={pem}", f"server.tls_key={key}"])
        try:
            good = f"https://{server.address}?ca={pem}"
            self.run_cli("ref", "load", self.dir / "floor.toml", server=good, expect=DONE)
            self.run_cli("limit", "set", "l", "--on", "trader:*", "--measure", "gross", "--breach", "1", server=good, expect=DONE)
            rows = self.dir / "tls.jsonl"
            rows.write_text('{"source":"tls","trade_id":"1","book":"b1","trader":"anna","counterparty":"cp","instrument":"AAPL",'
                            '"side":"buy","quantity":"1","price":"10"}\n')
            self.run_cli("trade", "--jsonl", rows, server=good, expect=DONE)
            followed = self.run_cli("alerts", "--follow", "--from", "0", "--count", "1", server=good, expect=DONE)
            self.assertIn("anna", followed.stdout)
            for bad in (server.address, f"https://{server.address}", f"https://{server.address}?ca={other}"):
                self.run_cli("status", "--timeout", "5", server=bad, expect=UNREACHABLE)
            wrong = self.run_cli("status", server=f"https://{server.address}?ca=/no/such/file", expect=USAGE)
            self.assertIn("/no/such/file", wrong.stderr)
        finally:
            self.assertEqual(server.stop(), 0)

    # Trades ------------------------------------------------------------------------------------------------------------

    def test_one_trade_and_what_the_server_says_of_it(self):
        self.assertRegex(self.trade("one").stdout, r"^trade test/one: ACCEPTED, seq [\d,]+\n$")
        self.assertRegex(self.trade("one").stdout, r"DUPLICATE, seq [\d,]+ \(first taken as seq [\d,]+\)")
        conflict = self.trade("one", quantity="101", expect=REFUSED)
        self.assertIn("CONFLICT", conflict.stderr)
        self.assertEqual(conflict.stdout, "")
        unknown = self.trade("two", book="nobook", expect=REFUSED)
        self.assertIn("UNKNOWN_BOOK", unknown.stderr)
        self.assertIn("nobook", unknown.stderr)
        answer = json.loads(self.trade("one", "--json").stdout)
        self.assertEqual(answer["outcome"], "DUPLICATE")
        self.assertGreater(answer["seq"], answer["first_seq"])

        shown = self.run_cli("trade", "show", "test", "one", expect=DONE).stdout
        self.assertRegex(shown, r"quantity +100\n")
        self.assertRegex(shown, r"status +live")
        self.assertEqual(self.json_of("trade", "show", "test", "one")["trade"]["price"], "10.5")
        self.assertIn("no trade test/none", self.run_cli("trade", "show", "test", "none", expect=NOT_FOUND).stderr)

    def test_amend_cancel_and_tombstone(self):
        self.trade("life")
        self.trade("life", version="2", action="AMEND", quantity="50")
        self.run_cli("trade", "--source", "test", "--id", "life", "--version", "3", "--action", "cancel", expect=DONE)
        self.assertRegex(self.run_cli("trade", "show", "test", "life", expect=DONE).stdout, r"status +cancelled")
        stale = self.trade("life", version="2", action="AMEND", quantity="50")
        self.assertIn("STALE", stale.stdout)
        ghost = self.run_cli("trade", "--source", "test", "--id", "ghost", "--action", "CANCEL", expect=DONE)
        self.assertIn("TOMBSTONE", ghost.stdout)

    def test_bad_values_say_the_field_and_send_nothing(self):
        for fields, words in (({"quantity": "1,500"}, ["quantity", "1,500", "decimal"]), ({"side": "long"}, ["side", "BUY or SELL"]),
                              ({"version": "x"}, ["version"]), ({"price": "1.123456789"}, ["price", "8 decimals"])):
            wrong = self.trade("bad", expect=USAGE, **fields)
            for word in words:
                self.assertIn(word, wrong.stderr)
        self.assertIn("--source and --id", self.run_cli("trade", "--book", "b1", expect=USAGE).stderr)
        self.run_cli("trade", "show", "test", "bad", expect=NOT_FOUND)

    def test_many_from_csv(self):
        path = self.dir / "trades.csv"
        rows = ["source,trade_id,book,trader,counterparty,instrument,side,quantity,price"]
        rows += [f"csv,T{i},b1,anna,cp,AAPL,{'BUY' if i % 2 else 'SELL'},{i + 1},10.25" for i in range(5000)]
        path.write_text("\n".join(rows) + "\n")
        done = self.run_cli("trade", "--csv", path, expect=DONE)
        self.assertRegex(done.stdout, r"ACCEPTED +5,000")
        again = self.run_cli("trade", "--csv", "-", "--json", stdin=path.read_text(), expect=DONE)
        summary = json.loads(again.stdout)
        self.assertEqual(summary["outcomes"], {"DUPLICATE": 5000})
        self.assertEqual(summary["unanswered"], 0)

    def test_refused_rows_have_line_and_reason(self):
        text = ("source,trade_id,book,trader,counterparty,instrument,side,quantity,price\n"
                "mix,1,b1,anna,cp,AAPL,BUY,1,1\n"
                "mix,2,nobook,anna,cp,AAPL,BUY,1,1\n"
                "mix,3,b1,anna,cp,AAPL,BUY,one,1\n"
                "mix,4,b1,anna\n"
                '"mix","5","b1",anna,cp,AAPL,BUY,"1",1\n')
        done = self.run_cli("trade", "--csv", "-", stdin=text, expect=REFUSED)
        self.assertIn("line 3: UNKNOWN_BOOK", done.stderr)
        self.assertIn("line 4: BAD_ROW: quantity", done.stderr)
        self.assertIn("line 5: BAD_ROW: 4 fields, the header has 9", done.stderr)
        self.assertRegex(done.stdout, r"ACCEPTED +2\n")
        self.assertRegex(done.stdout, r"BAD_ROW +2\n")

    def test_json_lines(self):
        lines = ['{"source":"jl","trade_id":"1","book":"b1","trader":"anna","counterparty":"cp","instrument":"AAPL","side":"BUY",'
                 '"quantity":12345678.12345678,"price":"0.00000001"}', "", '{"source":"jl","trade_id":"2","quantiy":1}', "not json"]
        done = self.run_cli("trade", "--jsonl", "-", stdin="\n".join(lines), expect=REFUSED)
        self.assertIn("line 3: BAD_ROW: unknown field \"quantiy\": did you mean quantity?", done.stderr)
        self.assertIn("line 4: BAD_ROW: not JSON", done.stderr)
        self.assertEqual(self.json_of("trade", "show", "jl", "1")["trade"]["quantity"], "12345678.12345678")

    def test_garbage_is_no_csv(self):
        for text, words in (("source,trade_idd\n", "did you mean trade_id?"), ("", "empty"), ("book\nb1\n", "no column source"),
                            ("x" * 70000, "64 KiB"), ("source,source\n", "twice")):
            self.assertIn(words, self.run_cli("trade", "--csv", "-", stdin=text, expect=USAGE).stderr)
        self.assertIn("No such file", self.run_cli("trade", "--csv", "/no/such.csv", expect=USAGE).stderr)
        self.assertIn("directory", self.run_cli("trade", "--csv", "/tmp", expect=USAGE).stderr)

    # Prices and reference data -------------------------------------------------------------------------------------------

    def test_prices_and_rates(self):
        self.assertIn("ACCEPTED", self.run_cli("price", "AAPL", "11.25", "--time", "2026-11-24T10:00", expect=DONE).stdout)
        self.assertIn("STALE", self.run_cli("price", "AAPL", "11", "--time", "2026-11-24T09:00", expect=DONE).stdout)
        self.assertIn("UNKNOWN_INSTRUMENT", self.run_cli("price", "NONE", "1", expect=REFUSED).stderr)
        self.run_cli("price", "AAPL", "abc", expect=USAGE)
        self.run_cli("price", expect=USAGE)
        self.assertIn("ACCEPTED", self.run_cli("fx", "EUR", "1.2", expect=DONE).stdout)
        self.assertIn("INVALID_RATE", self.run_cli("fx", "USD", "2", expect=REFUSED).stderr)
        done = self.run_cli("price", "--csv", "-", stdin="instrument,price\nAAPL,11.5\nNONE,2\n", expect=REFUSED)
        self.assertIn("line 3: UNKNOWN_INSTRUMENT", done.stderr)
        self.assertRegex(done.stdout, r"ACCEPTED +1")

    def test_reference_data(self):
        again = self.run_cli("ref", "load", self.dir / "floor.toml", expect=DONE)
        self.assertRegex(again.stdout, r"UNCHANGED +\d")
        listed = self.json_of("ref", "list")
        self.assertEqual(listed["firm"], {"name": "Acme", "currency": "USD"})
        self.assertIn({"name": "b1", "desk": "rates"}, listed["book"])
        self.assertIn("AAPL", self.run_cli("ref", "list", "--kind", "instrument", expect=DONE).stdout)
        self.run_cli("ref", "set", "book", "name=b9", "desk=rates", expect=DONE)
        self.run_cli("ref", "rename", "book", "b9", "b10", expect=DONE)
        self.assertIn("NAME_TAKEN", self.run_cli("ref", "rename", "book", "b10", "b1", expect=REFUSED).stderr)
        csv = self.dir / "traders.csv"
        csv.write_text("name,desk\nbert,rates\ncarl,nodesk\n")
        done = self.run_cli("ref", "load", csv, "--kind", "trader", expect=REFUSED)
        self.assertRegex(done.stderr, r"traders\.csv:3: trader carl: UNKNOWN_DESK")
        self.assertIn("--kind", self.run_cli("ref", "load", csv, expect=USAGE).stderr)
        bad = self.dir / "bad.toml"
        bad.write_text('[[desk]]\nname = "x"\n[[book]]\nname = "y"\ndeks = "x"\n')
        self.assertIn("bad.toml:5: unknown field \"deks\": did you mean desk?", self.run_cli("ref", "load", bad, expect=USAGE).stderr)
        self.assertIn("did you mean book?", self.run_cli("ref", "set", "bok", "name=x", expect=USAGE).stderr)

    # Risk ------------------------------------------------------------------------------------------------------------------

    def test_query(self):
        self.trade("q1", quantity="7", price="3.25")
        self.trade("q2", quantity="8", price="3.5", side="sell")
        sql = "SELECT trade_id, side, quantity, price * quantity AS money, trade_time FROM trades WHERE trade_id LIKE 'q_' ORDER BY trade_id"
        shown = self.run_cli("query", sql, expect=DONE).stdout
        self.assertRegex(shown, r"trade_id +side +quantity +money +trade_time\nq1 +BUY +7 +22\.75 +NULL\nq2 +SELL +8 +28 +NULL\n2 rows, exact at seq ")
        answer = self.json_of("query", sql)
        self.assertEqual(answer["rows"][0], {"trade_id": "q1", "side": "BUY", "quantity": "7", "money": "22.75", "trade_time": None})
        self.assertEqual(answer["columns"][3], {"name": "money", "type": "decimal"})
        self.assertEqual(self.run_cli("query", sql, "--csv", expect=DONE).stdout,
                         "trade_id,side,quantity,money,trade_time\nq1,BUY,7,22.75,\nq2,SELL,8,28,\n")
        # Parameters by what they look like, and the text from standard input.
        asked = self.run_cli("query", "-", "--param", "1=q2", "--param", "most=8.0", "--csv", expect=DONE,
                             stdin="SELECT COUNT(*) AS n\nFROM trades WHERE trade_id = $1 AND quantity <= :most")
        self.assertEqual(asked.stdout, "n\n1\n")
        for wrong, said in (("SELECT a FROM trads", 'there is no source "trads"; did you mean trades?'), ("SELECT", "the text ends too early"),
                            ("SELECT trader FROM trades WHERE trader = $1", 'no value is given for the parameter "1"')):
            self.assertIn(said, self.run_cli("query", wrong, expect=USAGE).stderr)
        self.assertIn("is not NAME=VALUE", self.run_cli("query", "SELECT 1 FROM books", "--param", "x", expect=USAGE).stderr)

    def test_as_it_was(self):
        self.trade("past", quantity="7", price="3.25")
        seq = self.json_of("status")["last_seq"]
        time_then = self.json_of("query", "SELECT NOW() AS t FROM trades LIMIT 1")["rows"][0]["t"]
        self.trade("past", quantity="9", price="3.25", version="2", action="AMEND")
        sql = "SELECT quantity FROM trades WHERE trade_id = 'past'"
        for then in (f"SEQ {seq}", f"seq:{seq}", time_then):
            self.assertEqual(self.json_of("query", "--as-of", then, sql)["rows"], [{"quantity": "7"}], then)
        self.assertEqual(self.json_of("query", sql.replace("WHERE", f"AS OF SEQ {seq} WHERE"))["rows"], [{"quantity": "7"}])
        self.assertEqual(self.json_of("query", sql.replace("WHERE", "AS OF $1 WHERE"), "--param", f"1={time_then}")["rows"], [{"quantity": "7"}])
        self.assertEqual(self.json_of("query", sql)["rows"], [{"quantity": "9"}])
        self.assertEqual(self.json_of("trade", "show", "test", "past", "--as-of", f"SEQ {seq}")["trade"]["quantity"], "7")
        for listing in (["positions", "all"], ["nodes", "trader"], ["alerts"], ["limit", "list"], ["ref", "list"]):
            self.assertEqual(self.json_of(*listing, "--as-of", f"SEQ {seq}")["seq"], seq, listing)
        for then, code, said in ((f"SEQ {seq + 100_000}", REFUSED, "is in the future"), ("2001-01-01", REFUSED, "before the first command"),
                                 ("2026-11-01 01:30 America/New_York", USAGE, "showed it twice"), ("noon", USAGE, "is no time")):
            self.assertIn(said, self.run_cli("query", "--as-of", then, sql, expect=code).stderr)
        self.assertIn("--follow", self.run_cli("alerts", "--follow", "--as-of", "SEQ 1", expect=USAGE).stderr)

    def test_what_was_effective(self):
        ten, half_past = {"trade-time": "2026-11-17T10:00:00Z"}, {"trade-time": "2026-11-17T10:30:00Z"}
        self.trade("effective", quantity="7", price="3.25", **ten)
        seq = self.json_of("status")["last_seq"]
        self.trade("late", quantity="5", price="3.25", **half_past)
        self.trade("effective", quantity="8", price="3.25", version="2", action="AMEND", **ten)
        sql = "SELECT trade_id, quantity FROM trades WHERE trade_id IN ('effective', 'late')"
        both = [{"trade_id": "effective", "quantity": "8"}, {"trade_id": "late", "quantity": "5"}]
        for then, rows in (("2026-11-17 10:00", both[:1]), ("2026-11-17 05:30 America/New_York", both), ("2026-11-17 09:59:59.999", [])):
            self.assertEqual(self.json_of("query", "--effective-at", then, sql)["rows"], rows, then)
            self.assertEqual(self.json_of("query", sql.replace("WHERE", f"EFFECTIVE AT '{then}' WHERE"))["rows"], rows, then)
        known_then, at = [{"trade_id": "effective", "quantity": "7"}], "2026-11-17 23:00"
        self.assertEqual(self.json_of("query", "--effective-at", at, "--as-of", f"SEQ {seq}", sql)["rows"], known_then)
        self.assertEqual(self.json_of("query", sql.replace("WHERE", f"AS OF SEQ {seq} EFFECTIVE AT '{at}' WHERE"))["rows"], known_then)
        self.assertEqual(self.json_of("query", "--as-of", f"SEQ {seq}", sql.replace("WHERE", f"EFFECTIVE AT '{at}' WHERE"))["rows"], known_then)
        self.assertEqual(self.json_of("trade", "show", "test", "effective", "--effective-at", at)["trade"]["quantity"], "8")
        self.run_cli("trade", "show", "test", "effective", "--effective-at", "2026-11-17 09:00", expect=NOT_FOUND)
        for listing in (["positions", "all"], ["nodes", "trader"]):
            self.assertGreater(self.json_of(*listing, "--effective-at", at)["seq"], seq)
        self.assertIn("another instant", self.run_cli("query", "--effective-at", at, sql.replace("WHERE", f"EFFECTIVE AT '{at}' WHERE"),
                                                      expect=USAGE).stderr)
        self.assertIn("is no time", self.run_cli("positions", "--effective-at", "noon", expect=USAGE).stderr)

    def test_what_changed_and_what_would_have_been_raised(self):
        self.trade("d1", quantity="5")
        begin = self.json_of("status")["last_seq"]
        self.trade("d1", quantity="6", version="2", action="AMEND")
        self.trade("d2", quantity="100", trader="anna")
        self.trade("d2", quantity="100", version="2", action="CANCEL")
        end = self.json_of("status")["last_seq"]
        span = ["--from", f"SEQ {begin}", "--to", f"SEQ {end}"]
        changed = self.json_of("diff", *span)
        self.assertEqual((changed["from"]["seq"], changed["to"]["seq"], changed["more_trades"]), (begin, end, False))
        trades = {trade["after"]["trade_id"]: trade for trade in changed["trades"]}
        self.assertEqual((trades["d1"]["what"], trades["d1"]["before"]["quantity"], trades["d1"]["after"]["quantity"]), ("AMENDED", "5", "6"))
        self.assertEqual((trades["d2"]["what"], trades["d2"]["before"]), ("CANCELLED", None))
        self.assertEqual({node["after"]["name"] for node in changed["nodes"] if node["after"]["kind"] == "trader"}, {"anna"})
        self.assertRegex(self.run_cli("diff", *span, expect=DONE).stdout, r"test/d1 +AMENDED +1 -> 2 .* 5 -> 6 ")
        self.assertRegex(self.run_cli("diff", "--from", f"SEQ {end}", "--to", f"SEQ {end}", expect=DONE).stdout, "No node has other measures")
        # Both trades are large for a moment; the first is open when it begins.
        sql = "SELECT trade_id FROM trades WHERE live AND trade_id LIKE 'd_' AND quantity >= 5"
        told = self.run_cli("backtest", sql, *span, expect=DONE).stdout.splitlines()
        self.assertEqual([re.search("OPEN|RAISED|CLEARED", line)[0] + line.split("trade_id=")[1] for line in told[:-1]],
                         ["OPENd1", "RAISEDd2", "CLEAREDd2"])
        self.assertIn("1 open at the beginning, 1 raised, 1 cleared, 1 open at the end", told[-1])
        gross = [json.loads(line) for line in self.run_cli("backtest", "--on", "trader:anna", "--measure", "largest_trade", "--breach", "0.01",
                                                           *span, "--json", expect=DONE).stdout.splitlines()]
        self.assertEqual({line["row"]["name"] for line in gross}, {"anna"})
        for wrong in (["--on", "trader", "--measure", "gross", "--breach", "1"], ["--on", "trader:*", "--measure", "x", "--breach", "1"], [],
                      ["SELECT FROM"], ["SELECT NOW() FROM trades"]):
            self.run_cli("backtest", *wrong, *span, expect=USAGE)
        self.run_cli("diff", "--from", f"SEQ {end}", "--to", f"SEQ {begin}", expect=USAGE)

    def test_queries_with_names_and_their_alerts_outlive_the_server(self):
        with tempfile.TemporaryDirectory() as directory:
            server = Server(directory + "/data")
            path = pathlib.Path(directory, "floor.toml")
            path.write_text(FLOOR)
            ask = lambda *args, expect=DONE: self.run_cli(*args, server=server.address, expect=expect)
            trade = lambda number, quantity: ask("trade", "--source", "s", "--id", str(number), "--book", "b1", "--trader", "anna", "--counterparty",
                                                 "cp", "--instrument", "AAPL", "--side", "buy", "--quantity", str(quantity), "--price", "10")
            ask("ref", "load", path)
            sql = "SELECT trader, SUM(quantity) AS q FROM trades GROUP BY trader HAVING SUM(quantity) >= 100"
            made = ask("query", f"CREATE ALERT heavy SEVERITY BREACH AS {sql}", "--csv").stdout
            self.assertRegex(made, r"^outcome,name,seq\nACCEPTED,heavy,\d+\n$")
            self.assertIn("exists with another text", ask("query", "CREATE ALERT heavy SEVERITY WARN AS SELECT name FROM nodes", expect=REFUSED).stderr)
            ask("query", "CREATE CONTINUOUS QUERY large AS SELECT trade_id FROM trades WHERE quantity > 50")
            trade(1, 60)
            trade(2, 40)
            listed = ask("alerts").stdout
            self.assertRegex(listed, r"1 +BREACH +trader=anna q=100 .*heavy +query")
            ask("alerts", "ack", "1", "--by", "risk")
            digest = json.loads(ask("status", "--digest", "--json").stdout)["state_digest"]
            server.stop(signal.SIGKILL)
            server = Server(directory + "/data")
            self.assertEqual(json.loads(ask("status", "--digest", "--json").stdout)["state_digest"], digest)
            self.assertRegex(ask("query", "SHOW QUERIES", "--csv").stdout, f'heavy,ALERT,BREACH,"{re.escape(sql)}",.*\nlarge,QUERY,,')
            trade(3, 100)  # more of the same is the same alert
            ask("query", "DROP ALERT heavy")
            steps = ask("alerts", "--follow", "--from", "0", "--count", "3").stdout
            self.assertRegex(steps, r"RAISED BREACH  trader=anna q=100 \(query heavy\); seq \d+, trade s/2 v1\n")
            self.assertRegex(steps, r"CLEARED  trader=anna q=100 \(query heavy\), query dropped; seq \d+, the query\n")
            self.assertIn("is not known", ask("query", "DROP ALERT heavy", expect=NOT_FOUND).stderr)
            self.assertEqual(server.stop(), 0)

    def test_watch(self):
        sql = "SELECT trade_id, quantity FROM trades WHERE trade_id LIKE 'w_' ORDER BY quantity DESC LIMIT 1"
        environment = dict(os.environ, HALOCLINE_SERVER=self.server.address)
        self.trade("w0", quantity="4")
        watch = subprocess.Popen([binary(), "watch", sql, "--count", "4", "--json"], env=environment, stdout=subprocess.PIPE, text=True)
        lines = subprocess.Popen([binary(), "watch", "SELECT COUNT(*) AS n FROM trades WHERE trade_id = 'w1'", "--count", "1"], env=environment,
                                 stdout=subprocess.PIPE, text=True)
        self.assertRegex(lines.stdout.readline(), r"seq [\d,]+ +ROW +0$")  # it watches
        first = json.loads(watch.stdout.readline())
        self.assertEqual((first["kind"], first["after"]), ("ROW", {"trade_id": "w0", "quantity": "4"}))
        self.trade("w1", quantity="5")
        self.trade("w2", quantity="6")
        changes = [json.loads(line) for line in watch.stdout]
        self.assertEqual([(change["kind"], (change.get("after") or change["before"])["trade_id"], change.get("reason")) for change in changes],
                         [("DELETE", "w0", "ROW_CHANGED"), ("INSERT", "w1", None), ("DELETE", "w1", "ROW_CHANGED"), ("INSERT", "w2", None)])
        self.assertEqual(changes[2]["seq"], changes[3]["seq"])
        self.assertEqual(watch.wait(timeout=60), DONE)
        watch.stdout.close()
        self.assertRegex(lines.stdout.read(), r"seq [\d,]+ +UPDATE +0  ->  1$")
        self.assertEqual(lines.wait(timeout=60), DONE)
        lines.stdout.close()
        self.assertIn("did you mean trades?", self.run_cli("watch", "SELECT a FROM trads", expect=USAGE).stderr)
        self.assertIn("--name", self.run_cli("watch", expect=USAGE).stderr)

        # What it was told, whoever asks for it later.
        told = lambda *args: [json.loads(line) for line in self.run_cli("watch", *args, "--json", expect=DONE).stdout.splitlines()]
        self.assertEqual(told(sql, "--after", str(first["seq"]), "--count", "4"), changes)
        self.run_cli("query", f"CREATE CONTINUOUS QUERY largest AS {sql}", expect=DONE)
        self.trade("w3", quantity="7")
        created = self.json_of("query", "SELECT created_seq FROM queries WHERE name = 'largest'")["rows"][0]["created_seq"]
        (gone, come) = told("--name", "largest", "--after", str(created), "--count", "2")
        self.assertEqual((gone["kind"], gone["before"]["trade_id"], come["kind"], come["after"]["trade_id"]), ("DELETE", "w2", "INSERT", "w3"))
        self.assertIn("made at seq", self.run_cli("watch", "--name", "largest", "--after", "1", expect=REFUSED).stderr)
        self.run_cli("query", "DROP CONTINUOUS QUERY largest", expect=DONE)
        self.assertIn("no query", self.run_cli("watch", "--name", "largest", expect=NOT_FOUND).stderr)

    def test_positions_and_nodes(self):
        self.run_cli("ref", "set", "instrument", "symbol=POS", "kind=equity", "currency=EUR", expect=DONE)
        self.trade("pos", instrument="POS", quantity="1234567", price="2")
        position = self.json_of("positions", "trader:anna", "--instrument", "POS")["positions"][0]
        self.assertEqual((position["node"], position["quantity"], position["average_price"]), ("anna", "1234567", "2"))
        table = self.run_cli("positions", "book:b1", "--instrument", "POS", expect=DONE).stdout
        self.assertIn("1,234,567", table)
        self.assertNotIn("\x1b", table)
        self.assertIn("No positions", self.run_cli("positions", "trader:nobody", expect=DONE).stdout)
        self.assertIn("KIND:NAME", self.run_cli("positions", "trade:anna", expect=USAGE).stderr)

        tree = self.run_cli("nodes", expect=DONE).stdout
        self.assertRegex(tree, r"(?m)^Acme .*")
        self.assertIn("desk rates", tree)
        self.assertIn("book b1", tree)
        self.assertRegex(tree, r"as of seq [\d,]+, 20\d\d-\d\d-\d\dT[\d:.]+Z")
        nodes = self.json_of("nodes", "trader", "--sort", "gross", "--top", "1")["nodes"]
        self.assertEqual([(node["kind"], node["name"]) for node in nodes], [("trader", "anna")])
        self.run_cli("nodes", "trader:nobody", expect=NOT_FOUND)
        self.run_cli("nodes", "--sort", "beauty", expect=USAGE)

    def test_limits_and_alerts(self):
        self.run_cli("ref", "set", "trader", "name=zoe", "desk=rates", expect=DONE)
        before = self.json_of("status")["last_event_id"]
        self.run_cli("limit", "set", "zoe-gross", "--on", "trader:zoe", "--measure", "gross", "--warn", "500", "--breach", "1000",
                     "--hard", "--owner", "risk", expect=DONE)
        self.assertIn("hard", self.run_cli("limit", "list", expect=DONE).stdout)
        follower = subprocess.Popen([binary(), "alerts", "--follow", "--json", "--from", str(before), "--count", "2",
                                     "--server", self.server.address], stdout=subprocess.PIPE, text=True)
        self.trade("zoe-1", trader="zoe", quantity="60")
        self.trade("zoe-2", trader="zoe", quantity="60")
        out, _ = follower.communicate(timeout=30)
        events = [json.loads(line) for line in out.splitlines()]
        self.assertEqual(follower.returncode, 0)
        self.assertEqual([event["event_id"] for event in events], [before + 1, before + 2])
        self.assertEqual([(event["step"], event["level"]) for event in events], [("RAISED", "WARN"), ("ESCALATED", "BREACH")])
        self.assertEqual((events[1]["cause"], events[1]["cause_trade_id"]), ("TRADE", "zoe-2"))

        alert = next(a for a in self.json_of("alerts")["alerts"] if a["node"] == "zoe")
        self.assertIn("trader:zoe", self.run_cli("alerts", expect=DONE).stdout)
        self.run_cli("ack", alert["alert_id"], "--by", "anna", "--note", "hedged", expect=DONE)
        again = self.run_cli("alerts", "ack", alert["alert_id"], "--by", "anna", expect=REFUSED)
        self.assertIn("ALREADY_ACKNOWLEDGED", again.stderr)
        self.run_cli("ack", 999999, "--by", "anna", expect=REFUSED)
        text = self.run_cli("alerts", "--follow", "--from", before, "--count", "3", expect=DONE).stdout
        self.assertRegex(text, r"ESCALATED BREACH +trader:zoe gross [\d,.]+ against 1,000\.00 \(hard limit zoe-gross\); seq [\d,]+, trade test/zoe-2 v1")
        self.assertIn("ACKNOWLEDGED BREACH", text)
        self.assertIn("by anna: hedged", text)
        self.run_cli("limit", "remove", "zoe-gross", expect=DONE)
        self.assertIn("UNKNOWN_LIMIT", self.run_cli("limit", "remove", "zoe-gross", expect=REFUSED).stderr)
        self.assertTrue(any(a["cleared"] for a in self.json_of("alerts", "--all", "--on", "trader:zoe")["alerts"]))

        for arguments, word in ((["--on", "zoe", "--measure", "gross", "--breach", "1"], "KIND:NAME"),
                                (["--on", "trader:zoe", "--measure", "groß", "--breach", "1"], "--measure"),
                                (["--on", "trader:zoe", "--measure", "gross", "--breach", "much"], "--breach")):
            self.assertIn(word, self.run_cli("limit", "set", "x", *arguments, expect=USAGE).stderr)
        self.run_cli("limit", "set", "x", "--on", "trader:nobody", "--measure", "gross", "--breach", "1", expect=REFUSED)
        self.assertIn("bookmark", self.run_cli("alerts", "--follow", "--from", 10**9).stderr.lower())

    def test_following_ends_with_a_bookmark(self):
        follower = subprocess.Popen([binary(), "alerts", "--follow", "--server", self.server.address],
                                    stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.assertIn("following alerts", follower.stderr.readline())
        follower.send_signal(signal.SIGINT)
        _, err = follower.communicate(timeout=30)
        self.assertEqual(follower.returncode, DONE)
        self.assertRegex(err, r"halocline alerts --follow --from \d+")

    def test_end_of_day(self):
        self.run_cli("eod", "2026-11-24", expect=DONE)
        self.assertIn("STALE", self.run_cli("eod", "20261124", expect=DONE).stdout)
        self.run_cli("eod", "yesterday", expect=USAGE)
        self.run_cli("eod", "20261399", expect=REFUSED)

    # The server and its files ------------------------------------------------------------------------------------------------

    def test_status(self):
        text = self.run_cli("status", expect=DONE).stdout
        self.assertRegex(text, r"state +serving, up ")
        self.assertRegex(self.json_of("status", "--digest")["state_digest"], r"^[0-9a-f]{64}$")

    def test_journal_beside_the_running_server(self):
        self.trade("journaled", price="77.125")
        lines = self.run_cli("journal", "inspect", self.server.data, expect=DONE).stdout.splitlines()
        self.assertRegex(lines[0], r"^1  20\S+Z  FIRM name=Acme currency=USD$")
        self.assertTrue(any("trade_id=journaled" in line and "price=77.125" in line for line in lines))
        records = [json.loads(line) for line in self.run_cli("journal", "inspect", self.server.data, "--json", expect=DONE).stdout.splitlines()]
        self.assertEqual([record["seq"] for record in records], list(range(1, len(records) + 1)))
        two = self.run_cli("journal", "inspect", self.server.data, "--from", 2, "--limit", 2, expect=DONE).stdout.splitlines()
        self.assertEqual([line.split()[0] for line in two], ["2", "3"])
        self.assertIn("chain", self.run_cli("journal", "verify", self.server.data, expect=DONE).stdout)
        self.assertTrue(json.loads(self.run_cli("journal", "verify", self.server.data, "--json", expect=DONE).stdout)["ok"])
        self.assertIn("segment 1", self.run_cli("journal", "inspect", self.server.data, "--blocks", expect=DONE).stdout)
        self.run_cli("journal", "verify", "/no/such/directory", expect=NOT_FOUND)

    def test_the_journal_alone_gives_the_books_of_every_seq(self):
        with tempfile.TemporaryDirectory() as directory:
            server = Server(directory + "/data")
            path = pathlib.Path(directory, "floor.toml")
            path.write_text(FLOOR)
            self.run_cli("ref", "load", path, server=server.address, expect=DONE)
            said = []
            for price in ("10", "11", "12"):
                self.run_cli("price", "AAPL", price, server=server.address, expect=DONE)
                status = json.loads(self.run_cli("status", "--digest", "--json", server=server.address, expect=DONE).stdout)
                said.append((str(status["last_seq"]), status["state_digest"]))
                at = json.loads(self.run_cli("journal", "digest", directory + "/data", "--at", said[-1][0], "--json", expect=DONE).stdout)
                self.assertEqual((str(at["seq"]), at["state_digest"]), said[-1])
            self.assertEqual(server.stop(), 0)
            for seq, digest in said:
                self.assertIn(digest, self.run_cli("journal", "digest", directory + "/data", "--at", seq, expect=DONE).stdout)
            self.assertEqual(len({digest for _, digest in said}), 3)
            beyond = self.run_cli("journal", "digest", directory + "/data", "--at", "100000", expect=NOT_FOUND)
            self.assertIn("before 100000", beyond.stderr)

    def test_verify_finds_a_flipped_byte(self):
        with tempfile.TemporaryDirectory() as directory:
            server = Server(directory + "/data")
            path = pathlib.Path(directory, "floor.toml")
            path.write_text(FLOOR)
            self.run_cli("ref", "load", path, server=server.address, expect=DONE)
            self.assertEqual(server.stop(), 0)
            segment = next(pathlib.Path(directory).rglob("*.seg"))
            damaged = bytearray(segment.read_bytes())
            damaged[damaged.index(b"AAPL")] ^= 1
            segment.write_bytes(damaged)
            found = self.run_cli("journal", "verify", directory + "/data", expect=DAMAGED)
            self.assertRegex(found.stderr, r"\.seg at offset [\d,]+: ")

    def test_a_load_goes_on_over_a_crash_of_the_server(self):
        with tempfile.TemporaryDirectory() as directory:
            server = Server(directory + "/data")
            path = pathlib.Path(directory, "floor.toml")
            path.write_text(FLOOR)
            self.run_cli("ref", "load", path, server=server.address, expect=DONE)
            loader = subprocess.Popen([binary(), "trade", "--csv", "-", "--json", "--server", server.address], text=True,
                                      stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            row = "crash,{},b1,anna,cp,AAPL,BUY,1,1\n"
            loader.stdin.write("source,trade_id,book,trader,counterparty,instrument,side,quantity,price\n")
            loader.stdin.write("".join(row.format(i) for i in range(20000)))
            loader.stdin.flush()
            time.sleep(0.2)
            server.stop(signal.SIGKILL)
            server = Server(directory + "/data", port=server.address.split(":")[1])
            out, err = loader.communicate("".join(row.format(i) for i in range(20000, 40000)), timeout=60)
            summary = json.loads(out)
            self.assertEqual((loader.returncode, summary["refused_rows"], summary["unanswered"]), (DONE, 0, 0), err)
            self.assertEqual(sum(summary["outcomes"].values()), 40000)
            status = json.loads(self.run_cli("status", "--json", server=server.address, expect=DONE).stdout)
            self.assertEqual(status["live_trades"], 40000)
            self.assertEqual(server.stop(), 0)

    def test_a_follower_goes_on_when_the_server_was_away(self):
        with tempfile.TemporaryDirectory() as directory:
            server = Server(directory + "/data")
            path = pathlib.Path(directory, "floor.toml")
            path.write_text(FLOOR)
            self.run_cli("ref", "load", path, server=server.address, expect=DONE)
            self.run_cli("limit", "set", "g", "--on", "trader:*", "--measure", "gross", "--breach", "100", server=server.address, expect=DONE)
            follower = subprocess.Popen([binary(), "alerts", "--follow", "--count", "1", "--server", server.address],
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            follower.stderr.readline()  # it follows
            server.stop(signal.SIGKILL)
            self.assertIn("resuming, nothing is lost", follower.stderr.readline())
            time.sleep(1)
            server = Server(directory + "/data", port=server.address.split(":")[1])
            self.run_cli("trade", "--source", "s", "--id", "1", "--book", "b1", "--trader", "anna", "--counterparty", "cp", "--instrument",
                         "AAPL", "--side", "buy", "--quantity", "100", "--price", "10", server=server.address, expect=DONE)
            out, err = follower.communicate(timeout=30)
            self.assertEqual(follower.returncode, DONE, err)
            self.assertIn("RAISED BREACH  trader:anna gross 1,000.00", out)
            self.assertEqual(server.stop(), 0)

    def test_configuration(self):
        path = self.dir / "halocline.toml"
        path.write_text('[server]\nlisten = "127.0.0.1:7000"\n')
        self.assertIn("is right", self.run_cli("config", "check", "--config", path, expect=DONE).stdout)
        shown = json.loads(self.run_cli("config", "show", "--config", path, "--set", "journal.durability=os", "--json", expect=DONE).stdout)
        self.assertEqual(shown["journal.durability"], {"value": '"os"', "from": "--set"})
        self.assertIn("7000", shown["server.listen"]["value"])
        self.assertIn("[server]", self.run_cli("config", "show", "--example", expect=DONE).stdout)
        path.write_text('[server]\nlisen = "x"\n')
        self.assertIn("listen", self.run_cli("config", "check", "--config", path, expect=USAGE).stderr)
        self.assertIn("did you mean journal.durability?",
                      self.run_cli("config", "check", "--set", "journal.durabilty=os", expect=USAGE).stderr)
        self.assertIn("--set: journal.durability is \"maybe\"",
                      self.run_cli("config", "check", "--set", "journal.durability=maybe", expect=USAGE).stderr)
        self.run_cli("config", "check", "--config", "/no/such.toml", expect=USAGE)
        self.run_cli("serve", "--set", "journal.durability=maybe", expect=USAGE)

    def test_bench(self):
        result = self.json_of("bench", "--rate", "200", "--seconds", "0.5")
        self.assertEqual(result["trades"], 100)
        self.assertGreater(result["p50_us"], 0)

    # The command line -----------------------------------------------------------------------------------------------------------

    def test_nobody_is_there(self):
        for command in (["status"], ["nodes"], ["trade", "--source", "a", "--id", "b"], ["alerts", "--follow"], ["bench"], ["price", "A", "1"]):
            lost = self.run_cli(*command, "--server", "127.0.0.1:1", "--timeout", "2", expect=UNREACHABLE)
            self.assertIn("cannot reach 127.0.0.1:1: is `halocline serve` running?", lost.stderr)
            self.assertEqual(lost.stdout, "")

    def test_help_has_an_example_for_every_command(self):
        def visit(*path):
            text = self.run_cli(*path, "--help", expect=DONE).stdout
            self.assertRegex(text, r"Examples?:", path)
            block = text.split("Subcommands:")
            for name in re.findall(r"(?m)^  ([a-z]+) ", block[1].split("\n\n")[0]) if len(block) > 1 else []:
                visit(*path, name)
                seen.append(name)
        seen = []
        visit()
        self.assertTrue({"serve", "trade", "show", "ref", "limit", "remove", "completion"} <= set(seen), seen)

    def test_mistakes_get_a_suggestion(self):
        self.assertIn("did you mean `status`?", self.run_cli("statsu", expect=USAGE).stderr)
        self.assertIn("did you mean --quantity?", self.run_cli("trade", "--quantiy", "1", expect=USAGE).stderr)
        self.run_cli(expect=USAGE)
        self.assertIn("0.1.0", self.run_cli("--version", expect=DONE).stdout)

    def test_completion(self):
        for shell in ("bash", "zsh", "fish"):
            script = self.run_cli("completion", shell, expect=DONE).stdout
            self.assertIn("escalate-after", script)
        script = self.run_cli("completion", "bash", expect=DONE).stdout
        probe = script + "\nCOMP_WORDS=(halocline limit s); COMP_CWORD=2; _halocline; echo \"${COMPREPLY[@]}\""
        done = subprocess.run(["bash", "-c", probe], capture_output=True, text=True)
        self.assertEqual(done.stdout.split(), ["set"], done.stderr)
        self.run_cli("completion", "tcsh", expect=USAGE)


if __name__ == "__main__":
    unittest.main()
