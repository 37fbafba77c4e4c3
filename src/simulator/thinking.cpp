#include "simulator/thinking.hpp"

#include "tollgate/base/digest.hpp"

#include "simulator/base64.hpp"

namespace tollgate::simulator {

namespace {

/// No secret: it only keeps a digest of the bare text from passing for a signature.
constexpr std::string_view key = "the simulator's own thinking: ";

std::string sealed(std::string_view kind, std::string_view text) {
  const Digest digest = sha256(std::string(key).append(kind).append(1, ' ').append(text));
  return base64_of({reinterpret_cast<const char*>(digest.data()), digest.size()});
}

}  // namespace

std::string signature_of(std::string_view thinking) { return sealed("shown", thinking); }

std::string redacted_data(std::string_view name) { return std::string(name).append(1, '/') + sealed("redacted", name); }

bool is_redacted_data(std::string_view data) {
  const std::size_t slash = data.find('/');
  return slash != std::string_view::npos && data == redacted_data(data.substr(0, slash));
}

}  // namespace tollgate::simulator
