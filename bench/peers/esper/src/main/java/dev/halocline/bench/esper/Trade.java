package dev.halocline.bench.esper;

/** A trade as an Esper event: a bean of primitives and interned names. Money is int64 in hundredths of the currency. */
public final class Trade {
  private final long id;
  private final String trader;
  private final String instrument;
  private final String book;
  private final long quantity;
  private final long price;
  private final long notional;

  Trade(long id, String trader, String instrument, String book, long quantity, long price) {
    this.id = id;
    this.trader = trader;
    this.instrument = instrument;
    this.book = book;
    this.quantity = quantity;
    this.price = price;
    this.notional = quantity * price;
  }

  public long getId() {
    return id;
  }

  public String getTrader() {
    return trader;
  }

  public String getInstrument() {
    return instrument;
  }

  public String getBook() {
    return book;
  }

  public long getQuantity() {
    return quantity;
  }

  public long getPrice() {
    return price;
  }

  public long getNotional() {
    return notional;
  }
}
