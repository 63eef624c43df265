// The session layer of one FIX session: logon, numbers, gaps, resends, heartbeats, logout. QuickFIX's Session does it, driven message by
// message: what comes in is handed to it whole, what goes out and what must be kept is handed to the MachineOwner. It opens no socket and
// has no thread. This header is plain C++14, because QuickFIX's own headers are no C++17: session_machine.cc alone includes them.
//
// One thread calls a machine; it calls its owner back on that thread, from within. The owner outlives the machine.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace halocline {
namespace fix {

using TagValue = std::pair<int, std::string>;

struct MachineTerms {
  std::string begin_string, our_comp_id, their_comp_id;
  int clock_skew_seconds = 120;  // 0: SendingTime is not looked at
  // The schedule, in UTC: seconds of the day, and days of the week from Sunday 1 (0: every day). Without one, always.
  bool scheduled = false;
  int start_second = 0, end_second = 0, start_day = 0, end_day = 0;
};

class MachineOwner {
 public:
  virtual ~MachineOwner() {}

  // The numbers expected next and given next; changes take effect at once. `advance` follows each message that counts.
  virtual int next_in() const = 0;
  virtual int next_out() const = 0;
  virtual void advance_in() = 0;
  virtual void advance_out() = 0;
  virtual void set_next_in(int number) = 0;
  virtual void set_next_out(int number) = 0;
  virtual void reset_numbers() = 0;
  virtual std::int64_t created_second() const = 0;  // when they began at 1; seconds since 1970

  // Before each send() of a new message: it has this number.
  virtual void keep(int number, const std::string& text, bool application) = 0;
  // The application messages of numbers from..to that were kept, in order, for a resend.
  virtual void kept(int from, int to, std::vector<std::string>& texts) const = 0;

  virtual void send(const std::string& text) = 0;
  virtual void disconnect() = 0;
  // A logon that fits the terms: why it is refused, or nothing.
  virtual std::string refuse_logon(const std::string& username, const std::string& password, int heartbeat_seconds) = 0;
  virtual void application(int number) = 0;  // the next in order, or one that came before (PossDup)
  virtual void logged(bool on) = 0;
  virtual void event(const std::string& what) = 0;
};

class SessionMachine {
 public:
  virtual ~SessionMachine() {}

  // Whether now is within the schedule.
  virtual bool in_schedule() const = 0;
  // A connection is there for it: within the schedule only. It ends with MachineOwner::disconnect() or lost().
  virtual void connected() = 0;
  virtual void lost() = 0;
  virtual bool logged_on() const = 0;

  // A session message, or an application message that looks wrong. False when it is garbled: then nothing happened.
  virtual bool receive(const std::string& text) = 0;
  // An application message by its header, its trailer, and those fields of the body that the session layer is to judge.
  virtual void receive(const std::vector<TagValue>& head, const std::vector<TagValue>& body) = 0;
  // Time has passed: heartbeats, test requests, timeouts. About once a second.
  virtual void tick() = 0;

  // Sends an application message, or a Reject; when nobody is logged on it is kept, and sent on a ResendRequest.
  virtual void send(const std::string& type, const std::vector<TagValue>& body) = 0;
  // Logs out; reset: also begins both numbers at 1, at once.
  virtual void log_out(const std::string& reason) = 0;
  virtual void reset() = 0;
};

std::unique_ptr<SessionMachine> make_session_machine(const MachineTerms& terms, MachineOwner& owner);

}  // namespace fix
}  // namespace halocline
