"""A Spark session with the catalog attached as `lake`, from what `tools/install-deps --long` (or `--bench`) has put into build/spark."""
import pathlib
import sys

SPARK = pathlib.Path(__file__).resolve().parents[2] / "build/spark"
sys.path.append(str(next(SPARK.glob("lib/python3*/site-packages"))))

from pyspark.sql import SparkSession  # noqa: E402


def session(uri, scratch, memory="1g"):
    """On two cores of this process's own JVM; `scratch` is a folder for its files."""
    jars = ",".join(str(jar) for jar in (SPARK / "jars").glob("*.jar"))
    made = (SparkSession.builder.master("local[2]").appName("halocline")
            .config("spark.jars", jars)
            .config("spark.driver.memory", memory)
            .config("spark.driver.host", "127.0.0.1")
            .config("spark.driver.bindAddress", "127.0.0.1")
            .config("spark.ui.enabled", "false")
            .config("spark.ui.showConsoleProgress", "false")
            .config("spark.sql.shuffle.partitions", "2")
            .config("spark.sql.session.timeZone", "UTC")
            .config("spark.local.dir", str(scratch))
            .config("spark.sql.warehouse.dir", str(scratch))
            .config("spark.sql.extensions", "org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions")
            .config("spark.sql.catalog.lake", "org.apache.iceberg.spark.SparkCatalog")
            .config("spark.sql.catalog.lake.type", "rest")
            .config("spark.sql.catalog.lake.uri", uri)
            .config("spark.sql.catalog.lake.cache-enabled", "false")
            .getOrCreate())
    made.sparkContext.setLogLevel("ERROR")
    return made
