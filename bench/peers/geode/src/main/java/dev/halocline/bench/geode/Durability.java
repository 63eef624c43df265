package dev.halocline.bench.geode;

import java.io.File;
import java.util.Locale;
import org.apache.geode.cache.Cache;
import org.apache.geode.cache.RegionFactory;
import org.apache.geode.cache.RegionShortcut;

/** What an acknowledged trade has survived; the names are those of our own server. */
enum Durability {
  /** Nothing: the region lives in the heap. */
  MEMORY("partitioned region without persistence"),
  /** Geode's asynchronous disk store: queued in the JVM, written within a second (its default), never forced. */
  OS("persistent partitioned region, asynchronous disk store (default time-interval 1000 ms), not forced"),
  /** Geode's synchronous disk store as it is by default: written to the page cache before the ack, not forced. */
  WRITE("persistent partitioned region, synchronous disk store, not forced (Geode's default)"),
  /**
   * As WRITE, and each write forced, by the system property below. The manual ("Modifying Geode to Flush Buffers on
   * Disk Writes") says what it does: oplogs are opened "rwd", O_DSYNC. Oplog.flush in 1.15.1 also forces both files
   * of the oplog after each write. There is no group commit: each trade of a putAll is forced by itself.
   */
  FSYNC("persistent partitioned region, synchronous disk store, gemfire.syncWrites=true:"
      + " oplogs opened O_DSYNC, and fsync of both after each trade");

  private static final String SYNC_PROPERTY = "gemfire.syncWrites";
  private static final String STORE = "trades";

  final String description;

  Durability(String description) {
    this.description = description;
  }

  static Durability parse(String name) {
    return valueOf(name.toUpperCase(Locale.ROOT));
  }

  /** Geode reads the property once, in a static initializer: it must be on the command line. */
  void checkSystemProperty() {
    if (Boolean.getBoolean(SYNC_PROPERTY) != (this == FSYNC)) {
      throw new IllegalStateException(
          "durability " + this + " and -D" + SYNC_PROPERTY + "=" + System.getProperty(SYNC_PROPERTY) + " contradict");
    }
  }

  <K, V> RegionFactory<K, V> regionFactory(Cache cache, File dataDirectory) {
    if (this == MEMORY) {
      return cache.createRegionFactory(RegionShortcut.PARTITION);
    }
    cache.createDiskStoreFactory().setDiskDirs(new File[] {dataDirectory}).create(STORE);
    RegionFactory<K, V> factory = cache.createRegionFactory(RegionShortcut.PARTITION_PERSISTENT);
    return factory.setDiskStoreName(STORE).setDiskSynchronous(this != OS);
  }
}
