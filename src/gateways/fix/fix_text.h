// FIX messages for tests, written with "|" between the tags: BodyLength and CheckSum are put in.
#pragma once

#include <string>
#include <string_view>

#include "gateways/fix/message.h"

namespace halocline::fix {

inline std::string with_soh(std::string text) {
  for (char& c : text) {
    if (c == '|') c = kSoh;
  }
  return text;
}

// `body` from 35= on, ended by "|".
inline std::string whole_message(std::string_view begin_string, std::string_view body) {
  std::string text;
  append_field(text, tag::kBeginString, begin_string);
  append_field(text, tag::kBodyLength, std::to_string(body.size()));
  text += with_soh(std::string(body));
  unsigned sum = 0;
  for (const char c : text) sum += static_cast<unsigned char>(c);
  append_field(text, tag::kCheckSum, std::to_string(1'000 + sum % 256).substr(1));
  return text;
}

}  // namespace halocline::fix
