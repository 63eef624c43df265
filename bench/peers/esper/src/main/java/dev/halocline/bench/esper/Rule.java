package dev.halocline.bench.esper;

/** What a statement's parameters are; each kind reads some of them. Money in hundredths, as in {@link Trade}. */
public record Rule(String trader, String instrument, String book, double low, double high, long level, long least) {
  public String getTrader() {
    return trader;
  }

  public String getInstrument() {
    return instrument;
  }

  public String getBook() {
    return book;
  }

  public double getLow() {
    return low;
  }

  public double getHigh() {
    return high;
  }

  public long getLevel() {
    return level;
  }

  public long getLeast() {
    return least;
  }

  static Rule ofPair(String trader, String instrument) {
    return new Rule(trader, instrument, "", 0, 0, 0, 0);
  }

  static Rule ofRange(double low, double high) {
    return new Rule("", "", "", low, high, 0, 0);
  }

  static Rule ofBook(String instrument, String book, long level, long least) {
    return new Rule("", instrument, book, 0, 0, level, least);
  }
}
