#include "cli/csv.h"

#include <cerrno>

namespace halocline::cli {

Result<bool> LineReader::next(std::string& line) {
  line.clear();
  ++line_;
  int c = 0;
  while ((c = getc_unlocked(file_)) != EOF && c != '\n') {
    if (line.size() == kMaxRecord) {
      return Status(Code::kInvalidArgument, "line " + std::to_string(line_) + " is longer than 64 KiB: is this a text file?");
    }
    line += static_cast<char>(c);
  }
  if (c == EOF && std::ferror(file_) != 0) return errno_status(errno, "read line " + std::to_string(line_));
  if (c == EOF && line.empty()) return false;
  if (!line.empty() && line.back() == '\r') line.pop_back();
  if (line_ == 1 && line.starts_with("\xEF\xBB\xBF")) line.erase(0, 3);  // what spreadsheets put in front
  return true;
}

Result<bool> CsvReader::next(std::vector<std::string>& fields) {
  fields.clear();
  do {
    const Result<bool> more = lines_.next(text_);
    if (!more.ok() || !more.value()) return more;
  } while (text_.empty());
  first_line_ = lines_.line();
  const auto wrong = [&](const std::string& what) {
    return Status(Code::kInvalidArgument, "line " + std::to_string(first_line_) + ": " + what);
  };

  std::string field, more_text;
  std::size_t at = 0, bytes = text_.size();
  while (true) {
    field.clear();
    if (at < text_.size() && text_[at] == '"') {
      for (++at;;) {
        if (at == text_.size()) {  // the quotes go on in the next line
          const Result<bool> more = lines_.next(more_text);
          if (!more.ok()) return more;
          if (!more.value()) return wrong("a quote is opened and never closed");
          if ((bytes += more_text.size() + 1) > kMaxRecord) return wrong("a record is longer than 64 KiB: is a quote missing?");
          field += '\n';
          text_ = more_text;
          at = 0;
        } else if (text_[at] != '"') {
          field += text_[at++];
        } else if (at + 1 < text_.size() && text_[at + 1] == '"') {
          field += '"';
          at += 2;
        } else {
          ++at;
          break;
        }
      }
      if (at < text_.size() && text_[at] != ',') return wrong("text after a closing quote");
    } else {
      while (at < text_.size() && text_[at] != ',') {
        if (text_[at] == '"') return wrong("a quote inside an unquoted field: write \"…\" around it and \"\" for a quote");
        field += text_[at++];
      }
    }
    fields.push_back(field);
    if (at == text_.size()) return true;
    ++at;
  }
}

}  // namespace halocline::cli
