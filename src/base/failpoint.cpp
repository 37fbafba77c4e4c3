#include "tollgate/base/failpoint.hpp"

#if defined(TOLLGATE_FAILPOINTS)

#include <atomic>
#include <charconv>
#include <csignal>
#include <cstdlib>
#include <string>

namespace tollgate::failpoint {
namespace {

struct Plan {
  std::string name;
  std::atomic<long> passes_left{0};

  Plan() {
    // NOLINTNEXTLINE(concurrency-mt-unsafe): nobody changes the environment
    if (const char* text = std::getenv("TOLLGATE_FAILPOINT")) set(text);
  }
  void set(std::string_view text) {
    const std::size_t colon = text.rfind(':');
    long count = 1;
    if (colon != text.npos) std::from_chars(text.data() + colon + 1, text.data() + text.size(), count);
    name = text.substr(0, colon);
    passes_left = count;
  }
};

/// One process dies at one place: no owner could hand this down to every place that may be it.
Plan& plan() {
  static Plan plan;
  return plan;
}

}  // namespace

void pass(std::string_view name) {
  Plan& wanted = plan();
  if (wanted.name.empty() || wanted.name != name) return;
  if (wanted.passes_left.fetch_sub(1) == 1) ::raise(SIGKILL);
}

void arm(std::string_view text) { plan().set(text); }

}  // namespace tollgate::failpoint

#endif
