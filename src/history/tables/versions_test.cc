#include "history/tables/versions.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace halocline {
namespace {

using Texts = Versions<std::string>;

// "number thing fields from-to", of those taken.
std::vector<std::string> taken(Texts& versions) {
  std::vector<std::string> lines;
  versions.take([&](const Texts::Version& version) {
    lines.push_back(std::to_string(version.number) + " " + std::to_string(version.thing) + " " + version.fields + " " +
                    std::to_string(version.from.seq) + "-" + std::to_string(version.to.seq));
  });
  return lines;
}

TEST(Versions, OneEndsWhereTheNextBegins) {
  Texts versions;
  versions.set("a", "one", {1, 10}, true);
  versions.set("b", "two", {2, 20}, true);
  EXPECT_EQ(taken(versions), (std::vector<std::string>{"0 0 one 1-0", "1 1 two 2-0"}));
  EXPECT_TRUE(taken(versions).empty());
  versions.set("a", "three", {3, 30}, true);
  EXPECT_EQ(taken(versions), (std::vector<std::string>{"0 0 one 1-3", "2 0 three 3-0"}));
  versions.end("a", {4, 40}, true);
  versions.set("a", "again", {5, 50}, true);
  EXPECT_EQ(taken(versions), (std::vector<std::string>{"2 0 three 3-4", "3 3 again 5-0"}));
}

TEST(Versions, ARenamedThingStaysTheSame) {
  Texts versions;
  versions.set("a", "x", {1, 10}, true);
  versions.rename("a", "b", "y", {2, 20}, true);
  EXPECT_FALSE(versions.has("a"));
  EXPECT_EQ(*versions.find("b"), "y");
  EXPECT_EQ(taken(versions), (std::vector<std::string>{"0 0 x 1-2", "1 0 y 2-0"}));
}

TEST(Versions, AnEditMakesVersionsOfThoseItChanges) {
  Texts versions;
  for (const char* name : {"a", "b", "c"}) versions.set(name, name, {1, 10}, true);
  static_cast<void>(taken(versions));
  const auto edit = [](std::string& fields) {
    if (fields == "b") return false;
    fields += "!";
    return true;
  };
  versions.edit_all(edit, {2, 20}, true);
  EXPECT_EQ(taken(versions), (std::vector<std::string>{"0 0 a 1-2", "2 2 c 1-2", "3 0 a! 2-0", "4 2 c! 2-0"}));
}

TEST(Versions, NumbersDoNotDependOnWhatIsWanted) {
  Texts versions;
  versions.set("a", "one", {1, 10}, false);
  versions.set("a", "two", {2, 20}, false);
  EXPECT_TRUE(taken(versions).empty());
  versions.set("a", "three", {3, 30}, true);
  EXPECT_EQ(taken(versions), (std::vector<std::string>{"1 0 two 2-3", "2 0 three 3-0"}));
}

}  // namespace
}  // namespace halocline
