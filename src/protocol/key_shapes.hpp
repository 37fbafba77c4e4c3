#pragma once
#include "protocol/plain_text.hpp"

#include <cstddef>
#include <vector>

namespace tollgate::protocol {

/// A run of bytes.
struct Run {
  std::size_t begin, end;
};

/// The runs of `text.bytes` that look like a provider's key, in order, none overlapping.
std::vector<Run> find_key_shapes(const PlainText& text);

}  // namespace tollgate::protocol
