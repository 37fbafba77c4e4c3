#pragma once
#include "tollgate/base/result.hpp"

#include <string>
#include <string_view>

namespace tollgate::protocol::http {

/// A request target taken apart for routing. Only the path decides where a request goes.
struct Target {
  std::string path;  ///< repeated slashes folded into one; no dot segments, no escapes of '/', '\\', '.', or controls
  std::string_view query;  ///< after '?', as sent; a view into the target
};

/// Takes an origin-form target apart, or says why it is refused: a fragment, an absolute form, a backslash, non-ASCII
/// or control bytes, a broken percent escape, an escaped slash, backslash, dot or control byte, a dot segment, a
/// semicolon parameter.
Result<Target> parse_target(std::string_view target);

}  // namespace tollgate::protocol::http
