#include "base/copy_bytes.h"

#include <gtest/gtest.h>

#include <string>

namespace halocline {
namespace {

TEST(CopyBytes, CopiesThatManyAndWritesNoOthers) {
  for (std::size_t size = 0; size <= 200; ++size) {
    std::string from(size, '\0');
    for (std::size_t i = 0; i < size; ++i) from[i] = static_cast<char>(i + 1);
    std::string to(size + 64, '~');
    EXPECT_EQ(copy_bytes(from, to.data() + 32), to.data() + 32 + size);
    EXPECT_EQ(to, std::string(32, '~') + from + std::string(32, '~')) << size;
  }
}

}  // namespace
}  // namespace halocline
