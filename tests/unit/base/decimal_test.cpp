#include "tollgate/base/decimal.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <string>

namespace tollgate {
namespace {

TEST(Decimal, WritesTheDigitsOfEveryLengthAndNothingBehindThem) {
  std::array<char, longest_decimal + 1> room{};
  const auto check = [&room](std::uint64_t value) {
    room.fill('#');
    const char* const end = write_decimal(room.data(), value);
    const std::string expected = std::to_string(value);
    ASSERT_EQ(std::string_view(room.data(), static_cast<std::size_t>(end - room.data())), expected);
    ASSERT_EQ(*end, '#') << value;
    ASSERT_EQ(Decimal(value).text(), expected);
  };
  for (std::uint64_t value = 0; value < 20'000; ++value) check(value);
  std::uint64_t power = 1;
  for (int digits = 1; digits <= 19; ++digits) {
    power *= 10;
    for (const std::uint64_t value : {power - 1, power, power + 1, power * 3 / 2}) check(value);
  }
  for (int bits = 1; bits < 64; ++bits)
    for (const std::uint64_t value : {(std::uint64_t{1} << bits) - 1, std::uint64_t{1} << bits}) check(value);
  check(std::numeric_limits<std::uint64_t>::max());
}

}  // namespace
}  // namespace tollgate
