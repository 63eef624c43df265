#!/usr/bin/env python3
"""Independent gRPC clients against the real server: a client generated from the .proto files by grpc_tools, one that knows only
what reflection tells it, and the standard health client. None of them shares a line with the C++ client.

    HALOCLINE_BIN=build/release/halocline build/venv/bin/python tests/system/grpc_clients_test.py [-v]

The virtual environment is made by `tools/install-deps --test`.
"""
import os
import pathlib
import queue
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
import unittest
from decimal import Decimal

import grpc
from google.protobuf import descriptor_pool, json_format, message_factory
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase

ROOT = pathlib.Path(__file__).resolve().parents[2]
E8 = 100_000_000
TIMEOUT = 20  # seconds for one call; only a test that fails needs it

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import stubs  # noqa: E402,F401
from google.rpc import error_details_pb2, status_pb2  # noqa: E402
from halocline.v1 import (ingest_pb2, ingest_pb2_grpc, queries_pb2, queries_pb2_grpc, reference_pb2, reference_pb2_grpc, risk_pb2, risk_pb2_grpc,  # noqa: E402
                          types_pb2)


class Server:
    """A server of our own on a free port, with an empty data directory."""

    def __init__(self):
        binary = os.environ.get("HALOCLINE_BIN", str(ROOT / "build/release/halocline"))
        if not os.access(binary, os.X_OK):
            sys.exit(f"{binary} is not there: build it, or say where it is in HALOCLINE_BIN")
        self.home = tempfile.TemporaryDirectory(prefix="halocline-grpc-")
        self.data = pathlib.Path(self.home.name) / "data"
        self.log = open(pathlib.Path(self.home.name) / "log", "w+")
        env = {name: value for name, value in os.environ.items() if not name.startswith("HALOCLINE_")}
        env |= {"HALOCLINE_SERVER_LISTEN": "127.0.0.1:0", "HALOCLINE_SERVER_DATA_DIRECTORY": str(self.data),
                "HALOCLINE_FIRM_NAME": "Fathom", "HALOCLINE_FIRM_CURRENCY": "USD",
                "HALOCLINE_JOURNAL_SEGMENT_BYTES": str(4 << 20)}
        self.process = subprocess.Popen([binary, "serve"], cwd=self.home.name, env=env, stdout=self.log, stderr=self.log)
        serving = self.data / "serving"  # address and process id, a line each
        deadline = time.monotonic() + 300
        while not (serving.exists() and len(serving.read_text().splitlines()) >= 2):
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                sys.exit("the server does not serve:\n" + self.output())
            time.sleep(0.02)
        self.address = serving.read_text().splitlines()[0]

    def output(self):
        self.log.flush()
        return pathlib.Path(self.log.name).read_text()

    def stop(self):
        """SIGTERM; the exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        return self.process.returncode


def e8(text):
    return int(Decimal(text) * E8)


def trade(trade_id, **fields):
    values = dict(source="PY", trade_id=trade_id, version=1, action=ingest_pb2.NEW, book="Rates-1", trader="zoë", counterparty="Bank",
                  instrument="ACME", side=ingest_pb2.BUY, quantity_e8=e8("100"), price_e8=e8("10"), trade_time_ns=time.time_ns())
    return ingest_pb2.Trade(**(values | fields))


def error_details(error):
    """The google.rpc.Status that travels beside a gRPC status."""
    for key, value in error.trailing_metadata():
        if key == "grpc-status-details-bin":
            return status_pb2.Status.FromString(value)
    raise AssertionError("no status details")


def violations(error):
    bad = error_details(error)
    assert bad.code == error.code().value[0]
    request = error_details_pb2.BadRequest()
    assert bad.details[0].Unpack(request), bad
    return {one.field: one.description for one in request.field_violations}


def load_floor(channel):
    items = [dict(currency=dict(code="EUR", rate_e8=e8("1.1"))), dict(desk=dict(name="Rates")),
             dict(book=dict(name="Rates-1", desk="Rates")), dict(trader=dict(name="zoë", desk="Rates")),
             dict(counterparty=dict(name="Bank"))]
    for symbol, currency in (("ACME", "USD"), ("TINY", "EUR"), ("MANY", "USD"), ("HOT", "USD"), ("SEEN", "USD")):
        items.append(dict(instrument=dict(symbol=symbol, kind=reference_pb2.EQUITY, currency=currency, multiplier_e8=E8,
                                          sector="Widgets")))
    acks = reference_pb2_grpc.ReferenceStub(channel).Upsert(reference_pb2.UpsertRequest(items=items), timeout=TIMEOUT).acks
    assert [ack.outcome for ack in acks] == [types_pb2.ACCEPTED] * len(items), acks


class GrpcClients(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server()
        cls.channel = grpc.insecure_channel(cls.server.address)
        cls.ingest = ingest_pb2_grpc.IngestStub(cls.channel)
        cls.reference = reference_pb2_grpc.ReferenceStub(cls.channel)
        cls.risk = risk_pb2_grpc.RiskStub(cls.channel)
        load_floor(cls.channel)

    @classmethod
    def tearDownClass(cls):
        cls.channel.close()
        code = cls.server.stop()
        output = cls.server.output()
        cls.server.log.close()
        cls.server.home.cleanup()
        assert code == 0, f"the server ended with {code}:\n{output}"

    def fails(self, code, call, request):
        with self.assertRaises(grpc.RpcError) as caught:
            answer = call(request, timeout=TIMEOUT)
            if hasattr(answer, "__next__"):
                list(answer)
        self.assertEqual(caught.exception.code(), code, caught.exception)
        return caught.exception

    def position(self, instrument, kind=types_pb2.BOOK, node="Rates-1"):
        pages = list(self.risk.ListPositions(risk_pb2.ListPositionsRequest(kind=kind, node=node, instrument=instrument), timeout=TIMEOUT))
        rows = [row for page in pages for row in page.positions]
        self.assertEqual(len(rows), 1, rows)
        return rows[0]

    # Reference data -----------------------------------------------------------------------------------------------------

    def test_reference_data_comes_back(self):
        pages = list(self.reference.List(reference_pb2.ListReferenceRequest(), timeout=TIMEOUT))
        self.assertEqual((pages[0].firm.name, pages[0].firm.currency), ("Fathom", "USD"))
        items = [item for page in pages for item in page.items]
        euro = [item.currency for item in items if item.currency.code == "EUR"]
        self.assertEqual(euro[0].rate_e8, 110000000)
        tiny = [item.instrument for item in items if item.instrument.symbol == "TINY"][0]
        self.assertEqual((tiny.kind, tiny.currency, tiny.multiplier_e8, tiny.underlying, tiny.sector),
                         (reference_pb2.EQUITY, "EUR", E8, "TINY", "Widgets"))
        self.assertIn("zoë", [item.trader.name for item in items if item.HasField("trader")])

    def test_one_bad_item_does_not_stop_the_others(self):
        acks = self.reference.Upsert(reference_pb2.UpsertRequest(items=[
            dict(desk=dict(name="Rates")), dict(book=dict(name="Lost", desk="Nowhere")), dict(desk=dict(name="x" * 65)), {}]), timeout=TIMEOUT).acks
        self.assertEqual([ack.outcome for ack in acks],
                         [types_pb2.UNCHANGED, types_pb2.UNKNOWN_DESK, types_pb2.INVALID_NAME, types_pb2.INVALID_NAME])
        self.assertEqual(acks[1].detail, 'desk "Nowhere" is not known')
        self.assertEqual(acks[2].detail, "desk.name has 65 bytes, more than 64")
        self.assertEqual(acks[2].seq, 0)

    # Trades -------------------------------------------------------------------------------------------------------------

    def test_decimals_come_back_to_the_last_digit(self):
        quantity, price, fees = "123456789.87654321", "0.00000007", "-0.00000001"
        ack = self.ingest.SubmitTrade(trade("digits", instrument="TINY", quantity_e8=e8(quantity), price_e8=e8(price), fees_e8=e8(fees)),
                                      timeout=TIMEOUT)
        self.assertEqual((ack.outcome, ack.detail), (types_pb2.ACCEPTED, ""))
        state = self.risk.GetTrade(risk_pb2.GetTradeRequest(source="PY", trade_id="digits"), timeout=TIMEOUT)
        self.assertEqual((state.trade.quantity_e8, state.trade.price_e8, state.trade.fees_e8), (e8(quantity), e8(price), e8(fees)))
        self.assertEqual((state.trade.trader, state.live, state.seq, state.version_seq), ("zoë", True, ack.seq, ack.seq))
        self.assertGreaterEqual(state.at_seq, ack.seq)
        position = self.position("TINY")
        notional = (Decimal(quantity) * Decimal(price)).quantize(Decimal("1e-8"))
        self.assertEqual(Decimal(position.quantity), Decimal(quantity))
        self.assertEqual(Decimal(position.market_value), notional)
        self.assertEqual(Decimal(position.realised), -Decimal(fees))
        self.assertEqual(Decimal(position.total_pnl), Decimal(position.realised) + Decimal(position.unrealised))
        self.assertEqual((position.currency, position.mark_e8, position.trades), ("EUR", e8(price), 1))

    def test_many_queries_are_watched_on_one_stream(self):
        requests = queue.SimpleQueue()
        stream = queries_pb2_grpc.QueriesStub(self.channel).Subscribe(iter(requests.get, None), timeout=TIMEOUT)
        ask = lambda number, sql, **more: requests.put(queries_pb2.SubscribeRequest(id=number, sql=sql, **more))
        mine = "source = 'PY' AND trade_id IN ('seen1', 'seen2')"
        ask(1, f"SELECT trade_id, quantity FROM trades WHERE {mine}")
        ask(2, f"SELECT COUNT(*) AS n, SUM(quantity) AS q FROM trades WHERE {mine}")
        ask(3, "SELECT notonal FROM trades")

        def next_of(kind):
            for message in stream:
                if message.WhichOneof("what") == kind:
                    return message
        began = {}
        while len(began) < 3:
            message = next(stream)
            began[message.id] = message
        self.assertEqual(began[3].ended.code, grpc.StatusCode.INVALID_ARGUMENT.value[0])
        self.assertIn("did you mean notional?", began[3].ended.message)
        self.assertEqual([column.name for column in began[1].rows.columns], ["trade_id", "quantity"])
        self.assertFalse(began[1].rows.rows)
        self.assertEqual(began[2].rows.rows[0].row.values[0].int_value, 0)

        ack = self.ingest.SubmitTrade(trade("seen1", instrument="SEEN", quantity_e8=e8("7")), timeout=TIMEOUT)
        told = {}
        while len(told) < 2:
            message = next_of("changes")
            self.assertEqual(message.seq, ack.seq)
            told[message.id] = message.changes.changes[0]
        self.assertEqual(told[1].kind, queries_pb2.INSERT)
        self.assertEqual([value.WhichOneof("value") and getattr(value, value.WhichOneof("value")) for value in told[1].after.values], ["seen1", "7"])
        self.assertEqual(told[2].kind, queries_pb2.UPDATE)
        self.assertEqual((told[2].before.values[0].int_value, told[2].after.values[0].int_value), (0, 1))
        self.assertEqual(told[2].after.values[1].decimal_value, "7")

        # One ends; the other goes on, and what does not touch it is not told.
        requests.put(queries_pb2.SubscribeRequest(id=1, end=True))
        self.ingest.SubmitTrade(trade("unseen", instrument="SEEN"), timeout=TIMEOUT)
        ack = self.ingest.SubmitTrade(trade("seen1", instrument="SEEN", version=2, action=ingest_pb2.CANCEL, quantity_e8=0, price_e8=0), timeout=TIMEOUT)
        self.assertIn(ack.outcome, (types_pb2.ACCEPTED, types_pb2.TOMBSTONE))
        ack = self.ingest.SubmitTrade(trade("seen2", instrument="SEEN", quantity_e8=e8("2")), timeout=TIMEOUT)
        message = next_of("changes")
        while message.seq < ack.seq:
            message = next_of("changes")
        self.assertEqual((message.id, message.seq), (2, ack.seq))
        self.assertEqual(message.changes.changes[0].after.values[0].int_value, 2)
        requests.put(None)
        self.assertIsNone(next_of("ended"))
        self.assertEqual(stream.code(), grpc.StatusCode.OK)

    def test_changes_are_brought_together_by_row(self):
        requests = queue.SimpleQueue()
        stream = queries_pb2_grpc.QueriesStub(self.channel).Subscribe(iter(requests.get, None), timeout=TIMEOUT)
        requests.put(queries_pb2.SubscribeRequest(id=9, sql="SELECT COUNT(*) AS n FROM trades WHERE trade_id LIKE 'many-%'", at_most_every_ms=200))
        self.assertEqual(next(stream).rows.rows[0].row.values[0].int_value, 0)
        for i in range(50):
            self.ingest.SubmitTrade(trade(f"many-{i}", instrument="SEEN"), timeout=TIMEOUT)
        counts, messages = 0, 0
        for message in stream:
            if message.WhichOneof("what") != "changes":
                continue
            messages += 1
            change = message.changes.changes[0]
            self.assertEqual(change.before.values[0].int_value, counts)
            counts = change.after.values[0].int_value
            if counts == 50:
                break
        self.assertLess(messages, 50)
        requests.put(None)

    def test_a_query_is_exact_and_typed(self):
        ack = self.ingest.SubmitTrade(trade("asked", instrument="SEEN", quantity_e8=e8("0.5"), price_e8=e8("12.25")), timeout=TIMEOUT)
        request = queries_pb2.QueryRequest(sql="SELECT trade_id, quantity * price AS money, trade_time, live, seq FROM trades WHERE trade_id = $id",
                                           parameters={"id": queries_pb2.QueryValue(text_value="asked")})
        queries = queries_pb2_grpc.QueriesStub(self.channel)
        pages = list(queries.Query(request, timeout=TIMEOUT))
        self.assertEqual([(column.name, column.type) for column in pages[0].columns],
                         [("trade_id", queries_pb2.QUERY_TEXT), ("money", queries_pb2.QUERY_DECIMAL), ("trade_time", queries_pb2.QUERY_TIMESTAMP),
                          ("live", queries_pb2.QUERY_BOOL), ("seq", queries_pb2.QUERY_INT)])
        self.assertGreaterEqual(pages[0].seq, ack.seq)
        values = [getattr(value, value.WhichOneof("value")) for value in pages[0].rows[0].values]
        self.assertEqual(values[:2] + values[3:], ["asked", "6.125", True, ack.seq])
        error = self.fails(grpc.StatusCode.INVALID_ARGUMENT, lambda wanted, timeout: list(queries.Query(wanted, timeout=timeout)),
                           queries_pb2.QueryRequest(sql="SELECT notonal FROM trades"))
        self.assertIn("did you mean notional?", error.details())

    def test_outcomes_of_one_trade(self):
        def submit(**fields):
            return self.ingest.SubmitTrade(trade("life", instrument="MANY", trade_time_ns=7, **fields), timeout=TIMEOUT)

        first = submit(version=2)
        self.assertEqual(first.outcome, types_pb2.ACCEPTED)
        again = submit(version=2)
        self.assertEqual((again.outcome, again.first_seq), (types_pb2.DUPLICATE, first.seq))
        self.assertGreater(again.seq, first.seq)
        other = submit(version=2, price_e8=e8("11"))
        self.assertEqual((other.outcome, other.detail), (types_pb2.CONFLICT, "version 2 of trade PY/life was accepted with other content"))
        self.assertEqual(submit(version=1).outcome, types_pb2.STALE)
        self.assertEqual(submit(version=3, action=ingest_pb2.CANCEL).outcome, types_pb2.ACCEPTED)
        state = self.risk.GetTrade(risk_pb2.GetTradeRequest(source="PY", trade_id="life"), timeout=TIMEOUT)
        self.assertEqual((state.live, state.trade.version), (False, 3))

    def test_refusals_name_their_field(self):
        cases = [(dict(book="EQ9"), types_pb2.UNKNOWN_BOOK, 'book "EQ9" is not known'),
                 (dict(trader=""), types_pb2.UNKNOWN_TRADER, "trader is empty"),
                 (dict(counterparty="?"), types_pb2.UNKNOWN_COUNTERPARTY, 'counterparty "?" is not known'),
                 (dict(instrument="X"), types_pb2.UNKNOWN_INSTRUMENT, 'instrument "X" is not known'),
                 (dict(side=0), types_pb2.INVALID_SIDE, "side 0 is neither BUY nor SELL"),
                 (dict(action=9), types_pb2.INVALID_ACTION, "action 9 is none of NEW, AMEND and CANCEL"),
                 (dict(version=0), types_pb2.INVALID_VERSION, "version is 0; versions start at 1"),
                 (dict(quantity_e8=-1), types_pb2.INVALID_QUANTITY, "quantity_e8 is -0.00000001; it must be above 0"),
                 (dict(quantity_e8=2 * 10**18), types_pb2.OUT_OF_RANGE, "quantity_e8 20000000000 is out of range: at most 1e10")]
        for number, (fields, outcome, detail) in enumerate(cases):
            with self.subTest(detail):
                ack = self.ingest.SubmitTrade(trade(f"refused{number}", **fields), timeout=TIMEOUT)
                self.assertEqual((ack.outcome, ack.detail), (outcome, detail))

    def test_what_is_no_trade_is_an_error_with_details(self):
        error = self.fails(grpc.StatusCode.INVALID_ARGUMENT, self.ingest.SubmitTrade, trade("x", source="s" * 33))
        self.assertEqual(violations(error), {"source": "source has 33 bytes, more than 32"})
        # Bytes that no stub would send.
        raw = self.channel.unary_unary("/halocline.v1.Ingest/SubmitTrade")
        error = self.fails(grpc.StatusCode.INVALID_ARGUMENT, raw, b"\x0a\x02\xff\xfe")
        self.assertEqual(violations(error), {"source": "source is not UTF-8"})
        self.fails(grpc.StatusCode.INVALID_ARGUMENT, raw, b"\x0a\x7f")
        limit = self.channel.unary_unary("/halocline.v1.Risk/SetLimit")
        self.fails(grpc.StatusCode.INVALID_ARGUMENT, limit, b"\x0a\x02\xff\xfe")

    def test_an_unknown_trade_is_not_found(self):
        error = self.fails(grpc.StatusCode.NOT_FOUND, self.risk.GetTrade, risk_pb2.GetTradeRequest(source="PY", trade_id="never"))
        self.assertEqual(error.details(), "trade PY/never is not known")

    def test_a_stream_of_batches(self):
        batches = [ingest_pb2.TradeBatch(batch_id=1000 + b, trades=[
            trade(f"s{b}-{i}", instrument="ACME", quantity_e8=e8("1"), price_e8=e8("2.5"),
                  book="nowhere" if (b, i) == (7, 3) else "Rates-1", trader="t" * 65 if (b, i) == (7, 1) else "zoë")
            for i in range(40)]) for b in range(50)]
        answers = list(self.ingest.SubmitTrades(iter(batches), timeout=TIMEOUT))
        self.assertEqual([answer.batch_id for answer in answers], [batch.batch_id for batch in batches])
        seq = 0
        for number, answer in enumerate(answers):
            self.assertGreater(answer.first_seq, seq)
            seq = answer.first_seq
            self.assertEqual(answer.accepted, 38 if number == 7 else 40)
        bad = {one.index: one.ack for one in answers[7].exceptions}
        self.assertEqual(sorted(bad), [1, 3])
        self.assertEqual((bad[1].outcome, bad[1].seq, bad[1].detail), (types_pb2.INVALID_NAME, 0, "trader has 65 bytes, more than 64"))
        # What was refused by the gateway got no seq: the third of the request is the second that did.
        self.assertEqual((bad[3].outcome, bad[3].seq), (types_pb2.UNKNOWN_BOOK, answers[7].first_seq + 2))
        position = self.position("ACME", types_pb2.TRADER, "zoë")
        self.assertEqual((position.quantity, position.average_price, position.trades), ("1998", "2.5", 1998))

    def test_a_batch_that_is_none_ends_its_stream(self):
        batch = ingest_pb2.TradeBatch(batch_id=1, trades=[trade("big", book="b" * (2 << 20))])
        with self.assertRaises(grpc.RpcError) as caught:
            list(self.ingest.SubmitTrades(iter([batch]), timeout=TIMEOUT))
        self.assertEqual(caught.exception.code(), grpc.StatusCode.RESOURCE_EXHAUSTED)

    # Prices, measures, limits and alerts --------------------------------------------------------------------------------

    def test_prices(self):
        acks = self.ingest.PublishPrices(ingest_pb2.PriceBatch(
            batch_id=3, prices=[dict(instrument="HOT", price_e8=e8("1"), price_time_ns=10), dict(instrument="HOT", price_e8=e8("2"), price_time_ns=9),
                                dict(instrument="NONE", price_e8=1)], rates=[dict(currency="EUR", rate_e8=e8("1.1"))]), timeout=TIMEOUT)
        self.assertEqual((acks.batch_id, acks.accepted), (3, 2))
        self.assertEqual([(one.index, one.ack.outcome, one.ack.detail) for one in acks.exceptions],
                         [(1, types_pb2.STALE, ""), (2, types_pb2.UNKNOWN_INSTRUMENT, 'instrument "NONE" is not known')])

    def test_limits(self):
        limit = risk_pb2.Limit(name="tight", kind=types_pb2.COUNTERPARTY, node="Bank", measure=risk_pb2.GROSS,
                               warn="999999999999999999.99999999", breach="1000000000000000000", hysteresis_e8=e8("0.05"), hard=True,
                               owner="risk", escalate_after_ns=10**9)
        self.assertEqual(self.risk.SetLimit(limit, timeout=TIMEOUT).outcome, types_pb2.ACCEPTED)
        self.assertEqual(self.risk.SetLimit(limit, timeout=TIMEOUT).outcome, types_pb2.UNCHANGED)
        listed = [limit for page in self.risk.ListLimits(risk_pb2.ListLimitsRequest(), timeout=TIMEOUT) for limit in page.limits]
        self.assertIn(limit, listed)
        error = self.fails(grpc.StatusCode.INVALID_ARGUMENT, self.risk.SetLimit, risk_pb2.Limit(name="l", warn="1,5", breach="many"))
        self.assertEqual(set(violations(error)), {"warn", "breach"})
        ack = self.risk.SetLimit(risk_pb2.Limit(name="l", kind=types_pb2.BOOK, node="Lost", measure=risk_pb2.NET, breach="1"), timeout=TIMEOUT)
        self.assertEqual((ack.outcome, ack.detail), (types_pb2.UNKNOWN_NODE, 'book "Lost" is not known'))
        remove = risk_pb2.RemoveLimitRequest(name="tight")
        self.assertEqual(self.risk.RemoveLimit(remove, timeout=TIMEOUT).outcome, types_pb2.ACCEPTED)
        ack = self.risk.RemoveLimit(remove, timeout=TIMEOUT)
        self.assertEqual((ack.outcome, ack.detail), (types_pb2.UNKNOWN_LIMIT, 'limit "tight" is not known'))

    def test_from_a_trade_to_an_alert_and_its_acknowledgement(self):
        limit = risk_pb2.Limit(name="hot", kind=types_pb2.INSTRUMENT, node="HOT", measure=risk_pb2.GROSS, breach="1000", owner="desk head")
        self.assertEqual(self.risk.SetLimit(limit, timeout=TIMEOUT).outcome, types_pb2.ACCEPTED)
        messages = queue.Queue()
        following = self.risk.FollowAlerts(risk_pb2.FollowAlertsRequest(from_now=True), timeout=TIMEOUT)

        def follow():
            try:
                for message in following:
                    messages.put(message)
            except grpc.RpcError as error:
                messages.put(error)

        thread = threading.Thread(target=follow)
        thread.start()
        progress = messages.get(timeout=TIMEOUT)
        self.assertTrue(progress.HasField("progress"))

        self.ingest.PublishPrices(ingest_pb2.PriceBatch(prices=[dict(instrument="HOT", price_e8=e8("10.00000001"))]), timeout=TIMEOUT)
        ack = self.ingest.SubmitTrade(trade("hot", instrument="HOT", version=4), timeout=TIMEOUT)
        event = messages.get(timeout=TIMEOUT).event
        self.assertEqual((event.step, event.level, event.limit, event.node, event.owner),
                         (risk_pb2.RAISED, risk_pb2.BREACH, "hot", "HOT", "desk head"))
        self.assertEqual((event.value, event.threshold, event.seq), ("1000.000001", "1000", ack.seq))
        self.assertEqual((event.cause, event.cause_source, event.cause_trade_id, event.cause_version),
                         (risk_pb2.CAUSE_TRADE, "PY", "hot", 4))
        self.assertEqual(event.event_id, progress.progress.event_id + 1)

        wanted = risk_pb2.AckAlertRequest(alert_id=event.alert_id, by="zoë", note="hedging")
        self.assertEqual(self.risk.AckAlert(wanted, timeout=TIMEOUT).outcome, types_pb2.ACCEPTED)
        seen = messages.get(timeout=TIMEOUT).event
        self.assertEqual((seen.step, seen.alert_id, seen.by, seen.note), (risk_pb2.ACKNOWLEDGED, event.alert_id, "zoë", "hedging"))
        ack = self.risk.AckAlert(wanted, timeout=TIMEOUT)
        self.assertEqual((ack.outcome, ack.detail),
                         (types_pb2.ALREADY_ACKNOWLEDGED, f"alert {event.alert_id} is acknowledged already"))
        wanted = risk_pb2.ListAlertsRequest(kind=types_pb2.INSTRUMENT, node="HOT")
        active = [alert for page in self.risk.ListAlerts(wanted, timeout=TIMEOUT) for alert in page.alerts]
        self.assertEqual([(one.alert_id, one.acknowledged, one.last_event_id) for one in active], [(event.alert_id, True, seen.event_id)])

        following.cancel()
        self.assertEqual(messages.get(timeout=TIMEOUT).code(), grpc.StatusCode.CANCELLED)
        thread.join()

        # From a bookmark: what came after it, and nothing else.
        again = self.risk.FollowAlerts(risk_pb2.FollowAlertsRequest(after_event_id=event.event_id), timeout=TIMEOUT)
        self.assertEqual(next(again).progress.event_id, seen.event_id)
        self.assertEqual(next(again).event, seen)
        again.cancel()
        error = self.fails(grpc.StatusCode.OUT_OF_RANGE, self.risk.FollowAlerts, risk_pb2.FollowAlertsRequest(after_event_id=10**9))
        self.assertIn(str(10**9), error.details())

        nodes = [node for page in self.risk.ListNodes(risk_pb2.ListNodesRequest(kind=types_pb2.INSTRUMENT, name="HOT"), timeout=TIMEOUT)
                 for node in page.nodes]
        self.assertEqual([(node.name, node.gross, node.net, node.short) for node in nodes], [("HOT", "1000.000001", "1000.000001", "0")])

    def test_status(self):
        status = self.risk.GetStatus(risk_pb2.GetStatusRequest(with_digest=True), timeout=TIMEOUT)
        self.assertEqual((status.state, status.durability), ("serving", "fsync"))
        self.assertGreaterEqual(status.last_seq, status.durable_seq)
        self.assertEqual(len(status.state_digest), 64)

    # Without generated stubs --------------------------------------------------------------------------------------------

    def test_reflection_is_enough_to_call_a_method(self):
        database = ProtoReflectionDescriptorDatabase(self.channel)
        services = set(database.get_services())
        self.assertLessEqual({"halocline.v1.Ingest", "halocline.v1.Reference", "halocline.v1.Risk", "grpc.health.v1.Health",
                              "grpc.reflection.v1alpha.ServerReflection"}, services)
        pool = descriptor_pool.DescriptorPool(database)
        names = {method.name for service in services if service.startswith("halocline.")
                 for method in pool.FindServiceByName(service).methods}
        self.assertLessEqual({"SubmitTrade", "SubmitTrades", "Upsert", "FollowAlerts", "GetStatus"}, names)
        method = pool.FindServiceByName("halocline.v1.Reference").FindMethodByName("Upsert")
        request = message_factory.GetMessageClass(method.input_type)()
        json_format.ParseDict({"items": [{"desk": {"name": "Reflected"}}]}, request, descriptor_pool=pool)
        call = self.channel.unary_unary("/halocline.v1.Reference/Upsert", request_serializer=lambda m: m.SerializeToString(),
                                        response_deserializer=message_factory.GetMessageClass(method.output_type).FromString)
        answer = json_format.MessageToDict(call(request, timeout=TIMEOUT))
        self.assertEqual(answer["acks"][0]["outcome"], "ACCEPTED")

    def test_health(self):
        health = health_pb2_grpc.HealthStub(self.channel)
        for name in ("", "halocline.v1.Ingest", "halocline.v1.Reference", "halocline.v1.Risk", "halocline.v1.Queries"):
            answer = health.Check(health_pb2.HealthCheckRequest(service=name), timeout=TIMEOUT)
            self.assertEqual(answer.status, health_pb2.HealthCheckResponse.SERVING, name)
        self.fails(grpc.StatusCode.NOT_FOUND, health.Check, health_pb2.HealthCheckRequest(service="halocline.v1.None"))


class Drain(unittest.TestCase):
    def test_what_was_answered_is_there_after_a_stop_and_open_calls_end(self):
        server = Server()
        self.addCleanup(server.home.cleanup)
        self.addCleanup(server.log.close)
        self.addCleanup(server.stop)
        with grpc.insecure_channel(server.address) as channel:
            risk = risk_pb2_grpc.RiskStub(channel)
            following = risk.FollowAlerts(risk_pb2.FollowAlertsRequest(), timeout=TIMEOUT)
            self.assertTrue(next(following).HasField("progress"))
            hold = threading.Event()
            stream = ingest_pb2_grpc.IngestStub(channel).SubmitTrades(
                (batch for batch in self.batches(hold)), timeout=TIMEOUT)
            self.assertEqual(next(stream).batch_id, 1)
            started = time.monotonic()
            self.assertEqual(server.stop(), 0, server.output())
            self.assertLess(time.monotonic() - started, 15)
            for call in (following, stream):
                with self.assertRaises(grpc.RpcError) as caught:
                    list(call)
                self.assertEqual(caught.exception.code(), grpc.StatusCode.UNAVAILABLE, caught.exception)
            hold.set()

    @staticmethod
    def batches(hold):
        yield ingest_pb2.TradeBatch(batch_id=1, trades=[trade(str(random.random()))])
        hold.wait(TIMEOUT)


if __name__ == "__main__":
    unittest.main()
