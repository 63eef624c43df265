package dev.halocline.bench.geode;

import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;
import org.apache.geode.DataSerializable;
import org.apache.geode.Instantiator;

/**
 * The value in region {@code trades}: 45 bytes on the wire. DataSerializable with a registered
 * Instantiator is Geode's fastest serialization: a number instead of a class name, no reflection.
 */
public final class Trade implements DataSerializable {
  static final byte BUY = 0;
  static final byte SELL = 1;
  private static final int CLASS_ID = 4201;

  long id;
  int version;
  int trader;
  int book;
  int counterparty;
  int instrument;
  byte side;
  long quantity;
  long price;
  long plannedNs;

  public Trade() {}

  Trade(long id, int version, int trader, int book, int counterparty, int instrument, byte side, long quantity,
      long price, long plannedNs) {
    this.id = id;
    this.version = version;
    this.trader = trader;
    this.book = book;
    this.counterparty = counterparty;
    this.instrument = instrument;
    this.side = side;
    this.quantity = quantity;
    this.price = price;
    this.plannedNs = plannedNs;
  }

  /** Both processes call it once they have a cache and before the first trade. */
  static void register() {
    Instantiator.register(new Instantiator(Trade.class, CLASS_ID) {
      @Override
      public DataSerializable newInstance() {
        return new Trade();
      }
    });
  }

  long signedQuantity() {
    return side == BUY ? quantity : -quantity;
  }

  @Override
  public void toData(DataOutput out) throws IOException {
    out.writeLong(id);
    out.writeInt(version);
    out.writeShort(trader);
    out.writeShort(book);
    out.writeShort(counterparty);
    out.writeShort(instrument);
    out.writeByte(side);
    out.writeLong(quantity);
    out.writeLong(price);
    out.writeLong(plannedNs);
  }

  @Override
  public void fromData(DataInput in) throws IOException {
    id = in.readLong();
    version = in.readInt();
    trader = in.readUnsignedShort();
    book = in.readUnsignedShort();
    counterparty = in.readUnsignedShort();
    instrument = in.readUnsignedShort();
    side = in.readByte();
    quantity = in.readLong();
    price = in.readLong();
    plannedNs = in.readLong();
  }
}
