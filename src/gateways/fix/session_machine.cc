// C++14: see session_machine.h.
#include "gateways/fix/session_machine.h"

#include <quickfix/Application.h>
#include <quickfix/DataDictionary.h>
#include <quickfix/DataDictionaryProvider.h>
#include <quickfix/Log.h>
#include <quickfix/MessageStore.h>
#include <quickfix/Responder.h>
#include <quickfix/Session.h>

#include <cstdlib>
#include <sstream>
#include <string>

#include "gateways/fix/dictionaries.h"

namespace halocline {
namespace fix {
namespace {

typedef ptr::shared_ptr<FIX::DataDictionary> Dictionary;  // QuickFIX's, at the top level

Dictionary load(const char* xml) {
  std::istringstream stream(xml);
  Dictionary dictionary(new FIX::DataDictionary(stream));
  dictionary->allowUnknownMsgFields(true);
  dictionary->checkUserDefinedFields(false);
  return dictionary;
}

FIX::DataDictionaryProvider provider_of(const std::string& begin_string) {
  FIX::DataDictionaryProvider provider;
  if (begin_string == FIX::BeginString_FIXT11) {
    static const Dictionary transport = load(kFixt11), application = load(kFix50Sp2);
    provider.addTransportDataDictionary(FIX::BeginString(begin_string), transport);
    // Whatever 5.0 a Logon names: the messages in use are the same.
    for (const char* version : {FIX::ApplVerID_FIX50, FIX::ApplVerID_FIX50SP1, FIX::ApplVerID_FIX50SP2}) {
      provider.addApplicationDataDictionary(FIX::ApplVerID(version), application);
    }
    return provider;
  }
  static const Dictionary fix42 = load(kFix42), fix44 = load(kFix44);
  const Dictionary& used = begin_string == FIX::BeginString_FIX42 ? fix42 : fix44;
  provider.addTransportDataDictionary(FIX::BeginString(begin_string), used);
  provider.addApplicationDataDictionary(FIX::Message::toApplVerID(FIX::BeginString(begin_string)), used);
  return provider;
}

FIX::TimeRange range_of(const MachineTerms& terms) {
  const auto of_day = [](int second) { return FIX::UtcTimeOnly(second / 3600, second / 60 % 60, second % 60); };
  if (!terms.scheduled) return FIX::TimeRange(of_day(0), of_day(0));
  const int from = terms.start_day == 0 ? -1 : terms.start_day, to = terms.end_day == 0 ? -1 : terms.end_day;
  return FIX::TimeRange(of_day(terms.start_second), of_day(terms.end_second), from, to);
}

class Store final : public FIX::MessageStore {
 public:
  Store(MachineOwner& owner, bool scheduled) : owner_(owner), scheduled_(scheduled) {}

  bool set(int number, const std::string& text) throw(FIX::IOException) override {
    const std::string::size_type type = text.find("\00135=") + 4;
    const bool admin = text[type + 1] == '\001' && FIX::Message::isAdminMsgType(FIX::MsgType(text.substr(type, 1)));
    owner_.keep(number, text, !admin);
    return true;
  }
  void get(int from, int to, std::vector<std::string>& texts) const throw(FIX::IOException) override { owner_.kept(from, to, texts); }
  int getNextSenderMsgSeqNum() const throw(FIX::IOException) override { return owner_.next_out(); }
  int getNextTargetMsgSeqNum() const throw(FIX::IOException) override { return owner_.next_in(); }
  void setNextSenderMsgSeqNum(int number) throw(FIX::IOException) override { owner_.set_next_out(number); }
  void setNextTargetMsgSeqNum(int number) throw(FIX::IOException) override { owner_.set_next_in(number); }
  void incrNextSenderMsgSeqNum() throw(FIX::IOException) override { owner_.advance_out(); }
  void incrNextTargetMsgSeqNum() throw(FIX::IOException) override { owner_.advance_in(); }
  // A session without a schedule never ends: it is always of today.
  FIX::UtcTimeStamp getCreationTime() const throw(FIX::IOException) override {
    return scheduled_ ? FIX::UtcTimeStamp(static_cast<time_t>(owner_.created_second())) : FIX::UtcTimeStamp();
  }
  void reset() throw(FIX::IOException) override { owner_.reset_numbers(); }
  void refresh() throw(FIX::IOException) override {}

 private:
  MachineOwner& owner_;
  const bool scheduled_;
};

class EventLog final : public FIX::Log {
 public:
  explicit EventLog(MachineOwner& owner) : owner_(owner) {}
  void clear() override {}
  void backup() override {}
  void onIncoming(const std::string&) override {}
  void onOutgoing(const std::string&) override {}
  void onEvent(const std::string& what) override { owner_.event(what); }

 private:
  MachineOwner& owner_;
};

class EventLogs final : public FIX::LogFactory {
 public:
  explicit EventLogs(MachineOwner& owner) : owner_(owner) {}
  FIX::Log* create() override { return new EventLog(owner_); }
  FIX::Log* create(const FIX::SessionID&) override { return create(); }
  void destroy(FIX::Log* log) override { delete log; }

 private:
  MachineOwner& owner_;
};

class QuickfixMachine final : public SessionMachine,
                              private FIX::Application,
                              private FIX::MessageStoreFactory,
                              private FIX::Responder {
 public:
  QuickfixMachine(const MachineTerms& terms, MachineOwner& owner)
      : owner_(owner), logs_(owner), skew_(terms.clock_skew_seconds), scheduled_(terms.scheduled),
        fixt_(terms.begin_string == FIX::BeginString_FIXT11),
        id_(terms.begin_string, terms.our_comp_id, terms.their_comp_id),
        session_(new FIX::Session(*this, *this, id_, provider_of(terms.begin_string), range_of(terms), 0, &logs_)) {
    session_->setCheckLatency(false);
    session_->setMaxLatency(terms.clock_skew_seconds);
    if (fixt_) session_->setSenderDefaultApplVerID(FIX::ApplVerID_FIX50SP2);
  }

  bool in_schedule() const override { return !scheduled_ || session_->isSessionTime(FIX::UtcTimeStamp()); }
  void connected() override { session_->setResponder(this); }
  void lost() override {
    lost_ = true;
    session_->disconnect();
    lost_ = false;
  }
  bool logged_on() const override { return session_->isLoggedOn(); }

  bool receive(const std::string& text) override {
    try {
      session_->next(text, FIX::UtcTimeStamp());
    } catch (const FIX::InvalidMessage&) {
      return false;
    }
    return true;
  }

  void receive(const std::vector<TagValue>& head, const std::vector<TagValue>& body) override {
    FIX::Message message;
    for (const TagValue& field : head) {
      (field.first == FIX::FIELD::CheckSum ? static_cast<FIX::FieldMap&>(message.getTrailer()) : message.getHeader())
          .setField(field.first, field.second);
    }
    for (const TagValue& field : body) message.setField(FIX::FieldBase(field.first, field.second), false);
    session_->next(message, FIX::UtcTimeStamp());
  }

  void tick() override { session_->next(); }

  void send(const std::string& type, const std::vector<TagValue>& body) override {
    FIX::Message message;
    message.getHeader().setField(FIX::MsgType(type));
    for (const TagValue& field : body) message.setField(field.first, field.second);
    session_->send(message);
  }

  void log_out(const std::string& reason) override {
    session_->logout(reason);
    session_->next();
    session_->logon();  // a later Logon is welcome
  }

  void reset() override { session_->reset(); }

 private:
  // FIX::Application. The specifications are those of the base.
  void onCreate(const FIX::SessionID&) override {}
  // A Logon's own clock is looked at in fromAdmin(): the session layer would drop the connection without a word.
  void onLogon(const FIX::SessionID&) override {
    session_->setCheckLatency(skew_ > 0);
    owner_.logged(true);
  }
  void onLogout(const FIX::SessionID&) override {
    session_->setCheckLatency(false);
    owner_.logged(false);
  }
  void toAdmin(FIX::Message&, const FIX::SessionID&) override {}
  void toApp(FIX::Message&, const FIX::SessionID&) throw(FIX::DoNotSend) override {}
  void fromAdmin(const FIX::Message& message, const FIX::SessionID&) throw(FIX::FieldNotFound, FIX::IncorrectDataFormat,
      FIX::IncorrectTagValue,
                                                                           FIX::RejectLogon) override {
    if (message.getHeader().getField(FIX::FIELD::MsgType) != FIX::MsgType_Logon) return;
    const auto text = [&](int tag) { return message.isSetField(tag) ? message.getField(tag) : std::string(); };
    FIX::SendingTime sent;
    message.getHeader().getField(sent);
    if (skew_ > 0 && std::abs(sent.getValue() - FIX::UtcTimeStamp()) > skew_ && !session_->isLoggedOn()) {
      throw FIX::RejectLogon("SendingTime(52) is more than " + std::to_string(skew_) + " s off");
    }
    if (text(FIX::FIELD::EncryptMethod) != "0") throw FIX::RejectLogon("EncryptMethod(98) must be 0: for secrecy there is TLS");
    FIX::HeartBtInt heartbeat;
    message.getField(heartbeat);
    const std::string why = owner_.refuse_logon(text(FIX::FIELD::Username), text(FIX::FIELD::Password), heartbeat);
    if (!why.empty()) throw FIX::RejectLogon(why);
  }
  void fromApp(const FIX::Message& message, const FIX::SessionID&) throw(FIX::FieldNotFound, FIX::IncorrectDataFormat,
      FIX::IncorrectTagValue,
                                                                         FIX::UnsupportedMessageType) override {
    FIX::MsgSeqNum number;
    message.getHeader().getField(number);
    owner_.application(number);
  }

  FIX::MessageStore* create(const FIX::SessionID&) override { return new Store(owner_, scheduled_); }
  void destroy(FIX::MessageStore* store) override { delete store; }

  bool send(const std::string& text) override {
    owner_.send(text);
    return true;
  }
  void disconnect() override {
    if (!lost_) owner_.disconnect();
  }

  MachineOwner& owner_;
  EventLogs logs_;
  const int skew_;
  const bool scheduled_, fixt_;
  const FIX::SessionID id_;
  bool lost_ = false;
  std::unique_ptr<FIX::Session> session_;
};

}  // namespace

std::unique_ptr<SessionMachine> make_session_machine(const MachineTerms& terms, MachineOwner& owner) {
  return std::unique_ptr<SessionMachine>(new QuickfixMachine(terms, owner));
}

}  // namespace fix
}  // namespace halocline
