package dev.halocline.bench.esper;

/**
 * The four kinds of statements, as SQL the other side registers and as EPL. Statement {@code k} of {@code n} is {@link #rule}; two of a kind
 * always differ. Esper has them as partitions of one context, begun by a {@link Rule} each: its own way to have very many alike. A statement
 * compiled once and deployed n times with parameters loads its classes n times, 10 ms each.
 */
enum Kind {
  /** {@code SELECT … FROM trades WHERE trader = t AND instrument = i}: of 100,000 exactly one takes a trade. */
  EQUALITY("select id, quantity, price from Trade(trader = context.r.trader and instrument = context.r.instrument)") {
    @Override
    Rule rule(int k, int n) {
      return Rule.ofPair(Workload.trader(k % Workload.TRADERS), Workload.instrument(k / Workload.TRADERS % Workload.INSTRUMENTS));
    }
  },

  /**
   * {@code SELECT … FROM trades WHERE price >= low AND price < high}: the lows lie evenly over the prices, each range is ten such steps
   * wide, so about ten take a trade, whatever n is (one alone takes all).
   */
  RANGE("select id, quantity, price from Trade(price in [context.r.low : context.r.high))") {
    @Override
    Rule rule(int k, int n) {
      double step = (double) Workload.PRICES / n;
      double low = Workload.LEAST_PRICE + k * step;
      return Rule.ofRange(low, low + 10 * step);
    }
  },

  /**
   * {@code SELECT trader, SUM(notional) FROM trades WHERE instrument = i AND book = b GROUP BY trader HAVING SUM(notional) > level}: 20,000
   * pairs; of 100,000 statements five take a trade, with levels 0.00, 10,000.00, … 40,000.00.
   */
  GROUPED_SUM(
      "select trader, sum(notional) as total from Trade(instrument = context.r.instrument and book = context.r.book) "
          + "group by trader having sum(notional) > context.r.level") {
    @Override
    Rule rule(int k, int n) {
      return Rule.ofBook(instrumentOf(k), bookOf(k), k / PAIRS * 10_000_00L, 0);
    }
  },

  /**
   * {@code SELECT trade_id, notional FROM trades WHERE instrument = i AND book = b AND quantity > least ORDER BY notional DESC LIMIT 10}, with
   * least 0 to 4.
   */
  TOP_10(
      "select irstream id, notional from Trade(instrument = context.r.instrument and book = context.r.book and quantity > context.r.least)"
          + "#sort(10, notional desc, id asc)") {
    @Override
    Rule rule(int k, int n) {
      return Rule.ofBook(instrumentOf(k), bookOf(k), 0, k / PAIRS);
    }
  };

  private static final int PAIRS = Workload.INSTRUMENTS * Workload.BOOKS;

  private final String select;

  Kind(String select) {
    this.select = select;
  }

  String epl() {
    return "create context PerRule initiated by Rule as r; context PerRule " + select + ";";
  }

  abstract Rule rule(int k, int n);

  private static String instrumentOf(int k) {
    return Workload.instrument(k % Workload.INSTRUMENTS);
  }

  private static String bookOf(int k) {
    return Workload.book(k / Workload.INSTRUMENTS % Workload.BOOKS);
  }

  String key() {
    return name().toLowerCase(java.util.Locale.ROOT);
  }
}
