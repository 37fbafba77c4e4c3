#include "tollgate/io/secure_random.hpp"

#include "tollgate/base/errno_text.hpp"

#include <sys/random.h>

#include <cerrno>

namespace tollgate::io {

Result<void> fill_random(std::span<std::uint8_t> out) {
  while (!out.empty()) {
    const auto count = ::getrandom(out.data(), out.size(), 0);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) {
      return Failure{.kind = FailureKind::overloaded, .message = "the system gives no random bytes: " + errno_text()};
    }
    out = out.subspan(static_cast<std::size_t>(count));
  }
  return {};
}

}  // namespace tollgate::io
