package dev.halocline.bench.geode;

import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;
import org.apache.geode.DataSerializable;
import org.apache.geode.Instantiator;

/**
 * The value in region {@code exposure}, keyed by trader: his gross exposure, the trade that made it so,
 * and when the client had planned to send that trade (its own clock, carried there and back).
 */
public final class Exposure implements DataSerializable {
  private static final int CLASS_ID = 4202;

  public String trader;
  public long exposure;
  public long tradeId;
  public long plannedNs;

  public Exposure() {}

  Exposure(String trader, long exposure, long tradeId, long plannedNs) {
    this.trader = trader;
    this.exposure = exposure;
    this.tradeId = tradeId;
    this.plannedNs = plannedNs;
  }

  static void register() {
    Instantiator.register(new Instantiator(Exposure.class, CLASS_ID) {
      @Override
      public DataSerializable newInstance() {
        return new Exposure();
      }
    });
  }

  @Override
  public void toData(DataOutput out) throws IOException {
    out.writeUTF(trader);
    out.writeLong(exposure);
    out.writeLong(tradeId);
    out.writeLong(plannedNs);
  }

  @Override
  public void fromData(DataInput in) throws IOException {
    trader = in.readUTF();
    exposure = in.readLong();
    tradeId = in.readLong();
    plannedNs = in.readLong();
  }
}
