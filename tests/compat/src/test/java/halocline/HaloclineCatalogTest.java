package halocline;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import java.util.HashMap;
import org.apache.iceberg.CatalogProperties;
import org.apache.iceberg.catalog.CatalogTests;
import org.apache.iceberg.catalog.Namespace;
import org.apache.iceberg.catalog.TableIdentifier;
import org.apache.iceberg.rest.RESTCatalog;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;

/** Iceberg's tests of a catalog, on the server whose address and warehouse the system properties name. */
class HaloclineCatalogTest extends CatalogTests<RESTCatalog> {
  private static final String URI = System.getProperty("halocline.uri");
  private static final String WAREHOUSE = System.getProperty("halocline.warehouse");

  private static RESTCatalog catalog;

  @BeforeAll
  static void connect() {
    catalog = client("halocline", Map.of());
  }

  @AfterAll
  static void disconnect() throws Exception {
    catalog.close();
  }

  /** Each test begins with an empty catalog. */
  @BeforeEach
  void empty() {
    emptyBelow(Namespace.empty());
    assertThat(catalog.listNamespaces()).isEmpty();
  }

  private static void emptyBelow(Namespace parent) {
    for (Namespace space : catalog.listNamespaces(parent)) {
      catalog.listTables(space).forEach(table -> catalog.dropTable(table, false));
      emptyBelow(space);
      catalog.dropNamespace(space);
    }
  }

  private static RESTCatalog client(String name, Map<String, String> additional) {
    // What CatalogTests expects of the client: defaults and overrides for new tables.
    Map<String, String> properties = new HashMap<>();
    properties.put(CatalogProperties.TABLE_DEFAULT_PREFIX + "default-key1", "catalog-default-key1");
    properties.put(CatalogProperties.TABLE_DEFAULT_PREFIX + "default-key2", "catalog-default-key2");
    properties.put(CatalogProperties.TABLE_DEFAULT_PREFIX + "override-key3", "catalog-default-key3");
    properties.put(CatalogProperties.TABLE_OVERRIDE_PREFIX + "override-key3", "catalog-override-key3");
    properties.put(CatalogProperties.TABLE_OVERRIDE_PREFIX + "override-key4", "catalog-override-key4");
    properties.put(CatalogProperties.FILE_IO_IMPL, LocalFiles.class.getName());
    properties.putAll(additional);
    properties.put(CatalogProperties.URI, URI);
    RESTCatalog client = new RESTCatalog();
    client.initialize(name, properties);
    return client;
  }

  @Override
  protected RESTCatalog catalog() {
    return catalog;
  }

  @Override
  protected RESTCatalog initCatalog(String name, Map<String, String> additional) {
    return client(name, additional);
  }

  @Override
  protected boolean requiresNamespaceCreate() {
    return true;
  }

  @Override
  protected boolean supportsServerSideRetry() {
    return true;
  }

  @Override
  protected boolean supportsNestedNamespaces() {
    return true;
  }

  /** Locations lie in the warehouse, or are refused. */
  @Override
  protected String baseTableLocation(TableIdentifier table) {
    return WAREHOUSE + "/chosen/" + table.namespace() + "/" + table.name();
  }
}
