#include "gateways/fix/session.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "base/limits.h"
#include "base/log.h"
#include "command/codec.h"

namespace halocline::fix {
namespace {

constexpr std::uint32_t kReserveAhead = 1'000;         // numbers reserved at a time,
constexpr std::uint32_t kReserveBelow = 500;           // … when so few are left
constexpr std::uint64_t kMostInFlight = 16'384;        // messages that are not durable yet
constexpr std::uint64_t kMostUnanswered = 1'024;       // messages whose reply is not on its way yet
constexpr std::size_t kMostResendRows = 250;           // messages resent at a time
// Leaves room for a message, its commands and the reply to it: they are durable together.
constexpr std::size_t kFullBatchBytes = limits::kMaxSubmissionBytes - Mapping::kMostCommands * 128 - 4 * limits::kMaxCommandBytes;
constexpr double kNanos = 1e9;

// Compares in a time that says nothing about where the texts differ.
bool same_secret(const std::string& a, const std::string& b) {
  unsigned char difference = a.size() == b.size() ? 0 : 1;
  for (std::size_t i = 0; i < a.size(); ++i) {
    difference = static_cast<unsigned char>(difference | (a[i] ^ (b.empty() ? '\0' : b[i % b.size()])));
  }
  return difference == 0;
}

// What the session layer reads as an int, by api/fix.
bool is_int_tag(int tag) {
  switch (tag) {
    case 7: case 16: case 34: case 36: case 45: case 90: case 93: case 95: case 98: case 108: case 212: case 369: case 371: case 373:
    case 383: case 384: case 627: case 630: case 789: case 1156:
      return true;
    default: return false;
  }
}

// Whether it begins with a number above kMaxFixNumber: one that the session layer would read as another.
bool is_too_large(std::string_view value) {
  if (value.starts_with('-')) value.remove_prefix(1);
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
  return error == std::errc::result_out_of_range || (error == std::errc() && number > limits::kMaxFixNumber);
}

// Whether a text that is no message holds one.
bool holds_too_large(std::string_view text) {
  std::size_t digits = 0;
  for (const char c : text) {
    digits = c >= '0' && c <= '9' ? digits + 1 : 0;
    if (digits > 9) return true;
  }
  return false;
}

bool is_number(std::string_view value) { return !value.empty() && value.find_first_not_of("0123456789") == std::string_view::npos; }

bool steers_numbers(std::string_view type) { return type == "A" || type == "5" || type == "2" || type == "4" || type == "3"; }

}  // namespace

Session::Session(const FixSessionTerms& terms, SessionHost& host, const Clock& clock, const FixLedgerRow& ledger)
    : terms_(terms), host_(host), clock_(clock), mapping_(terms.rules), next_in_(ledger.next_in), next_out_(ledger.next_out),
      durable_in_(ledger.next_in), reserved_(ledger.next_out), durable_reserved_(ledger.next_out),
      created_(ledger.created == 0 ? clock.wall() : ledger.created) {
  batch_.next_in = next_in_;
  machine_ = make_session_machine(terms_.machine, *this);
}

void Session::answer_what_is_left(const FixLedgerRow& ledger) {
  for (const FixUnanswered& left : ledger.unanswered) {
    if (left.records.empty()) continue;
    replies_.emplace_back(reply_to(left.records, left.told, terms_.rules), left.seq);
    ++unanswered_;
  }
  send_replies();
  flush();
}

std::string Session::refusal() const {
  if (stopping_) return "the server is stopping";
  if (outlet_ != nullptr) return "it is connected already, from " + address_;
  return machine_->in_schedule() ? "" : "it is out of its schedule";
}

void Session::attach(Outlet& outlet, std::string address, bool tls) {
  outlet_ = &outlet;
  address_ = std::move(address);
  tls_ = tls;
  machine_->connected();
}

void Session::lost(const std::string& why) {
  outlet_ = nullptr;
  resending_ = resend_pauses_ = false;
  last_event_ = why;
  trouble(why);
  machine_->lost();
  flush();
}

void Session::receive(std::string_view text, std::int64_t received) {
  ++received_;
  last_received_ = clock_.wall();
  received_at_ = received;
  if (allowance_ >= 1) allowance_ -= 1;
  if (!message_.parse(text)) {
    if (holds_too_large(text) || !machine_->receive(std::string(text))) garbled();
    return;
  }
  const auto too_large = [](const Field& field) { return is_int_tag(field.tag) && is_too_large(field.value); };
  if (std::any_of(message_.fields().begin(), message_.fields().end(), too_large)) {
    readable_ = without_too_large();
    text = readable_;
    if (!message_.parse(text)) return garbled();
  }
  const std::string_view type = message_.type();
  const auto counted = by_type_.find(type);
  if (counted != by_type_.end()) {
    ++counted->second;
  } else if (by_type_.size() < 64 && type.size() <= 2) {
    by_type_.emplace(type, 1);
  }
  if (message_.number() == 0 && machine_->logged_on()) {
    garbled();
    return machine_->log_out("MsgSeqNum(34) is missing or no number above 0");
  }
  // While a gap is asked for, what lies behind it comes again: it is not kept.
  if (held_number_ != 0 && next_in_ > held_number_) held_number_ = 0;
  const bool early = message_.number() > next_in_ && machine_->logged_on();
  if (early && held_number_ != 0 && !steers_numbers(type)) return;
  if (early && held_number_ == 0 && type != "4") {
    held_number_ = message_.number();
    held_text_ = text;
    log_line(LogLevel::kInfo, "fix.gap", {{"session", terms_.name}, {"expected", next_in_}, {"received", held_number_}});
  }
  if (!is_admin(type)) {
    receive_application(text);
  } else if (type == "2" && machine_->logged_on() && is_number(value_of(message_.fields(), tag::kBeginSeqNo))) {
    resend_from_ = std::max(1u, sequence_number(value_of(message_.fields(), tag::kBeginSeqNo)));
    const std::uint32_t to = sequence_number(value_of(message_.fields(), tag::kEndSeqNo));
    resend_to_ = to == 0 || to >= next_out_ ? next_out_ - 1 : to;
    resend_request_ = text;
    resend_number_ = message_.number();
    ask_for_resend();
  } else if (type == "A" && !machine_->logged_on()) {
    log_on(text);
  } else if (!machine_->receive(std::string(text))) {
    garbled();
  }
  send_replies();
}

// Of a Logon that is out of order the session layer says nothing to the counterparty, and leaves it the connection.
void Session::log_on(std::string_view text) {
  logon_trouble_.clear();
  logging_on_ = true;
  const bool whole = machine_->receive(std::string(text));
  logging_on_ = false;
  if (machine_->logged_on()) return;
  const std::string why = whole ? logon_trouble_ : "it is garbled";
  host_.count("fix_logon_refused", 1);
  log_line(LogLevel::kWarn, "fix.logon_refused", {{"session", terms_.name}, {"address", address_}, {"why", why}});
  trouble("a Logon was refused: " + why);
  if (outlet_ == nullptr) return;
  machine_->send("5", {{tag::kText, why}});
  disconnect();
  machine_->lost();
}

void Session::receive_application(std::string_view text) {
  mapped_number_ = 0;
  if (!split()) {
    if (!machine_->receive(std::string(text))) garbled();
    return;
  }
  if (body_.empty() && message_.number() == next_in_ && machine_->logged_on()) {
    map(message_);
  }
  machine_->receive(head_, body_);
}

// Splits off the header, and the first field without a value. False: something is out of order, and the session layer should see the
// whole text.
bool Session::split() {
  head_.clear();
  body_.clear();
  std::size_t i = 0;
  const Fields fields = message_.fields();
  for (; i < fields.size() && is_header_tag(fields[i].tag); ++i) head_.emplace_back(fields[i].tag, std::string(fields[i].value));
  if (fields.back().tag != tag::kCheckSum || message_.number() == 0) return false;
  head_.emplace_back(tag::kCheckSum, std::string(fields.back().value));
  for (; i + 1 < fields.size(); ++i) {
    if (is_header_tag(fields[i].tag)) return false;
    if (fields[i].value.empty()) {
      body_.emplace_back(fields[i].tag, "");
      return true;
    }
  }
  return true;
}

void Session::map(const Message& message) {
  mapped_records_.clear();
  mapped_ = mapping_.map(message, mapped_records_);
  mapped_type_ = message.type().substr(0, 8);
  echo_ = mapped_.fate == Fate::kCommands ? Mapping::echo(message) : std::string();
  mapped_number_ = message.number();
}

void Session::application(int number) {
  const auto as_number = static_cast<std::uint32_t>(number);
  Message held;
  const Message* message = &message_;
  if (mapped_number_ != as_number) {
    // A PossDup of what is known, or the message that was held while the gap before it was filled.
    if (as_number != next_in_) return;
    if (as_number == held_number_ && held.parse(held_text_)) message = &held;
    map(*message);
  }
  taken_number_ = as_number;
  if (mapped_.fate == Fate::kIgnored) ++ignored_;
  if (mapped_.fate == Fate::kMalformed) {
    replies_.emplace_back(reject_of(*message, mapped_), 0);
    ++unanswered_;
  }
  if (mapped_.fate == Fate::kRefused) {
    ++rejected_;
    host_.count("fix_refused", 1);
    log_line(LogLevel::kWarn, "fix.refused",
             {{"session", terms_.name}, {"number", as_number}, {"type", mapped_type_}, {"id", mapped_.about}, {"why", mapped_.text}});
    replies_.emplace_back(reply_to_refused(*message, mapped_), 0);
    ++unanswered_;
  }
}

template <class C>
void Session::add(const C& command) {
  append_record(Command(command), records_);
  ++count_;
}

void Session::add_received(const FixReceived& received, std::span<const std::byte> commands) {
  if (records_.size() > kFullBatchBytes) flush();
  if (received.commands > 0) {
    batch_.incoming.push_back({received.number, count_, records_.size(), received.commands, received.reply});
    if (received.reply == FixReply::kAlways) ++unanswered_;
  }
  append_record(received, records_);
  records_.insert(records_.end(), commands.begin(), commands.end());
  count_ += 1u + received.commands;
  batch_.next_in = received.number + 1;
  ++batch_.messages;
  ++messages_in_flight_;
}

void Session::advance_in() {
  const std::uint32_t number = next_in_++;
  if (number == taken_number_ && mapped_.fate == Fate::kCommands) {
    add_received({terms_.name, number, mapped_.commands, mapped_.reply, mapped_type_, echo_}, mapped_records_);
  } else {
    add_received({terms_.name, number, 0, FixReply::kNone, {}, {}}, {});
  }
  taken_number_ = 0;
}

void Session::set_next_in(int number) {
  next_in_ = static_cast<std::uint32_t>(number);
  if (next_in_ > 1) add_received({terms_.name, next_in_ - 1, 0, FixReply::kNone, {}, {}}, {});
}

void Session::reset_numbers() {
  add(FixReset{terms_.name});
  next_in_ = next_out_ = 1;
  batch_.next_in = 1;
  reserved_ = durable_reserved_ = 1;
  reset_batch_ = open_batch();
  held_number_ = 0;
  created_ = clock_.wall();
  log_line(LogLevel::kInfo, "fix.reset", {{"session", terms_.name}});
}

void Session::reserve(std::uint32_t up_to) {
  add(FixReserved{terms_.name, up_to});
  reserved_ = batch_.reserved = up_to;
  reserved_batch_ = open_batch();
}

void Session::keep(int number, const std::string& text, bool application) {
  const auto as_number = static_cast<std::uint32_t>(number);
  if (as_number + kReserveBelow >= reserved_) reserve(as_number + kReserveAhead);
  next_gate_ = std::max(as_number >= durable_reserved_ ? reserved_batch_ : 0, reset_batch_);
  if (!application) return;
  // A reply to what the engine has seen can wait for another submission: the message is known to be unanswered.
  if (answering_ != 0 && records_.size() > kFullBatchBytes) flush();
  add(FixSent{terms_.name, as_number, answering_, text});
  next_gate_ = open_batch();
}

void Session::kept(int from, int to, std::vector<std::string>& texts) const {
  std::uint32_t last = 0;
  for (const FixSentRow& row : resend_rows_) {
    if (row.number < static_cast<std::uint32_t>(from) || row.number > static_cast<std::uint32_t>(to)) continue;
    texts.push_back(row.message);
    last = row.number;
  }
  // What is not here is filled; the session layer fills up to the last message it is given.
  if (to >= from && last != static_cast<std::uint32_t>(to)) texts.push_back(framed("0", static_cast<std::uint32_t>(to)));
}

std::string Session::framed(std::string_view type, std::uint32_t number) const {
  std::string body;
  append_field(body, tag::kMsgType, type);
  append_field(body, tag::kMsgSeqNum, std::to_string(number));
  append_field(body, tag::kSenderCompId, terms_.machine.our_comp_id);
  append_field(body, tag::kTargetCompId, terms_.machine.their_comp_id);
  return whole(body);
}

std::string Session::whole(const std::string& body) const {
  std::string text;
  append_field(text, tag::kBeginString, terms_.machine.begin_string);
  append_field(text, tag::kBodyLength, std::to_string(body.size()));
  text += body;
  unsigned sum = 0;
  for (const char c : text) sum += static_cast<unsigned char>(c);
  const std::string digits = std::to_string(1'000 + sum % 256);
  append_field(text, tag::kCheckSum, std::string_view(digits).substr(1));
  return text;
}

void Session::ask_for_resend() {
  resending_ = waits_ = true;
  flush();  // what was sent just now is among what is read
  host_.read_sent(*this, resend_from_, resend_to_, kMostResendRows);
}

void Session::sent_rows(Result<std::vector<FixSentRow>> rows) {
  if (!resending_) return;  // the connection was lost meanwhile
  resending_ = false;
  if (!rows.ok()) {
    trouble("the journal cannot be read for a resend: " + rows.status().message());
    log_line(LogLevel::kError, "fix.resend_failed", {{"session", terms_.name}, {"why", rows.status().message()}});
    resend_rows_.clear();
  } else {
    resend_rows_ = rows.take();
  }
  // Many are resent in parts, each as if it had been asked for by itself: the request's number counts once.
  const std::uint32_t part = resend_rows_.size() == kMostResendRows ? resend_rows_.back().number : resend_to_;
  if (part == resend_to_) {
    Message request;
    static_cast<void>(request.parse(resend_request_));
    const bool original = sequence_number(value_of(request.fields(), tag::kBeginSeqNo)) == resend_from_;
    machine_->receive(original ? resend_request_ : with_range(resend_request_, resend_from_, resend_to_));
  } else {
    machine_->receive(with_range(resend_request_, resend_from_, part));
    resend_from_ = part + 1;
    if (outlet_ != nullptr && machine_->logged_on()) {
      resending_ = resend_pauses_ = true;
      if (!outlet_->backed_up()) drained();
    }
  }
  resend_rows_.clear();
  // A request that came too early has been answered, and something is missing before it all the same.
  if (!resending_ && resend_number_ > next_in_ && machine_->logged_on()) machine_->receive(as_heartbeat(resend_request_));
  send_replies();
  flush();
  if (!resending_ && outlet_ != nullptr) waits_ = false, outlet_->resume();
}

void Session::drained() {
  if (std::exchange(resend_pauses_, false)) ask_for_resend();
}

// The request for another range, with its own number: everything else of a ResendRequest's header stays.
std::string Session::with_range(const std::string& request, std::uint32_t from, std::uint32_t to) const {
  Message original;
  std::string body;
  if (!original.parse(request)) return request;
  for (const Field& field : original.fields().subspan(2)) {
    if (field.tag == tag::kCheckSum) continue;
    const std::string range = field.tag == tag::kBeginSeqNo ? std::to_string(from) : field.tag == tag::kEndSeqNo ? std::to_string(to) : "";
    append_field(body, field.tag, range.empty() ? field.value : range);
  }
  return whole(body);
}

// The message at hand with "x" for each number that is too large: the session layer rejects it as no number.
std::string Session::without_too_large() const {
  std::string body;
  for (const Field& field : message_.fields().subspan(2)) {
    if (field.tag == tag::kCheckSum) continue;
    append_field(body, field.tag, is_int_tag(field.tag) && is_too_large(field.value) ? "x" : field.value);
  }
  return whole(body);
}

// A Heartbeat in the request's place, with its number.
std::string Session::as_heartbeat(const std::string& request) const {
  Message original;
  std::string body;
  if (!original.parse(request)) return request;
  append_field(body, tag::kMsgType, "0");
  for (const Field& field : original.fields().subspan(3)) {
    if (is_header_tag(field.tag)) append_field(body, field.tag, field.value);
  }
  return whole(body);
}

void Session::send(const std::string& text) {
  std::uint64_t gate = std::exchange(next_gate_, 0);
  const std::size_t type_at = text.find("\00135=");
  const std::string_view type = std::string_view(text).substr(type_at + 4, text.find(kSoh, type_at + 1) - type_at - 4);
  // A Logout confirms everything before it.
  if (type == "5") gate = std::max(gate, records_.empty() ? submitted_ : open_batch());
  ++sent_;
  if (type == "3" || type == "5" || type == "j") {
    const std::size_t why = text.find("\00158=");
    const std::string reason = why == std::string::npos ? "" : text.substr(why + 4, text.find(kSoh, why + 1) - why - 4);
    if (type == "3") {
      ++rejected_;
      host_.count("fix_rejected", 1);
      log_line(LogLevel::kWarn, "fix.rejected", {{"session", terms_.name}, {"number", next_in_}, {"why", reason}});
    }
    if (!reason.empty()) trouble(reason);
  }
  if (outlet_ != nullptr) outlet_->send(text, gate);
}

void Session::disconnect() {
  resending_ = resend_pauses_ = false;
  if (Outlet* outlet = std::exchange(outlet_, nullptr); outlet != nullptr) outlet->close();
}

std::string Session::refuse_logon(const std::string& username, const std::string& password, int heartbeat_seconds) {
  const bool known_name = same_secret(terms_.username, username), known_password = same_secret(terms_.password, password);
  const bool asked = !terms_.username.empty() || !terms_.password.empty();
  std::string why;
  if (asked && !(known_name && known_password)) why = "the username or password is wrong (553, 554)";
  if (why.empty() && (heartbeat_seconds < terms_.heartbeat_least_seconds || heartbeat_seconds > terms_.heartbeat_most_seconds)) {
    why = "HeartBtInt(108) must be " + std::to_string(terms_.heartbeat_least_seconds) + " to " +
        std::to_string(terms_.heartbeat_most_seconds);
  }
  return why;
}

void Session::logged(bool on) {
  if (on) last_event_.clear();
  log_line(LogLevel::kInfo, on ? "fix.logged_on" : "fix.logged_out",
           {{"session", terms_.name}, {"address", address_}, {"next_in", next_in_}, {"next_out", next_out_}, {"why", last_event_}});
}

void Session::event(const std::string& what) {
  log_line(LogLevel::kDebug, "fix.event", {{"session", terms_.name}, {"what", what}});
  if (what != "Disconnecting") last_event_ = what;
  if (logging_on_ && logon_trouble_.empty() && what != "Received logon request") logon_trouble_ = what;
}

void Session::trouble(std::string what) {
  if (what.empty()) return;
  last_error_ = std::move(what);
  last_error_time_ = clock_.wall();
}

void Session::garbled() {
  ++garbled_;
  host_.count("fix_garbled", 1);
  trouble("a garbled message was passed over");
  log_line(LogLevel::kWarn, "fix.garbled", {{"session", terms_.name}, {"next_in", next_in_}});
}

void Session::send_replies() {
  while (!replies_.empty()) {
    std::vector<std::pair<Reply, Seq>> replies;
    replies.swap(replies_);
    for (const auto& [reply, answers] : replies) {
      answering_ = answers;
      machine_->send(reply.type, reply.body);
      answering_ = 0;
      --unanswered_;
    }
  }
}

void Session::flush() {
  if (ignored_ != ignored_told_) host_.count("fix_ignored", ignored_ - std::exchange(ignored_told_, ignored_));
  if (count_ == 0) return;
  batch_.records = records_;
  in_flight_.push_back(std::exchange(batch_, Batch{}));
  batch_.next_in = next_in_;
  ++submitted_;
  const std::uint32_t count = std::exchange(count_, 0);
  host_.submit(*this, std::exchange(records_, {}), count, received_at_ == 0 ? clock_.monotonic() : received_at_);
  received_at_ = 0;
}

void Session::acknowledged(std::span<const Acknowledgement> acks) {
  Batch batch = std::move(in_flight_.front());
  in_flight_.pop_front();
  ++durable_batch_;
  durable_in_ = batch.next_in;
  if (batch.reserved != 0 && reset_batch_ <= durable_batch_) durable_reserved_ = batch.reserved;
  messages_in_flight_ -= batch.messages;
  for (const Incoming& incoming : batch.incoming) {
    ToldOutcome told;
    for (std::uint16_t i = 0; i < incoming.commands; ++i) told = worse(told, acks[incoming.place + 1 + i].outcome, i);
    const bool refused = is_refused(told.outcome);
    if (incoming.reply != FixReply::kAlways && !refused) continue;
    if (incoming.reply != FixReply::kAlways) ++unanswered_;
    if (refused) ++rejected_, host_.count("fix_refused", 1);
    replies_.emplace_back(reply_to(std::span(batch.records).subspan(incoming.offset), told, terms_.rules), acks[incoming.place].seq);
    if (refused) {
      log_line(LogLevel::kWarn, "fix.refused", {{"session", terms_.name}, {"number", incoming.number},
          {"why", replies_.back().first.body.back().second}});
    }
  }
  for (const auto& done : batch.waiting) done(ok_status());
  send_replies();
  flush();
  if (waits_ && !resending_ && outlet_ != nullptr && messages_in_flight_ < kMostInFlight / 2 && unanswered_ < kMostUnanswered / 2) {
    waits_ = false;
    outlet_->resume();
  }
}

void Session::abandoned() {
  const Batch batch = std::move(in_flight_.front());
  in_flight_.pop_front();
  for (const auto& done : batch.waiting) done(Status(Code::kUnavailable, "the server stopped before it was durable"));
}

bool Session::takes_message() {
  rate_waits_ = false;
  if ((stopping_ && !leaving_) || resending_ || messages_in_flight_ >= kMostInFlight || unanswered_ >= kMostUnanswered) {
    waits_ = true;
    return false;
  }
  if (terms_.messages_per_second == 0) return true;
  // A bucket that fills at the rate and holds a tenth of a second.
  const auto rate = static_cast<double>(terms_.messages_per_second);
  const std::int64_t now = clock_.monotonic();
  allowance_ = std::min(allowance_ + rate * static_cast<double>(now - allowance_time_) / kNanos, std::max(1.0, rate / 10));
  allowance_time_ = now;
  rate_waits_ = allowance_ < 1;
  return !rate_waits_;
}

void Session::tick() {
  const std::int64_t now = clock_.monotonic();
  if (tick_time_ != 0 && now > tick_time_) {
    const double rate = static_cast<double>(received_ - received_at_tick_) * kNanos / static_cast<double>(now - tick_time_);
    per_second_ = per_second_ * 0.5 + rate * 0.5;
    if (per_second_ < 0.05) per_second_ = 0;
  }
  tick_time_ = now;
  received_at_tick_ = received_;
  if (outlet_ != nullptr) {
    const bool ends = !machine_->in_schedule();
    if (ends) last_event_ = "the schedule ends";
    machine_->tick();
    if (outlet_ == nullptr && !ends) {
      host_.count("fix_timed_out", 1);
      trouble(last_event_);
    }
  }
  flush();
}

void Session::reset(std::function<void(const Status&)> done) {
  machine_->reset();
  batch_.waiting.push_back(std::move(done));
  flush();
}

void Session::log_out_for_good() {
  leaving_ = true;
  if (outlet_ == nullptr) return;
  machine_->log_out("the server stops");
  flush();
  if (outlet_ != nullptr) outlet_->resume();  // for what they still say, and their Logout
}

void Session::settle_numbers() {
  // Exactly the numbers that were used, so that nothing is a gap next time.
  if (reserved_ != next_out_) reserve(next_out_);
  flush();
}

FixSessionRow Session::row() const {
  FixSessionRow row;
  row.name = terms_.name;
  row.begin_string = terms_.machine.begin_string;
  row.our_comp_id = terms_.machine.our_comp_id;
  row.their_comp_id = terms_.machine.their_comp_id;
  row.source = terms_.rules.source;
  row.state = machine_->logged_on()     ? "logged on"
              : outlet_ != nullptr      ? "connected"
              : machine_->in_schedule() ? "disconnected"
                                        : "out of schedule";
  row.address = outlet_ == nullptr ? "" : address_;
  row.tls = outlet_ != nullptr && tls_;
  row.next_in = next_in_, row.durable_in = durable_in_, row.next_out = next_out_;
  row.received = received_, row.sent = sent_, row.rejected = rejected_, row.ignored = ignored_, row.garbled = garbled_;
  row.received_per_second = per_second_;
  row.unanswered = unanswered_;
  row.in_flight = messages_in_flight_;
  row.by_type.assign(by_type_.begin(), by_type_.end());
  row.last_received = last_received_;
  row.last_error = last_error_;
  row.last_error_time = last_error_time_;
  return row;
}

}  // namespace halocline::fix
