// The Iceberg REST catalog API over a catalog: paths, bodies, pages, ETags and errors as rest-catalog-open-api.yaml of
// apache/iceberg says. docs/formats/catalog.md lists what is served.
//
// A pure translation; any thread. Whoever holds the sockets (gateways/http) has bounded the request before it comes here.
#pragma once

#include <string>

#include "base/http.h"
#include "history/catalog/table_catalog.h"

namespace halocline::iceberg {

struct RestCatalogOptions {
  std::string token;      // of the Authorization header, "Bearer …"; empty: everybody may
  std::string warehouse;  // its root: the only one a client may ask for by ?warehouse=
  Properties file_io;     // how clients reach the files, for the defaults of their configuration and for each table's
  Properties credentials;  // … and are let in: for each table's only
};

class RestCatalog final : public HttpHandler {
 public:
  // `catalog` outlives this.
  RestCatalog(TableCatalog& catalog, RestCatalogOptions options);

  HttpResponse answer(const HttpRequest& request) override;

 private:
  TableCatalog& catalog_;
  const RestCatalogOptions options_;
};

}  // namespace halocline::iceberg
