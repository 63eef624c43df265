package dev.halocline.bench.geode;

import java.util.BitSet;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.Lock;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BooleanSupplier;
import org.HdrHistogram.Histogram;
import org.apache.geode.cache.query.CqEvent;
import org.apache.geode.cache.query.CqListener;

/**
 * Receives the events of the measured query. Each hot trade in the range of interest must arrive exactly
 * once; its latency is arrival minus planned send time, both of this process's monotonic clock.
 * Geode calls onEvent on its one subscription thread; the other methods belong to the main thread.
 */
final class EventSink implements CqListener {
  private final Lock lock = new ReentrantLock();
  private final Condition arrived = lock.newCondition();
  private final Histogram latencies = new Histogram(TimeUnit.MINUTES.toNanos(10), 3);
  private final BitSet seen = new BitSet();
  private long firstTrade = Workload.SEED;
  private long endTrade = 0;
  private long tailStart;
  private long tailMin;
  private long duplicates;
  private boolean seedSeen;
  private Throwable failure;

  /** Starts counting trades [first, end) anew; the fastest of [tail, end) is also kept apart. */
  void expect(long first, long end, long tail) {
    lock.lock();
    try {
      firstTrade = first;
      endTrade = end;
      tailStart = tail;
      tailMin = Long.MAX_VALUE;
      duplicates = 0;
      seen.clear();
      latencies.reset();
    } finally {
      lock.unlock();
    }
  }

  @Override
  public void onEvent(CqEvent event) {
    long now = System.nanoTime();
    Exposure exposure = (Exposure) event.getNewValue();
    lock.lock();
    try {
      count(exposure, now);
      arrived.signalAll();
    } finally {
      lock.unlock();
    }
  }

  private void count(Exposure exposure, long now) {
    if (!exposure.trader.equals(Workload.traderName(Workload.HOT_TRADER)) || exposure.exposure <= Workload.LEVEL) {
      failure = new IllegalStateException("an event that should not be: " + exposure.trader + " " + exposure.exposure);
      return;
    }
    long trade = exposure.tradeId;
    if (trade == Workload.SEED) {
      seedSeen = true;
      return;
    }
    if (trade < firstTrade || trade >= endTrade) {
      return;
    }
    int slot = Math.toIntExact((trade - firstTrade) / Workload.HOT_EVERY);
    if (seen.get(slot)) {
      duplicates++;
      return;
    }
    seen.set(slot);
    long latency = now - exposure.plannedNs;
    latencies.recordValue(latency);
    if (trade >= tailStart) {
      tailMin = Math.min(tailMin, latency);
    }
  }

  @Override
  public void onError(CqEvent event) {
    lock.lock();
    try {
      failure = event.getThrowable() != null ? event.getThrowable() : new IllegalStateException("query error event");
      arrived.signalAll();
    } finally {
      lock.unlock();
    }
  }

  void awaitSeed(long timeoutMs) throws InterruptedException {
    await(() -> seedSeen, timeoutMs);
    if (!seedSeen) {
      throw new IllegalStateException("the seed trade made no event within " + timeoutMs + " ms");
    }
  }

  /** Waits until that many different events are in, or the time is over. */
  void awaitEvents(long count, long timeoutMs) throws InterruptedException {
    await(() -> seen.cardinality() >= count, timeoutMs);
  }

  private void await(BooleanSupplier done, long timeoutMs) throws InterruptedException {
    long left = TimeUnit.MILLISECONDS.toNanos(timeoutMs);
    lock.lock();
    try {
      while (!done.getAsBoolean() && failure == null && left > 0) {
        left = arrived.awaitNanos(left);
      }
      if (failure != null) {
        throw new IllegalStateException(failure);
      }
    } finally {
      lock.unlock();
    }
  }

  long events() {
    lock.lock();
    try {
      return seen.cardinality();
    } finally {
      lock.unlock();
    }
  }

  long duplicates() {
    lock.lock();
    try {
      return duplicates;
    } finally {
      lock.unlock();
    }
  }

  boolean arrived(long trade) {
    lock.lock();
    try {
      return seen.get(Math.toIntExact((trade - firstTrade) / Workload.HOT_EVERY));
    } finally {
      lock.unlock();
    }
  }

  /** The fastest event of the tail, or Long.MAX_VALUE when none came. */
  long tailMinNs() {
    lock.lock();
    try {
      return tailMin;
    } finally {
      lock.unlock();
    }
  }

  Histogram latencies() {
    lock.lock();
    try {
      return latencies.copy();
    } finally {
      lock.unlock();
    }
  }
}
