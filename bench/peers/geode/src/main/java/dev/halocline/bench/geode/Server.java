package dev.halocline.bench.geode;

import java.io.File;
import org.apache.geode.cache.Cache;
import org.apache.geode.cache.CacheFactory;
import org.apache.geode.cache.Region;
import org.apache.geode.cache.RegionShortcut;
import org.apache.geode.cache.partition.PartitionRegionHelper;
import org.apache.geode.cache.server.CacheServer;

/**
 * One Geode server on loopback: {@code Server DURABILITY DATA_DIRECTORY}. When it can be connected to it
 * prints "ready PORT" and serves until its standard input ends, so it can't outlive what started it.
 *
 * Region exposure is derived data and stays in memory in every mode: a restart would recompute it from the
 * trades. A second disk write for each trade would be Geode's loss.
 */
public final class Server {
  private Server() {}

  public static void main(String[] args) throws Exception {
    Durability durability = Durability.parse(args[0]);
    File dataDirectory = new File(args[1]);
    durability.checkSystemProperty();

    Cache cache = new CacheFactory()
        .set("name", "peer")
        .set("mcast-port", "0")
        .set("locators", "")
        .set("bind-address", "127.0.0.1")
        .set("server-bind-address", "127.0.0.1")
        .set("jmx-manager", "false")
        .set("http-service-port", "0")
        .set("statistic-sampling-enabled", "false")
        .set("use-cluster-configuration", "false")
        .set("log-level", "warning")
        .set("log-file", new File(dataDirectory, "server.log").getPath())
        .create();
    Trade.register();
    Exposure.register();

    Region<String, Exposure> exposures =
        cache.<String, Exposure>createRegionFactory(RegionShortcut.REPLICATE).create("exposure");
    Region<String, Trade> trades = durability.<String, Trade>regionFactory(cache, dataDirectory)
        .addCacheListener(new ExposureListener(exposures))
        .create("trades");
    PartitionRegionHelper.assignBucketsToPartitions(trades);

    CacheServer server = cache.addCacheServer();
    server.setBindAddress("127.0.0.1");
    server.setPort(0);
    server.start();

    System.out.println("ready " + server.getPort());
    System.out.flush();
    while (System.in.read() >= 0) {
      continue;
    }
    cache.close();
  }
}
