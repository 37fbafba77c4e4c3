// Whatever a provider sends, its meaning is consistent with itself, and the gateway's own error reads back as written.
#include "tollgate/protocol/openai/reply.hpp"

#include "tollgate/protocol/openai/error.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace {

using namespace tollgate;
using namespace tollgate::protocol::openai;

constexpr std::uint64_t most = 9'007'199'254'740'992;

void require(bool condition) {
  if (!condition) __builtin_trap();
}

void check_usage(const std::optional<Usage>& usage) {
  if (!usage) return;
  require(usage->input <= most && usage->cached_input <= most && usage->output <= most && usage->reasoning <= most);
}

void check_chunk(StreamKind kind, std::string_view name, std::string_view data) {
  const ChunkMeaning meaning = read_chunk(kind, name, data);
  check_usage(meaning.usage);
  if (meaning.usage_only) require(!meaning.content && !meaning.error && !meaning.finish && !meaning.done);
  if (meaning.malformed) require(!meaning.usage && !meaning.usage_only && !meaning.finish && !meaning.done);
  if (kind == StreamKind::opaque) require(!(meaning.content && meaning.error));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const std::string_view data(reinterpret_cast<const char*>(bytes), size);
  for (const StreamKind kind : {StreamKind::chat, StreamKind::completions, StreamKind::responses, StreamKind::opaque}) {
    check_chunk(kind, {}, data);
    check_chunk(kind, "error", data);
  }
  check_usage(read_usage(data));
  if (const auto error = read_error(data)) {
    require(!error->status || (*error->status >= 400 && *error->status <= 599));
    const Failure failure{.kind = FailureKind::upstream_error, .source = Source::upstream, .message = error->message};
    const auto again = read_error(error_body(failure));
    require(again && again->message == error->message && again->code == "upstream_error");
  }
  const Failure failure{.kind = FailureKind::internal, .source = Source::gateway, .message = std::string(data)};
  require(read_error(error_body(failure)).has_value());
  require(error_frame(failure).find('\n') == error_frame(failure).size() - 2);
  return 0;
}
