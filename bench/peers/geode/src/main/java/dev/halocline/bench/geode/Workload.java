package dev.halocline.bench.geode;

/**
 * The workload of {@code bench/run peer-geode}: what trade number {@code i} is. A pure function of
 * {@code i}, so that the other side of the comparison generates the very same trades.
 *
 * <pre>
 *   traders       200, T000..T199; T000 is the hot one
 *   instruments   500, mark(k) = 50.00 + k mod 100, never moves
 *   books         40, counterparties 50
 *   trade i       r            = splitmix64(i)
 *                 trader       = T000 if i mod 100 = 0, else T(1 + r mod 199)
 *                 instrument   = (r >> 8)  mod 500
 *                 side         = bit 20 of r: 0 buys, 1 sells
 *                 quantity     = 1 + (r >> 24) mod 100, whole units
 *                 price        = mark - 0.50 + ((r >> 32) mod 100) / 100
 *                 book         = trader mod 40, counterparty = (r >> 40) mod 50
 *                 key          = "bench/" + i, version 1, NEW
 *   seed          one trade of T000 before everything else (i = -1, key "bench/-1"): buys
 *                 40,000,000 of instrument 0 at 50.00, which is 2,000,000,000
 *   exposure      of a trader, gross: the sum over instruments of |net quantity| x mark
 *   level         1,000,000,000. T000 stands at twice that from the seed on, so each of his trades
 *                 (1 % of all, one in each hundred) is one event of the continuous query; everybody
 *                 else stays far below it: 50,000 trades of a trader in one direction would not reach it
 * </pre>
 *
 * Units: a price and an exposure are int64 in hundredths of the currency, a quantity is whole units.
 */
final class Workload {
  static final int TRADERS = 200;
  static final int INSTRUMENTS = 500;
  static final int BOOKS = 40;
  static final int COUNTERPARTIES = 50;
  static final int HOT_TRADER = 0;
  static final int HOT_EVERY = 100;
  static final long SEED = -1;
  static final long SEED_QUANTITY = 40_000_000L;
  static final long LEVEL = 1_000_000_000L * 100;

  private static final String[] TRADER_NAMES = names();

  private Workload() {}

  static Trade trade(long i, long plannedNs) {
    if (i == SEED) {
      return new Trade(i, 1, HOT_TRADER, 0, 0, 0, Trade.BUY, SEED_QUANTITY, mark(0), plannedNs);
    }
    long r = splitmix64(i);
    int trader = isHot(i) ? HOT_TRADER : 1 + (int) Long.remainderUnsigned(r, TRADERS - 1);
    int instrument = (int) ((r >>> 8) % INSTRUMENTS);
    byte side = (r >>> 20 & 1) == 0 ? Trade.BUY : Trade.SELL;
    long quantity = 1 + (r >>> 24) % 100;
    long price = mark(instrument) - 50 + (r >>> 32) % 100;
    int counterparty = (int) ((r >>> 40) % COUNTERPARTIES);
    return new Trade(i, 1, trader, trader % BOOKS, counterparty, instrument, side, quantity, price, plannedNs);
  }

  static String key(long i) {
    return "bench/" + i;
  }

  static boolean isHot(long i) {
    return i % HOT_EVERY == 0;
  }

  /** How many of the trades [0, end) are the hot trader's. */
  static long hotBefore(long end) {
    return (end + HOT_EVERY - 1) / HOT_EVERY;
  }

  /** The first hot trade that is i or follows it. */
  static long nextHot(long i) {
    return hotBefore(i) * HOT_EVERY;
  }

  static long mark(int instrument) {
    return (50 + instrument % 100) * 100L;
  }

  static String traderName(int trader) {
    return TRADER_NAMES[trader];
  }

  /** Steele, Lea, Flood: Fast splittable pseudorandom number generators (2014), the output for state i + gamma. */
  static long splitmix64(long i) {
    long z = i + 0x9E3779B97F4A7C15L;
    z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
    z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
    return z ^ (z >>> 31);
  }

  private static String[] names() {
    String[] names = new String[TRADERS];
    for (int t = 0; t < TRADERS; t++) {
      names[t] = String.format("T%03d", t);
    }
    return names;
  }
}
