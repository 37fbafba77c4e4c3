#include "tollgate/base/digest.hpp"

#include <gtest/gtest.h>

namespace tollgate {
namespace {

// FIPS 180-4 and NIST's example values.
TEST(Sha256, GivesThePublishedDigests) {
  EXPECT_EQ(to_hex(sha256("")), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(to_hex(sha256("abc")), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(to_hex(sha256(std::string(1'000'000, 'a'))),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(Sha256, DoesNotRememberWhatItHashedBefore) {
  const Digest first = sha256("one");
  sha256("two");
  EXPECT_TRUE(same_digest(sha256("one"), first));
}

TEST(Digest, DiffersInItsLastByteToo) {
  const Digest one = sha256("x");
  Digest other = one;
  other.back() ^= 1;
  EXPECT_TRUE(same_digest(one, one));
  EXPECT_FALSE(same_digest(one, other));
}

TEST(Digest, IsReadFromHexOfEitherCaseAndFromNothingElse) {
  const Digest digest = sha256("abc");
  std::string text = to_hex(digest);
  EXPECT_EQ(digest_from_hex(text), digest);
  for (char& c : text) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  EXPECT_EQ(digest_from_hex(text), digest);
  EXPECT_FALSE(digest_from_hex(text.substr(1)));
  EXPECT_FALSE(digest_from_hex(text + "0"));
  text[5] = 'g';
  EXPECT_FALSE(digest_from_hex(text));
}

TEST(SameSecret, SeesADifferenceInEveryPlace) {
  for (std::size_t size = 0; size < 40; ++size) {
    const std::string text(size, 'x');
    EXPECT_TRUE(same_secret(text, std::string(size, 'x')));
    EXPECT_FALSE(same_secret(text, text + "x"));
    for (std::size_t at = 0; at < size; ++at) {
      std::string other = text;
      other[at] ^= 0x40;
      EXPECT_FALSE(same_secret(text, other)) << size << " " << at;
    }
  }
}

}  // namespace
}  // namespace tollgate
