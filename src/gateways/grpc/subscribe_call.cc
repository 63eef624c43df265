#include "gateways/grpc/subscribe_call.h"

#include <algorithm>
#include <utility>

#include "base/limits.h"
#include "gateways/grpc/bytes.h"
#include "gateways/grpc/query_values.h"
#include "gateways/grpc/read_call.h"
#include "gateways/grpc/status_details.h"

namespace halocline::rpc {
namespace {

using Clock = std::chrono::steady_clock;

// A row's event that waits, in memory of its own.
struct WaitingEvent {
  explicit WaitingEvent(const RowEvent& of)
      : kind(of.kind), reason(of.reason), key(of.key), before(of.before), after(of.after), order(of.order) {}
  RowEvent view() const { return {kind, reason, key, before, after, order}; }

  RowEvent::Kind kind;
  RowReason reason;
  std::string key, before, after, order;
};

// `later` came after `known`, of one row: what both together did. False when they cancel out.
bool bring_together(WaitingEvent& known, const RowEvent& later) {
  using enum RowEvent::Kind;
  const bool was_there = known.kind != kInsert, is_there = later.kind != kDelete;
  if (!was_there && !is_there) return false;
  if (was_there && is_there && known.before == later.after) return false;
  known.kind = !was_there ? kInsert : is_there ? kUpdate : kDelete;
  known.after = later.after, known.order = later.order;
  known.reason = later.reason;
  return true;
}

}  // namespace

// One query of the stream. Its fields are the call's, guarded by the call's mutex.
class SubscribeCall::Subscription final : public QuerySubscriber {
 public:
  Subscription(std::shared_ptr<SubscribeCall> call, const v1::SubscribeRequest& request)
      : id(request.id()), conflates(request.when_slow() == v1::CONFLATE || request.at_most_every_ms() != 0),
        every(request.at_most_every_ms()), call_(std::move(call)) {}

  void started(QueryStart start) override {
    with_call([&](SubscribeCall&) {
      columns = std::move(start.columns);
      rows = std::move(start.rows);
      first = has_rows = true;
      goes_on = start.goes_on;
      seq = start.seq, time = start.time;
    });
  }
  bool offer(const std::shared_ptr<const QueryEvents>& events) override {
    bool room = true;
    with_call([&](SubscribeCall& call) {
      if (!conflates) {
        room = waiting.size() < call.calls_.options.subscriber_queue;
        if (room) waiting.push_back(events);
        return;
      }
      for (const RowEvent& event : events->rows) {
        const auto [at, is_new] = latest.try_emplace(std::string(event.key), event);
        if (!is_new && !bring_together(at->second, event)) latest.erase(at);
      }
      latest_seq = events->seq, latest_time = events->time;
    });
    return room;
  }
  void progress(Seq at, Nanos when) override {
    with_call([&](SubscribeCall&) { progress_seq = at, progress_time = when; });
  }
  void ended(const Status& why) override {
    with_call([&](SubscribeCall&) {
      end = why;
      if (why.code() == Code::kUnavailable) return;
      waiting.clear(), latest.clear(), rows.clear();  // there is a client to blame: it gets no more
      has_rows = false;
    });
  }

  // What goes next, with the call's lock held; false when there is nothing yet. `due` is when to ask again, if there will be something.
  bool next(v1::SubscribeMessage& message, std::optional<Clock::time_point>& due);
  bool over = false;  // its last message was given

  const std::uint64_t id;
  const bool conflates;
  const std::chrono::milliseconds every;
  bool queued = false;  // in ready_
  std::optional<ClientQuota::Place> place;  // given back when it ends

 private:
  template <class Change>
  void with_call(Change&& change) {
    const std::shared_ptr<SubscribeCall> call = call_.lock();
    if (call == nullptr) return;
    {
      const std::lock_guard lock(call->mutex_);
      if (call->finished_) return;
      change(*call);
      call->ready(*this);
    }
    call->calls_.outbox.post(call);
  }
  void put(v1::SubscribeMessage& message, Seq at, Nanos when) {
    message.set_id(id);
    message.set_seq(at);
    message.set_time_ns(when);
    told_seq = at;
  }
  void put_changes(v1::SubscribeMessage& message);

  const std::weak_ptr<SubscribeCall> call_;
  std::vector<ColumnType> columns;
  std::vector<KeptRow> rows;  // of the answer it begins with, those not sent yet from `rows_sent` on
  std::size_t rows_sent = 0;
  bool first = false, has_rows = false, goes_on = false;
  Seq seq = 0, told_seq = 0;
  Nanos time = 0;
  std::deque<std::shared_ptr<const QueryEvents>> waiting;
  std::size_t events_sent = 0;  // of the first of them
  std::map<std::string, WaitingEvent> latest;
  std::vector<WaitingEvent> sending;  // of a conflated message, from `events_sent` on
  Seq latest_seq = 0, progress_seq = 0, sending_seq = 0;
  Nanos latest_time = 0, progress_time = 0, sending_time = 0;
  Clock::time_point last_changes{};
  std::optional<Status> end;
};

bool SubscribeCall::Subscription::next(v1::SubscribeMessage& message, std::optional<Clock::time_point>& due) {
  if (has_rows) {
    put(message, seq, time);
    v1::SubscriptionRows& out = *message.mutable_rows();
    if (std::exchange(first, false)) to_proto(columns, *out.mutable_columns());
    const std::size_t until = std::min(rows.size(), rows_sent + kPageRows);
    for (; rows_sent < until; ++rows_sent) {
      v1::KeyedRow& row = *out.add_rows();
      row.set_key(rows[rows_sent].key);
      row.set_order(rows[rows_sent].order);
      to_proto(rows[rows_sent].row, columns, *row.mutable_row());
    }
    out.set_more(rows_sent < rows.size());
    out.set_goes_on(goes_on);
    if (rows_sent == rows.size()) rows = {}, has_rows = false;
    return true;
  }
  if (!waiting.empty()) {
    const QueryEvents& events = *waiting.front();
    put(message, events.seq, events.time);
    const std::size_t until = std::min(events.rows.size(), events_sent + kPageRows);
    for (; events_sent < until; ++events_sent) to_proto(events.rows[events_sent], columns, *message.mutable_changes()->add_changes());
    message.mutable_changes()->set_more(events_sent < events.rows.size());
    if (events_sent == events.rows.size()) waiting.pop_front(), events_sent = 0;
    return true;
  }
  if (sending.empty() && latest_seq != 0) {
    const Clock::time_point now = Clock::now();
    if (now < last_changes + every && !end) {
      due = last_changes + every;
    } else {
      last_changes = now;
      for (auto& [key, event] : latest) sending.push_back(std::move(event));
      latest.clear();
      sending_seq = std::exchange(latest_seq, 0), sending_time = latest_time;
    }
  }
  if (!sending.empty()) {
    put(message, sending_seq, sending_time);
    const std::size_t until = std::min(sending.size(), events_sent + kPageRows);
    for (; events_sent < until; ++events_sent) to_proto(sending[events_sent].view(), columns, *message.mutable_changes()->add_changes());
    message.mutable_changes()->set_more(events_sent < sending.size());
    if (events_sent == sending.size()) sending.clear(), events_sent = 0;
    return true;
  }
  if (end) {
    put(message, told_seq, 0);
    message.mutable_ended()->set_code(static_cast<int>(grpc_code(end->code())));
    message.mutable_ended()->set_message(end->message());
    over = true;
    return true;
  }
  if (progress_seq > told_seq && latest_seq == 0) {
    put(message, progress_seq, progress_time);
    message.mutable_progress();
    return true;
  }
  return false;
}

void SubscribeCall::start() {
  open();
  StartSendInitialMetadata();
  StartRead(&read_);
}

void SubscribeCall::OnReadDone(bool ok) {
  if (!ok) {  // the client has ended its side, or is gone
    finish(Lock(mutex_), grpc::Status::OK);
    return;
  }
  v1::SubscribeRequest request;
  if (!parse(read_, request)) {
    return finish(Lock(mutex_), invalid_argument({{"", "the request is no valid " + request.GetTypeName() +
                                                          ": damaged bytes, or text that is not UTF-8"}}));
  }
  take(request);
  const std::lock_guard lock(mutex_);
  if (!finished_) StartRead(&read_);
}

void SubscribeCall::take(const v1::SubscribeRequest& request) {
  SubscriptionPtr subscription;
  bool too_many = false, has_place = false;
  {
    Lock lock(mutex_);
    if (finished_) return;
    const auto known = subscriptions_.find(request.id());
    if (request.end()) {
      if (known == subscriptions_.end()) return;
      subscription = known->second;
      subscriptions_.erase(known);
      subscription->over = true;
      subscription->place.reset();
      lock.unlock();
      calls_.port->unwatch(subscription.get());
      return;
    }
    if (known != subscriptions_.end()) {
      return finish(std::move(lock), invalid_argument({{"id", "subscription " + std::to_string(request.id()) +
          " is in use on this stream"}}));
    }
    subscription = std::make_shared<Subscription>(std::static_pointer_cast<SubscribeCall>(shared_from_this()), request);
    subscriptions_.emplace(request.id(), subscription);
    too_many = subscriptions_.size() > limits::kMaxQueriesAStream;
    subscription->place = calls_.queries.take(client_);
    has_place = subscription->place.has_value();
  }
  std::vector<Violation> violations;
  QueryParameters parameters = to_parameters(request.parameters(), violations);
  if (!violations.empty()) {
    return subscription->ended(Status(Code::kInvalidArgument, violations[0].field + ": " + violations[0].description));
  }
  if (too_many) {
    return subscription->ended(Status(Code::kResourceExhausted, "a stream has at most " + std::to_string(limits::kMaxQueriesAStream) +
                                                                    " subscriptions"));
  }
  if (!has_place) {
    calls_.port->count("client_queries_refused", 1);
    return subscription->ended(Status(Code::kResourceExhausted, "the client " + client_ + " has " +
        std::to_string(calls_.options.client_queries) + " subscriptions already (limits.client_queries); end some of them first"));
  }
  WatchRequest watch{request.sql(), std::move(parameters), request.name(), std::nullopt};
  if (request.has_after_seq()) watch.after = request.after_seq();
  calls_.port->watch(std::move(watch), subscription);
  const std::lock_guard lock(mutex_);
  if (finished_) calls_.port->unwatch(subscription.get());  // finish() may have done so before the port knew of it
}

void SubscribeCall::ready(Subscription& subscription) {
  if (subscription.queued || subscription.over) return;
  const auto at = subscriptions_.find(subscription.id);
  if (at == subscriptions_.end() || at->second.get() != &subscription) return;
  subscription.queued = true;
  ready_.push_back(at->second);
}

void SubscribeCall::flush() { advance(Lock(mutex_)); }

bool SubscribeCall::take_next(grpc::ByteBuffer& bytes) {
  v1::SubscribeMessage message;
  bool any = false;
  for (std::size_t left = ready_.size(); left > 0 && !any; --left) {
    const SubscriptionPtr subscription = std::move(ready_.front());
    ready_.pop_front();
    subscription->queued = false;
    if (subscription->over) continue;
    std::optional<Clock::time_point> due;
    any = subscription->next(message, due);
    if (any || due) ready(*subscription);
    if (due && !any) calls_.outbox.post_at(*due, weak_from_this());
    if (!subscription->over) continue;
    subscription->place.reset();
    subscriptions_.erase(subscription->id);
  }
  if (any) bytes = to_bytes(message);
  return any;
}

// A message is held back, so that many go to the system together, only for one that is there and will be sent whatever happens: until
// the following one is taken nobody knows whether a subscription that is ready has something to say.
void SubscribeCall::advance(const Lock&) {
  if (finished_ || writing_) return;
  if (!follows_ && !take_next(following_)) return;
  write_.Swap(&following_);
  follows_ = take_next(following_);
  writing_ = true;
  StartWrite(&write_, follows_ ? grpc::WriteOptions().set_buffer_hint() : grpc::WriteOptions());
}

void SubscribeCall::OnWriteDone(bool ok) {
  Lock lock(mutex_);
  writing_ = false;
  if (ok) advance(lock);  // else the call is cancelled: OnCancel ends it
}

void SubscribeCall::OnCancel() { finish(Lock(mutex_), grpc::Status(grpc::StatusCode::CANCELLED, "cancelled")); }

void SubscribeCall::drain() { finish(Lock(mutex_), shutting_down()); }

void SubscribeCall::finish(Lock lock, grpc::Status status) {
  if (std::exchange(finished_, true)) return;
  const auto subscriptions = std::exchange(subscriptions_, {});
  ready_.clear();
  lock.unlock();
  for (const auto& [id, subscription] : subscriptions) {
    subscription->place.reset();
    calls_.port->unwatch(subscription.get());
  }
  Finish(std::move(status));
}

}  // namespace halocline::rpc
