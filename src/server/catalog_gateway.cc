#include "server/catalog_gateway.h"

#include <algorithm>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include "gateways/http/http_gateway.h"
#include "history/catalog/rest_catalog.h"

namespace halocline {
namespace {

constexpr std::size_t kMostTokenBytes = 4'096;

class CatalogGateway final : public Gateway {
 public:
  CatalogGateway(const Config& config, Disk& disk, Lake& lake) : settings_(config.catalog), disk_(disk), lake_(lake) {}

  Status start(Port& port) override {
    Result<std::string> token = read_token();
    if (!token.ok()) return token.status();
    rest_.emplace(lake_.own_catalog(),
                  iceberg::RestCatalogOptions{token.take(), lake_.warehouse().root(), lake_.file_io(), lake_.client_credentials()});
    HttpOptions options;
    options.listen = settings_.listen;
    options.tls_certificate = settings_.tls_certificate;
    options.tls_key = settings_.tls_key;
    options.max_connections = settings_.connections;
    options.max_body_bytes = settings_.body_bytes;
    http_ = make_http_gateway(std::move(options), *rest_);
    return http_->start(port);
  }

  std::string address() const override { return (settings_.tls_certificate.empty() ? "http://" : "https://") + http_->address(); }
  void stop_accepting() override {
    if (http_ != nullptr) http_->stop_accepting();
  }
  void stop() override {
    if (http_ != nullptr) http_->stop();
  }

 private:
  // The first line of the file; nothing without one.
  Result<std::string> read_token() {
    if (settings_.token_file.empty()) return std::string();
    const Status unusable(Code::kInvalidArgument, "cannot use " + settings_.token_file + " as catalog.token_file: ");
    Result<std::unique_ptr<File>> file = disk_.open(settings_.token_file, Access::kRead);
    if (!file.ok()) return Status(unusable.code(), unusable.message() + file.status().message());
    std::string token(kMostTokenBytes, '\0');
    const Result<std::size_t> got = read_all(*file.value(), 0, std::as_writable_bytes(std::span(token)));
    if (!got.ok()) return got.status();
    token.resize(got.value());
    token.resize(std::min(token.find_first_of("\r\n"), token.size()));
    if (token.empty()) return Status(unusable.code(), unusable.message() + "it begins with an empty line");
    return token;
  }

  const decltype(Config::catalog) settings_;
  Disk& disk_;
  Lake& lake_;
  std::optional<iceberg::RestCatalog> rest_;
  std::unique_ptr<Gateway> http_;
};

}  // namespace

std::unique_ptr<Gateway> make_catalog_gateway(const Config& config, Disk& disk, Lake& lake) {
  return std::make_unique<CatalogGateway>(config, disk, lake);
}

}  // namespace halocline
