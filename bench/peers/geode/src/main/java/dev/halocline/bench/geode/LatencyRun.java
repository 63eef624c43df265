package dev.halocline.bench.geode;

import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.Lock;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;
import org.HdrHistogram.Histogram;
import org.apache.geode.cache.Region;

/**
 * The open loop: trade i is planned at start + i / rate whatever happened before it, and its latency counts
 * from there. Of the sender threads one holds the turn: it waits for the next trade to be due, takes every
 * trade that is due by then (up to maxBatch), gives the turn on and sends: put for one, putAll for several.
 * So a server that falls behind is offered batches, as a good client would do.
 */
final class LatencyRun {
  /** Trades still unsent this long after the last was due are given up: the rate was not sustained. */
  private static final long GRACE_NS = TimeUnit.SECONDS.toNanos(2);
  private static final long EVENT_TIMEOUT_MS = 5_000;
  /** Sustained means that in the last second at least one event was this fast: no standing queue. */
  private static final long NO_QUEUE_NS = TimeUnit.MILLISECONDS.toNanos(50);

  /** What the measured seconds came to. Latencies in nanoseconds; trades given up count with what they had waited. */
  record Result(Histogram latencies, long sent, long unsent, long events, long missed, long duplicates,
      double meanBatch, boolean keptUp) {}

  private final Region<String, Trade> trades;
  private final EventSink sink;
  private final long rate;
  private final long origin;
  private final long first;
  private final long end;
  private final int maxBatch;
  private final Lock turn = new ReentrantLock();
  private final AtomicReference<Throwable> failure = new AtomicReference<>();
  private long startNs;
  private long next;
  private long batches;

  /** Starts with trade origin; those of the first second are not counted. */
  LatencyRun(Region<String, Trade> trades, EventSink sink, long origin, long rate, int seconds, int maxBatch) {
    this.trades = trades;
    this.sink = sink;
    this.rate = rate;
    this.origin = origin;
    this.first = Workload.nextHot(origin + rate);
    this.end = first + rate * seconds;
    this.maxBatch = maxBatch;
    this.next = origin;
  }

  /** The first hot trade after this run's. */
  long endTrade() {
    return Workload.nextHot(end);
  }

  Result run(int threads) throws InterruptedException {
    sink.expect(first, end, Math.max(first, end - rate));
    startNs = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(100);
    Thread[] senders = new Thread[threads];
    for (int t = 0; t < threads; t++) {
      senders[t] = new Thread(this::sendAll, "sender-" + t);
      senders[t].start();
    }
    for (Thread sender : senders) {
      sender.join();
    }
    if (failure.get() != null) {
      throw new IllegalStateException("a sender failed", failure.get());
    }
    long sentEnd = Math.max(first, next);
    long sentHot = Workload.hotBefore(sentEnd) - Workload.hotBefore(first);
    sink.awaitEvents(sentHot, EVENT_TIMEOUT_MS);
    return result(sentEnd, sentHot);
  }

  private Result result(long sentEnd, long sentHot) {
    long now = System.nanoTime();
    long events = sink.events();
    Histogram latencies = sink.latencies();
    for (long i = first; i < end; i += Workload.HOT_EVERY) {
      if (!sink.arrived(i)) {
        latencies.recordValue(now - planned(i));
      }
    }
    long unsent = end - sentEnd;
    long missed = sentHot - events;
    boolean keptUp = unsent == 0 && missed == 0 && sink.tailMinNs() <= NO_QUEUE_NS;
    double meanBatch = batches == 0 ? 0 : (double) (next - origin) / batches;
    return new Result(latencies, sentEnd - first, unsent, events, missed, sink.duplicates(), meanBatch, keptUp);
  }

  private void sendAll() {
    try {
      while (failure.get() == null) {
        long from;
        long to;
        turn.lock();
        try {
          from = next;
          if (from >= end) {
            return;
          }
          long now = waitUntil(planned(from));
          if (now > planned(end) + GRACE_NS) {
            return;
          }
          to = Math.min(end, Math.min(from + maxBatch, due(now)));
          next = to;
          batches++;
        } finally {
          turn.unlock();
        }
        send(from, to);
      }
    } catch (Throwable e) {
      failure.compareAndSet(null, e);
    }
  }

  private void send(long from, long to) {
    if (to - from == 1) {
      trades.put(Workload.key(from), Workload.trade(from, planned(from)));
      return;
    }
    Map<String, Trade> batch = new HashMap<>((int) (to - from) * 2);
    for (long i = from; i < to; i++) {
      batch.put(Workload.key(i), Workload.trade(i, planned(i)));
    }
    trades.putAll(batch);
  }

  private long planned(long i) {
    return startNs + (i - origin) * TimeUnit.SECONDS.toNanos(1) / rate;
  }

  /** The first trade that is not due yet; at least one is due when waitUntil returned. */
  private long due(long now) {
    return origin + (now - startNs) * rate / TimeUnit.SECONDS.toNanos(1) + 1;
  }

  private static long waitUntil(long deadline) {
    long now = System.nanoTime();
    while (now < deadline) {
      LockSupport.parkNanos(deadline - now);
      now = System.nanoTime();
    }
    return now;
  }
}
