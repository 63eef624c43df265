package dev.halocline.bench.geode;

import org.apache.geode.cache.EntryEvent;
import org.apache.geode.cache.Region;
import org.apache.geode.cache.util.CacheListenerAdapter;

/**
 * Keeps each trader's gross exposure, O(1) a trade. Geode calls it on the thread that serves the put,
 * after the entry is in the region (and, when persistence is synchronous, on disk) and before the put
 * is acknowledged: an acknowledged trade is always in its trader's exposure.
 *
 * Several puts run at once; one trader's updates are serialized by his own lock, held over the write to
 * the exposure region, so that the region never goes back to an older value.
 */
final class ExposureListener extends CacheListenerAdapter<String, Trade> {
  private static final class Trader {
    final long[] netQuantity = new long[Workload.INSTRUMENTS];
    long gross;
  }

  private final Region<String, Exposure> exposures;
  private final Trader[] traders = new Trader[Workload.TRADERS];

  ExposureListener(Region<String, Exposure> exposures) {
    this.exposures = exposures;
    for (int t = 0; t < traders.length; t++) {
      traders[t] = new Trader();
    }
  }

  @Override
  public void afterCreate(EntryEvent<String, Trade> event) {
    Trade trade = event.getNewValue();
    apply(trade, trade.signedQuantity());
  }

  @Override
  public void afterUpdate(EntryEvent<String, Trade> event) {
    Trade before = event.getOldValue();
    Trade after = event.getNewValue();
    apply(before, -before.signedQuantity());
    apply(after, after.signedQuantity());
  }

  @Override
  public void afterDestroy(EntryEvent<String, Trade> event) {
    Trade before = event.getOldValue();
    apply(before, -before.signedQuantity());
  }

  private void apply(Trade trade, long signedQuantity) {
    Trader trader = traders[trade.trader];
    String name = Workload.traderName(trade.trader);
    synchronized (trader) {
      long before = trader.netQuantity[trade.instrument];
      long after = before + signedQuantity;
      trader.netQuantity[trade.instrument] = after;
      trader.gross += (Math.abs(after) - Math.abs(before)) * Workload.mark(trade.instrument);
      exposures.put(name, new Exposure(name, trader.gross, trade.id, trade.plannedNs));
    }
  }
}
