#include "tollgate/pipeline/end_user_hashes.hpp"

#include <gtest/gtest.h>

#include <string>

namespace tollgate::pipeline {
namespace {

// Of the SHA-256 of "abc" (FIPS 180-4) the first eight bytes, as this machine reads them.
constexpr std::uint64_t of_abc = 0xEACF018FBF1678BA;

TEST(EndUserHashes, are_the_begin_of_the_names_sha_256) {
  EXPECT_EQ(end_user_hash("abc"), of_abc);
  EndUserHashes hashes;
  EXPECT_EQ(hashes.of("abc"), of_abc);
  EXPECT_EQ(hashes.of("abc"), of_abc);
}

TEST(EndUserHashes, stay_right_when_more_names_come_than_are_remembered) {
  EndUserHashes hashes;
  for (int round = 0; round < 3; ++round) {
    for (int number = 0; number < 2000; ++number) {
      const std::string name = "user-" + std::to_string(number);
      ASSERT_EQ(hashes.of(name), end_user_hash(name)) << name;
    }
  }
}

TEST(EndUserHashes, of_any_length_are_told_apart) {
  EndUserHashes hashes;
  for (const std::size_t size : {0U, 1U, 127U, 128U, 129U, 100'000U}) {
    const std::string one(size, 'a'), other = one + "b";
    EXPECT_EQ(hashes.of(one), end_user_hash(one)) << size;
    EXPECT_EQ(hashes.of(other), end_user_hash(other)) << size;
    EXPECT_EQ(hashes.of(one), end_user_hash(one)) << size;
  }
}

}  // namespace
}  // namespace tollgate::pipeline
