package dev.halocline.bench.esper;

/**
 * The trades of {@code bench/run query-engine}: what trade number {@code i} is, from 0. A pure function, so that the other side of the
 * comparison handles the very same trades.
 *
 * <pre>
 *   traders      200, T000..T199        instruments  500, I000..I499        books  40, B00..B39
 *   trade i      r          = splitmix64(i)
 *                trader     = r mod 200
 *                instrument = (r >> 8)  mod 500
 *                book       = (r >> 20) mod 40
 *                quantity   = 1 + (r >> 28) mod 100, whole units
 *                price      = 50.00 + ((r >> 36) mod 10,000) / 100, so 50.00 to 149.99, evenly
 *                notional   = quantity x price
 *                side BUY, version 1, NEW
 * </pre>
 *
 * Shifts and remainders are unsigned. Units here: price and notional in hundredths of the currency.
 */
final class Workload {
  static final int TRADERS = 200;
  static final int INSTRUMENTS = 500;
  static final int BOOKS = 40;
  static final long LEAST_PRICE = 50_00;
  static final int PRICES = 10_000;

  private static final String[] TRADER_NAMES = names("T%03d", TRADERS);
  private static final String[] INSTRUMENT_NAMES = names("I%03d", INSTRUMENTS);
  private static final String[] BOOK_NAMES = names("B%02d", BOOKS);

  private Workload() {}

  static Trade trade(long i) {
    long r = splitmix64(i);
    return new Trade(
        i,
        trader(Long.remainderUnsigned(r, TRADERS)),
        instrument((r >>> 8) % INSTRUMENTS),
        book((r >>> 20) % BOOKS),
        1 + (r >>> 28) % 100,
        LEAST_PRICE + (r >>> 36) % PRICES);
  }

  static String trader(long number) {
    return TRADER_NAMES[(int) number];
  }

  static String instrument(long number) {
    return INSTRUMENT_NAMES[(int) number];
  }

  static String book(long number) {
    return BOOK_NAMES[(int) number];
  }

  /** Sebastiano Vigna's generator (public domain), with the state {@code i}. */
  static long splitmix64(long i) {
    long z = i + 0x9e3779b97f4a7c15L;
    z = (z ^ z >>> 30) * 0xbf58476d1ce4e5b9L;
    z = (z ^ z >>> 27) * 0x94d049bb133111ebL;
    return z ^ z >>> 31;
  }

  private static String[] names(String format, int count) {
    String[] names = new String[count];
    for (int i = 0; i < count; i++) {
      names[i] = String.format(format, i);
    }
    return names;
  }
}
