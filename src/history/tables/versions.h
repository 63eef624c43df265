// Things by name, each with the fields it has and since when, and the versions that are over: what `limits` and `reference` are made of.
// Versions are numbered from 0 in the order in which they began, so the same commands give the same numbers.
//
//   Versions<LimitFields> limits;
//   limits.set("gross", fields, {seq, time}, true);      // ends the version before
//   limits.end("gross", {seq, time}, true);
//   limits.take([](const auto& version) { … });          // those that began or ended since the last time
//
// One thread. Memory: the current versions, and those not yet taken.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/check.h"
#include "command/command.h"

namespace halocline {

// A command, as the moment in which something became so.
struct Moment {
  Seq seq = 0;
  Nanos time = 0;
};

template <class Fields>
class Versions {
 public:
  struct Version {
    std::uint64_t number = 0;
    std::uint64_t thing = 0;  // number of its first version; it stays when the name changes
    Moment from, to;          // to.seq 0: it is the current one
    Fields fields;
  };

  bool has(const std::string& name) const { return current_.contains(name); }
  const Fields* find(const std::string& name) const {
    const auto found = current_.find(name);
    return found == current_.end() ? nullptr : &found->second.fields;
  }

  // `wanted`: whether take() is to tell of it.
  void set(const std::string& name, Fields fields, Moment at, bool wanted) {
    const auto found = current_.find(name);
    const std::uint64_t thing = found == current_.end() ? next_ : found->second.thing;
    if (found != current_.end()) end(name, at, wanted);
    begin(name, thing, std::move(fields), at, wanted);
  }
  void end(const std::string& name, Moment at, bool wanted) {
    const auto found = current_.find(name);
    CHECK(found != current_.end(), "there is no %s to end", name.c_str());
    found->second.to = at;
    if (wanted) changed_.insert_or_assign(found->second.number, std::move(found->second));
    current_.erase(found);
  }
  void rename(const std::string& from, const std::string& to, Fields fields, Moment at, bool wanted) {
    const auto found = current_.find(from);
    CHECK(found != current_.end() && !current_.contains(to), "%s cannot become %s", from.c_str(), to.c_str());
    const std::uint64_t thing = found->second.thing;
    end(from, at, wanted);
    begin(to, thing, std::move(fields), at, wanted);
  }
  // Where `edit` changes the fields of a current version and says so, a new one begins with them.
  void edit_all(const std::function<bool(Fields&)>& edit, Moment at, bool wanted) {
    std::vector<std::pair<std::string, Fields>> edited;
    for (const auto& [name, version] : current_) {
      Fields fields = version.fields;
      if (edit(fields)) edited.emplace_back(name, std::move(fields));
    }
    for (auto& [name, fields] : edited) set(name, std::move(fields), at, wanted);
  }

  // In the order of their numbers. A version is told of when it begins and again when it ends.
  void take(const std::function<void(const Version&)>& visit) {
    for (const auto& [number, version] : std::exchange(changed_, {})) visit(version);
  }

 private:
  void begin(const std::string& name, std::uint64_t thing, Fields fields, Moment at, bool wanted) {
    Version version{next_++, thing, at, {}, std::move(fields)};
    if (wanted) changed_.insert_or_assign(version.number, version);
    current_.emplace(name, std::move(version));
  }

  std::map<std::string, Version> current_;
  std::map<std::uint64_t, Version> changed_;  // by number
  std::uint64_t next_ = 0;
};

}  // namespace halocline
