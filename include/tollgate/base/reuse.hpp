#pragma once
#include <cstddef>
#include <string>

namespace tollgate {

/// Empties a text and gives its memory back. An empty text that is assigned to it would leave it all it has.
inline void release(std::string& text) { std::string().swap(text); }

/// Empties a text that is to be used again, and gives its memory back where that is more than `kept` bytes: what one
/// burst took is not held for ever.
inline void clear_for_reuse(std::string& text, std::size_t kept) {
  if (text.capacity() > kept) release(text);
  text.clear();
}

}  // namespace tollgate
