#pragma once
#include <string>

namespace tollgate::simulator::test {

struct SelfSigned {
  std::string certificate_pem;
  std::string private_key_pem;
};

/// A fresh P-256 key with a certificate for "localhost", valid for an hour.
SelfSigned make_self_signed();

}  // namespace tollgate::simulator::test
