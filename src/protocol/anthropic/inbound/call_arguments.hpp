#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace tollgate::protocol::anthropic::inbound {

/// Sees where the JSON object that comes in pieces is whole. It looks at brackets and strings only.
class ObjectEnd {
 public:
  /// Bytes of `text` that belong to the object, blanks before it included.
  std::size_t pass(std::string_view text);
  bool begun() const { return depth_ > 0 || whole_; }
  bool whole() const { return whole_; }

 private:
  std::uint64_t depth_ = 0;
  bool in_string_ = false, escaped_ = false, whole_ = false;
};

/// Only blanks.
bool is_blank(std::string_view text);

/// The arguments of a call, as a model has written them, as the input of a tool_use, which must be an object: nothing
/// and null are none; what is no JSON object stands in one as `arguments`, for the tool to complain of.
std::string input_of(std::string_view arguments);

}  // namespace tollgate::protocol::anthropic::inbound
