#include "gateways/grpc/read_call.h"

#include <utility>

namespace halocline::rpc {

void ReadCall::reply(grpc::ByteBuffer bytes) {
  {
    const std::lock_guard lock(mutex_);
    if (finished_) return;
    finished_ = true;
  }
  *response_ = std::move(bytes);
  Finish(grpc::Status::OK);
}

void ReadCall::fail(grpc::Status status) {
  {
    const std::lock_guard lock(mutex_);
    if (finished_) return;
    finished_ = true;
  }
  Finish(std::move(status));
}

void PageCall::reply(Pages pages) {
  {
    const std::lock_guard lock(mutex_);
    if (finished_) return;
    pages_ = std::move(pages);
  }
  write_next();
}

// One at a time: from reply(), then from OnWriteDone().
void PageCall::write_next() {
  last_ = !pages_(page_);
  const std::lock_guard lock(mutex_);
  if (!finished_) StartWrite(&page_);
}

void PageCall::fail(grpc::Status status) {
  {
    const std::lock_guard lock(mutex_);
    if (finished_) return;
    finished_ = true;
  }
  Finish(std::move(status));
}

void PageCall::OnWriteDone(bool ok) {
  if (!ok) {
    fail(grpc::Status(grpc::StatusCode::CANCELLED, "the client is gone"));
  } else if (last_) {
    fail(grpc::Status::OK);
  } else {
    write_next();
  }
}

void PageCall::OnDone() {
  calls_.give_back_listing();
  done();
}

}  // namespace halocline::rpc
