package dev.halocline.bench.geode;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import org.HdrHistogram.Histogram;
import org.apache.geode.cache.Region;
import org.apache.geode.cache.client.ClientCache;
import org.apache.geode.cache.client.ClientCacheFactory;
import org.apache.geode.cache.client.ClientRegionShortcut;
import org.apache.geode.cache.query.CqAttributesFactory;
import org.apache.geode.cache.query.QueryService;

/**
 * The load: {@code Client key=value...}; registers the query, runs latency and then throughput against the
 * server at port=, writes out= (JSON) and table= (text). All keys are read in main.
 */
public final class Client {
  private static final long SEED_TIMEOUT_MS = 10_000;
  private static final int PUTALL_WARMUP_SECONDS = 1;

  private Client() {}

  public static void main(String[] args) throws Exception {
    Map<String, String> options = new HashMap<>();
    for (String arg : args) {
      options.put(arg.substring(0, arg.indexOf('=')), arg.substring(arg.indexOf('=') + 1));
    }
    int port = number(options, "port");
    int rate = number(options, "rate");
    int seconds = number(options, "seconds");
    int warmup = number(options, "warmup");
    int throughputSeconds = number(options, "throughput-seconds");
    int cqs = number(options, "cqs");
    int senders = number(options, "senders");
    int maxBatch = number(options, "max-batch");
    int putAllThreads = number(options, "putall-threads");
    int putAllBatch = number(options, "putall-batch");
    Durability durability = Durability.parse(options.get("durability"));

    ClientCache cache = new ClientCacheFactory()
        .set("log-level", "warning")
        .set("log-file", options.get("log"))
        .set("statistic-sampling-enabled", "false")
        .addPoolServer("127.0.0.1", port)
        .setPoolSubscriptionEnabled(true)
        .setPoolSubscriptionRedundancy(0)
        .setPoolMinConnections(Math.max(senders, putAllThreads))
        .setPoolPRSingleHopEnabled(false) // one server: nothing to look up, and no extra thread for putAll
        .setPoolReadTimeout(60_000)
        .create();
    Trade.register();
    Exposure.register();
    Region<String, Trade> trades =
        cache.<String, Trade>createClientRegionFactory(ClientRegionShortcut.PROXY).create("trades");
    EventSink sink = new EventSink();
    registerQueries(cache, sink, cqs);
    trades.put(Workload.key(Workload.SEED), Workload.trade(Workload.SEED, System.nanoTime()));
    sink.awaitSeed(SEED_TIMEOUT_MS);

    ClosedLoop.Result warm = new ClosedLoop(trades, sink, 0, 1).run(senders, warmup);
    LatencyRun latency = new LatencyRun(trades, sink, warm.endTrade(), rate, seconds, maxBatch);
    LatencyRun.Result measured = latency.run(senders);
    warm = new ClosedLoop(trades, sink, latency.endTrade(), putAllBatch).run(putAllThreads, PUTALL_WARMUP_SECONDS);
    ClosedLoop.Result throughput =
        new ClosedLoop(trades, sink, warm.endTrade(), putAllBatch).run(putAllThreads, throughputSeconds);

    String json = json(durability, rate, seconds, cqs, measured, throughput);
    Files.writeString(Path.of(options.get("out")), json);
    Files.writeString(Path.of(options.get("table")), table(durability, rate, measured, throughput));
    cache.close();
  }

  /** The measured query, and further ones that never match: what Geode pays for each that is registered. */
  private static void registerQueries(ClientCache cache, EventSink sink, int cqs) throws Exception {
    QueryService queries = cache.getQueryService();
    for (int q = 0; q < cqs; q++) {
      long level = q == 0 ? Workload.LEVEL : Workload.LEVEL * 1_000 + q;
      CqAttributesFactory attributes = new CqAttributesFactory();
      attributes.addCqListener(sink);
      queries.newCq("exposure-" + q, "SELECT * FROM /exposure e WHERE e.exposure > " + level + "L", attributes.create())
          .execute();
    }
  }

  private static String json(Durability durability, int rate, int seconds, int cqs, LatencyRun.Result measured,
      ClosedLoop.Result throughput) {
    Histogram latencies = measured.latencies();
    return String.format(Locale.ROOT, """
        {
          "durability": "%s",
          "disk": "%s",
          "rate": %d,
          "cqs": %d,
          "kept_up": %b,
          "metrics": {
            "p50_us": %.1f,
            "p99_us": %.1f,
            "p999_us": %.1f,
            "max_us": %.1f,
            "trades_per_s": %.0f,
            "seconds": %d,
            "sent": %d,
            "unsent": %d,
            "events": %d,
            "missed": %d,
            "duplicates": %d,
            "mean_batch": %.2f,
            "throughput_events": %d,
            "throughput_missed": %d
          }
        }
        """, name(durability), durability.description, rate, cqs, measured.keptUp(),
        micros(latencies.getValueAtPercentile(50)), micros(latencies.getValueAtPercentile(99)),
        micros(latencies.getValueAtPercentile(99.9)), micros(latencies.getMaxValue()), throughput.tradesPerSecond(),
        seconds, measured.sent(), measured.unsent(), measured.events(), measured.missed(), measured.duplicates(),
        measured.meanBatch(), throughput.events(), throughput.missed());
  }

  private static String table(Durability durability, int rate, LatencyRun.Result measured,
      ClosedLoop.Result throughput) {
    Histogram latencies = measured.latencies();
    String table = String.format(Locale.ROOT, "%-8s %8s %10s %10s %10s %10s %8s %7s %8s %12s%n", "geode", "rate/s",
        "p50 us", "p99 us", "p99.9 us", "max us", "events", "missed", "kept up", "putAll/s");
    table += String.format(Locale.ROOT, "%-8s %8d %10.0f %10.0f %10.0f %10.0f %8d %7d %8s %12.0f%n", name(durability),
        rate, micros(latencies.getValueAtPercentile(50)), micros(latencies.getValueAtPercentile(99)),
        micros(latencies.getValueAtPercentile(99.9)), micros(latencies.getMaxValue()), measured.events(),
        measured.missed(), measured.keptUp() ? "yes" : "NO", throughput.tradesPerSecond());
    if (!measured.keptUp()) {
      long lost = measured.unsent() + measured.missed();
      table += lost == 0 ? "the rate was not sustained: a queue was standing to the end\n"
          : String.format("the rate was not sustained: %d trades never sent, %d events missed; percentiles are lower bounds%n",
              measured.unsent(), measured.missed());
    }
    return table;
  }

  private static String name(Durability durability) {
    return durability.name().toLowerCase(Locale.ROOT);
  }

  private static double micros(long ns) {
    return ns / 1_000.0;
  }

  private static int number(Map<String, String> options, String key) {
    String value = options.get(key);
    if (value == null) {
      throw new IllegalArgumentException("missing " + key + "=");
    }
    return Integer.parseInt(value);
  }
}
