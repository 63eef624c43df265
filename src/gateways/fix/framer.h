// Whole messages out of a stream of bytes: BeginString and BodyLength say where a message ends, CheckSum whether it came whole. What does
// not check is garbled and passed over up to the next BeginString, as the session rules want it (FIX 4.4 volume 2, "Message format").
//
//   framer.take(bytes);
//   while ((step = framer.next(message)) != Framer::kNeedsMore) …
//
// One thread. Holds at most one message beyond what was taken last.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace halocline::fix {

class Framer {
 public:
  explicit Framer(std::size_t most_bytes) : most_(most_bytes) {}

  enum Step {
    kMessage,    // `message` is one, as a view that holds until take()
    kGarbled,    // bytes were passed over
    kNeedsMore,  // no whole message yet
    kTooLarge,   // a message of more than most_bytes: nothing more can be read
  };

  void take(std::string_view bytes);
  Step next(std::string_view& message);

 private:
  Step garbled(std::size_t from);

  const std::size_t most_;
  std::string buffer_;
  std::size_t at_ = 0;
};

}  // namespace halocline::fix
