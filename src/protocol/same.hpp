#pragma once
#include <cstddef>
#include <cstring>
#include <string_view>

namespace tollgate::protocol {

/// text == literal, written so that the compiler turns it into a comparison of sizes and of a few words: the keys of a
/// body are each held against many names.
template <std::size_t size>
inline bool same(std::string_view text, const char (&literal)[size]) {
  return text.size() == size - 1 && std::memcmp(text.data(), literal, size - 1) == 0;
}

}  // namespace tollgate::protocol
