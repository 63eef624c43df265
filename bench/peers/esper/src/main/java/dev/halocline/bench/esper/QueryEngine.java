package dev.halocline.bench.esper;

import com.espertech.esper.common.client.EPCompiled;
import com.espertech.esper.common.client.configuration.Configuration;
import com.espertech.esper.compiler.client.CompilerArguments;
import com.espertech.esper.compiler.client.EPCompileException;
import com.espertech.esper.compiler.client.EPCompilerProvider;
import com.espertech.esper.runtime.client.EPDeployException;
import com.espertech.esper.runtime.client.EPEventService;
import com.espertech.esper.runtime.client.EPRuntime;
import com.espertech.esper.runtime.client.EPRuntimeProvider;
import com.espertech.esper.runtime.client.EPStatement;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.concurrent.TimeUnit;

/**
 * Trades a second of one thread with n statements of one kind registered, for each kind and each n. Arguments: {@code FILE SECONDS WARMUP
 * N …}; the result goes to FILE as JSON, a table to standard output.
 */
final class QueryEngine {
  private static final int BATCH = 256; // trades between two looks at the clock

  // Made before the clock starts, as on our side; after the last one they come again.
  private static final int TRADES = 1 << 22;

  private final Trade[] trades = new Trade[TRADES];
  private final long seconds;
  private final long warmup;
  private final StringBuilder metrics = new StringBuilder();

  private QueryEngine(long seconds, long warmup) {
    this.seconds = seconds;
    this.warmup = warmup;
    for (int i = 0; i < TRADES; i++) {
      trades[i] = Workload.trade(i);
    }
  }

  public static void main(String[] args) throws IOException, EPCompileException, EPDeployException {
    QueryEngine bench = new QueryEngine(Long.parseLong(args[1]), Long.parseLong(args[2]));
    System.out.printf(Locale.ROOT, "%-12s %10s %14s %14s %12s%n", "kind", "statements", "trades/s", "rows/trade", "register s");
    for (Kind kind : Kind.values()) {
      for (int i = 3; i < args.length; i++) {
        bench.run(kind, Integer.parseInt(args[i]));
      }
    }
    String json = "{\"name\": \"esper\", \"version\": \"9.0.0\", \"metrics\": {" + bench.metrics.substring(2) + "}}\n";
    Files.writeString(Path.of(args[0]), json);
  }

  private void run(Kind kind, int n) throws EPCompileException, EPDeployException {
    Configuration configuration = new Configuration();
    configuration.getCommon().addEventType(Trade.class);
    configuration.getCommon().addEventType(Rule.class);
    configuration.getRuntime().getThreading().setInternalTimerEnabled(false);
    configuration.getRuntime().getThreading().setListenerDispatchPreserveOrder(false);
    configuration.getRuntime().getThreading().setInsertIntoDispatchPreserveOrder(false);
    EPCompiled compiled = EPCompilerProvider.getCompiler().compile(kind.epl(), new CompilerArguments(configuration));
    EPRuntime runtime = EPRuntimeProvider.getRuntime(kind.key() + n, configuration);
    EPStatement[] statements = runtime.getDeploymentService().deploy(compiled).getStatements();
    long[] rows = new long[1];
    statements[1].addListener(
        (news, olds, statement, from) -> rows[0] += (news == null ? 0 : news.length) + (olds == null ? 0 : olds.length));

    EPEventService events = runtime.getEventService();
    long start = System.nanoTime();
    for (int k = 0; k < n; k++) {
      events.sendEventBean(kind.rule(k, n), "Rule");
    }
    double registering = secondsSince(start);

    long sent = pump(events, 0, warmup);
    rows[0] = 0;
    start = System.nanoTime();
    long counted = pump(events, sent, seconds) - sent;
    double rate = counted / secondsSince(start);
    double told = (double) rows[0] / counted;
    System.out.printf(Locale.ROOT, "%-12s %10d %14.0f %14.4f %12.2f%n", kind.key(), n, rate, told, registering);
    String key = kind.key() + "_" + n;
    metrics.append(String.format(Locale.ROOT, ", \"%s_trades_per_s\": %.1f, \"%s_rows_per_trade\": %.6f, \"%s_register_s\": %.3f",
        key, rate, key, told, key, registering));
    runtime.destroy();
  }

  /** Sends trades from number {@code from} on for so many seconds; the number of the next one. */
  private long pump(EPEventService events, long from, long seconds) {
    long until = System.nanoTime() + TimeUnit.SECONDS.toNanos(seconds);
    long next = from;
    while (System.nanoTime() < until) {
      for (int i = 0; i < BATCH; i++) {
        events.sendEventBean(trades[(int) (next++ % TRADES)], "Trade");
      }
    }
    return next;
  }

  private static double secondsSince(long start) {
    return (System.nanoTime() - start) / 1e9;
  }
}
