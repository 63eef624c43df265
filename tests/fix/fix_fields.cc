// The gateway's reading of bytes, for a comparison with another parser. Each line of standard input is the bytes of a connection in hex, taken
// in two parts; for each, a line says which messages there are, separated by spaces, every one as its bytes and its fields:
//
//   HEX:8=HEX,9=HEX,…
#include <cstdio>
#include <iostream>
#include <string>
#include <string_view>

#include "gateways/fix/framer.h"
#include "gateways/fix/message.h"

namespace {

using namespace halocline::fix;

constexpr std::size_t kMostBytes = 65'536;

std::string bytes_of(const std::string& hex) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) bytes += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
  return bytes;
}

std::string hex_of(std::string_view bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string hex;
  for (const char c : bytes) {
    hex += kDigits[static_cast<unsigned char>(c) >> 4];
    hex += kDigits[c & 15];
  }
  return hex;
}

void print_messages(Framer& framer) {
  std::string_view text;
  while (true) {
    const Framer::Step step = framer.next(text);
    if (step == Framer::kNeedsMore || step == Framer::kTooLarge) return;
    Message message;
    if (step != Framer::kMessage || !message.parse(text)) continue;
    std::string line = hex_of(text) + ":";
    for (const Field& field : message.fields()) line += std::to_string(field.tag) + "=" + hex_of(field.value) + ",";
    line.back() = ' ';
    std::fputs(line.c_str(), stdout);
  }
}

}  // namespace

int main() {
  std::string hex;
  while (std::getline(std::cin, hex)) {
    const std::string bytes = bytes_of(hex);
    Framer framer(kMostBytes);
    framer.take(std::string_view(bytes).substr(0, bytes.size() / 2));
    print_messages(framer);
    framer.take(std::string_view(bytes).substr(bytes.size() / 2));
    print_messages(framer);
    std::puts("");
  }
  return 0;
}
