#include "gateways/grpc/grpc_gateway.h"

#include <chrono>
#include <fstream>
#include <iterator>
#include <utility>

#include <absl/synchronization/mutex.h>
#include <google/protobuf/stubs/logging.h>
#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/health_check_service_interface.h>
#include <grpcpp/resource_quota.h>
#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>

#include "base/check.h"
#include "gateways/grpc/calls.h"
#include "gateways/grpc/services.h"

namespace halocline {
namespace {

constexpr auto kStopGrace = std::chrono::seconds(1);  // what open calls get to end by themselves in stop()
constexpr std::size_t kTransportBytes = 256u << 20;   // what gRPC's transports may hold in all
constexpr int kKeepaliveMs = 20'000;                  // a silent client is pinged after this …
constexpr int kKeepaliveTimeoutMs = 10'000;           // … and is gone when it does not answer in this
constexpr int kLeastPingMs = 5'000;                   // clients that ping more often are cut

Result<std::string> read_file(const std::string& path, const char* what) {
  std::ifstream file(path, std::ios::binary);
  std::string bytes((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  if (!file.is_open() || file.bad()) {
    return Status(Code::kNotFound, "cannot read the " + std::string(what) + " " + path + ": check the path and its rights");
  }
  return bytes;
}

Result<std::shared_ptr<grpc::ServerCredentials>> credentials(const GrpcOptions& options) {
  if (options.tls_certificate.empty() && options.tls_key.empty()) return grpc::InsecureServerCredentials();
  if (options.tls_certificate.empty() || options.tls_key.empty()) {
    return Status(Code::kInvalidArgument, "TLS needs both a certificate and a key; only one of them is configured");
  }
  Result<std::string> chain = read_file(options.tls_certificate, "TLS certificate");
  if (!chain.ok()) return chain.status();
  Result<std::string> key = read_file(options.tls_key, "TLS key");
  if (!key.ok()) return key.status();
  grpc::SslServerCredentialsOptions ssl;
  ssl.pem_key_cert_pairs.push_back({key.take(), chain.take()});
  return grpc::SslServerCredentials(ssl);
}

class GrpcGateway final : public Gateway {
 public:
  explicit GrpcGateway(const GrpcOptions& options) : calls_(options) {}
  ~GrpcGateway() override { stop(); }

  Status start(Port& port) override {
    const GrpcOptions& options = calls_.options;
    Result<std::shared_ptr<grpc::ServerCredentials>> security = credentials(options);
    if (!security.ok()) return security.status();
    calls_.port = &port;
    calls_.submitter.start(port);

    // Debian's gRPC looks for deadlocks whenever it locks, at a tenth of this process's time where trades come one by one.
    absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
    // A request that is no message is the client's affair, told to it and counted; protobuf would also write to stderr.
    google::protobuf::SetLogHandler(nullptr);
    grpc::EnableDefaultHealthCheckService(true);
    grpc::reflection::InitProtoReflectionServerBuilderPlugin();
    grpc::ServerBuilder builder;
    int bound = 0;
    builder.AddListeningPort(options.listen, security.take(), &bound);
    builder.SetMaxReceiveMessageSize(static_cast<int>(options.max_message_bytes));
    builder.SetResourceQuota(grpc::ResourceQuota("halocline").Resize(kTransportBytes));
    builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);  // else a second server would quietly share the port
    builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, static_cast<int>(options.max_streams));
    builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, kKeepaliveMs);
    builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, kKeepaliveTimeoutMs);
    builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
    builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, kLeastPingMs);
    services_ = rpc::make_services(calls_);
    for (const std::unique_ptr<grpc::Service>& service : services_) builder.RegisterService(service.get());
    calls_.outbox.start();
    delivers_for_ = &port;
    port.set_courier(&calls_.outbox);
    server_ = builder.BuildAndStart();
    const bool is_socket_file = options.listen.starts_with("unix:");
    if (server_ == nullptr || (bound == 0 && !is_socket_file)) {
      return Status(Code::kFailedPrecondition, "cannot listen on " + options.listen +
                                                   ": the address is in use, or not one of this machine; choose another");
    }
    address_ = is_socket_file ? options.listen : options.listen.substr(0, options.listen.rfind(':') + 1) + std::to_string(bound);
    for (const std::string& name : rpc::service_names()) server_->GetHealthCheckService()->SetServingStatus(name, true);
    return ok_status();
  }

  std::string address() const override { return address_; }

  void stop_accepting() override {
    if (server_ == nullptr) return;
    server_->GetHealthCheckService()->SetServingStatus(false);  // of all services
    calls_.begin_drain();
  }

  void stop() override {
    if (server_ != nullptr) {
      stop_accepting();
      // Calls that are open at the deadline are cancelled, which ends every one of them.
      server_->Shutdown(std::chrono::system_clock::now() + kStopGrace);
      server_->Wait();
    }
    if (Port* const port = std::exchange(delivers_for_, nullptr)) port->set_courier(nullptr);
    calls_.outbox.stop();
    server_.reset();
  }

 private:
  rpc::Calls calls_;
  Port* delivers_for_ = nullptr;  // the outbox is its courier
  std::vector<std::unique_ptr<grpc::Service>> services_;
  std::unique_ptr<grpc::Server> server_;
  std::string address_;
};

}  // namespace

std::unique_ptr<Gateway> make_grpc_gateway(const GrpcOptions& options) { return std::make_unique<GrpcGateway>(options); }

}  // namespace halocline
