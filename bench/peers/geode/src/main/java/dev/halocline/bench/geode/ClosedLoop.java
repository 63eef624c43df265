package dev.halocline.bench.geode;

import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.geode.cache.Region;

/**
 * The closed loop: each thread sends its next batch (putAll, or put when a batch is one trade) as soon as the
 * one before was acknowledged. It measures throughput, and it warms both JVMs before the open loop.
 */
final class ClosedLoop {
  private static final long EVENT_TIMEOUT_MS = 10_000;

  record Result(double tradesPerSecond, long events, long missed, long endTrade) {}

  private final Region<String, Trade> trades;
  private final EventSink sink;
  private final long first;
  private final int batch;
  private final AtomicLong next;
  private final AtomicReference<Throwable> failure = new AtomicReference<>();
  private long lastStartNs;

  /** first must be a hot trade. */
  ClosedLoop(Region<String, Trade> trades, EventSink sink, long first, int batch) {
    this.trades = trades;
    this.sink = sink;
    this.first = first;
    this.batch = batch;
    this.next = new AtomicLong(first);
  }

  /** No batch starts after these seconds; the rate is of all batches, up to the last acknowledgement. */
  Result run(int threads, int seconds) throws InterruptedException {
    sink.expect(first, Long.MAX_VALUE, Long.MAX_VALUE);
    long startNs = System.nanoTime();
    lastStartNs = startNs + TimeUnit.SECONDS.toNanos(seconds);
    Thread[] senders = new Thread[threads];
    for (int t = 0; t < threads; t++) {
      senders[t] = new Thread(this::sendAll, "sender-" + t);
      senders[t].start();
    }
    for (Thread sender : senders) {
      sender.join();
    }
    double elapsed = (System.nanoTime() - startNs) / 1e9;
    if (failure.get() != null) {
      throw new IllegalStateException("a sender failed", failure.get());
    }
    long hot = Workload.hotBefore(next.get()) - Workload.hotBefore(first);
    sink.awaitEvents(hot, EVENT_TIMEOUT_MS);
    long events = sink.events();
    return new Result((next.get() - first) / elapsed, events, hot - events, Workload.nextHot(next.get()));
  }

  private void sendAll() {
    try {
      long now = System.nanoTime();
      while (now < lastStartNs && failure.get() == null) {
        long from = next.getAndAdd(batch);
        send(from, now);
        now = System.nanoTime();
      }
    } catch (Throwable e) {
      failure.compareAndSet(null, e);
    }
  }

  private void send(long from, long now) {
    if (batch == 1) {
      trades.put(Workload.key(from), Workload.trade(from, now));
      return;
    }
    Map<String, Trade> all = new HashMap<>(batch * 2);
    for (long i = from; i < from + batch; i++) {
      all.put(Workload.key(i), Workload.trade(i, now));
    }
    trades.putAll(all);
  }
}
