// The text of a system error. std::system_category() would do, but under a sanitizer its virtual call needs a free
// descriptor, and running out of descriptors is one of the errors that have to be told.
#pragma once

#include <cerrno>
#include <cstring>
#include <string>

namespace tollgate {

/// What the C library says of `code` (default: errno as it stands), "error 1234" where it does not know it. Any thread.
inline std::string errno_text(int code = errno) {
  const char* text = ::strerrordesc_np(code);
  return text ? text : "error " + std::to_string(code);
}

}  // namespace tollgate
