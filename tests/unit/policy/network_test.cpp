#include "tollgate/policy/network.hpp"

#include <gtest/gtest.h>

namespace tollgate::policy {
namespace {

bool holds(std::string_view network, std::string_view address) {
  const auto parsed = Network::parse(network);
  const auto ip = parse_ip(address);
  EXPECT_TRUE(parsed) << network;
  EXPECT_TRUE(ip) << address;
  return parsed && ip && parsed->contains(*ip);
}

TEST(Network, HoldsTheAddressesThatBeginWithItsBits) {
  EXPECT_TRUE(holds("10.0.0.0/8", "10.255.0.1"));
  EXPECT_FALSE(holds("10.0.0.0/8", "11.0.0.0"));
  EXPECT_TRUE(holds("192.168.4.0/22", "192.168.7.255"));
  EXPECT_FALSE(holds("192.168.4.0/22", "192.168.8.0"));
  EXPECT_TRUE(holds("192.0.2.7", "192.0.2.7"));
  EXPECT_FALSE(holds("192.0.2.7", "192.0.2.6"));
  EXPECT_TRUE(holds("0.0.0.0/0", "203.0.113.9"));
  EXPECT_TRUE(holds("2001:db8::/33", "2001:db8:7fff::1"));
  EXPECT_FALSE(holds("2001:db8::/33", "2001:db8:8000::1"));
}

TEST(Network, TakesAnIpv4AddressInEitherClothingForTheSame) {
  EXPECT_TRUE(holds("10.0.0.0/8", "::ffff:10.1.2.3"));
  EXPECT_TRUE(holds("::ffff:10.0.0.0/104", "10.1.2.3"));
  EXPECT_FALSE(holds("0.0.0.0/0", "2001:db8::1"));
  EXPECT_TRUE(holds("::/0", "203.0.113.9"));
}

TEST(Network, IsReadFromNothingElse) {
  for (const char* text : {"", "/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/8 ", "10.1/8", "::1/129",
                           "[::1]", "fe80::1%lo", "0x7f.0.0.1", "010.0.0.1", "example.com"})
    EXPECT_FALSE(Network::parse(text)) << text;
}

}  // namespace
}  // namespace tollgate::policy
