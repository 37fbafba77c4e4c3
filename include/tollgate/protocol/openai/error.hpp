#pragma once
#include "tollgate/base/result.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace tollgate::protocol::openai {

/// The HTTP status, type and code of a failure in OpenAI's words (product.md, section 6). 499 is for the log only.
struct ErrorForm {
  std::uint16_t status;
  std::string_view type;
  std::string_view code;
};
ErrorForm error_form(FailureKind kind);

/// OpenAI's error envelope with all four keys present; `param` and `code` are null where empty.
std::string error_body(std::string_view message, std::string_view type, std::string_view param, std::string_view code);
std::string error_body(const Failure& failure);

/// The same as an event in a stream: one data line, no event name, and its empty line (protocol.md, section 3.5).
std::string error_frame(const Failure& failure);

}  // namespace tollgate::protocol::openai
