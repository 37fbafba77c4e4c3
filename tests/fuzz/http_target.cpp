// Targets: an accepted path is absolute, holds nothing that leads elsewhere, and reads as itself when parsed again.
#include "tollgate/protocol/http/target.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdlib>

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

bool holds_any(std::string_view text, std::initializer_list<std::string_view> parts) {
  return std::any_of(parts.begin(), parts.end(),
                     [text](auto part) { return text.find(part) != std::string_view::npos; });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using tollgate::protocol::http::parse_target;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto target = parse_target(bytes);
  if (!target.has_value()) {
    require(target.error().kind == tollgate::FailureKind::bad_request);
    return 0;
  }
  const std::string& path = target->path;
  require(path.starts_with('/') && path.size() <= bytes.size());
  require(
      !holds_any(path, {"//", "/./", "/../", "\\", "#", ";", "?", "%2f", "%2F", "%5c", "%5C", "%2e", "%2E", "%00"}));
  require(!path.ends_with("/.") && !path.ends_with("/.."));
  require(std::all_of(bytes.begin(), bytes.end(), [](char c) { return c > ' ' && c < 0x7F; }));
  require(target->query.empty() || bytes.ends_with(target->query));
  const auto again = parse_target(path);
  require(again.has_value() && again->path == path && again->query.empty());
  return 0;
}
