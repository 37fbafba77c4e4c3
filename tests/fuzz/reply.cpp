// Whatever a provider sends, its meaning is consistent with itself, and the gateway's own error reads back as written.
#include "tollgate/protocol/openai/reply.hpp"

#include "tollgate/protocol/openai/cost_splice.hpp"
#include "tollgate/protocol/openai/error.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace {

using namespace tollgate;
using namespace tollgate::protocol::openai;

void require(bool condition) {
  if (!condition) __builtin_trap();
}

/// Nothing is beyond what one report can say, and no whole is less than its parts.
void check_usage(const std::optional<tollgate::protocol::Usage>& usage) {
  if (!usage) return;
  constexpr std::uint64_t most = std::uint64_t{1} << 56;
  require(usage->input <= most && usage->output <= most && usage->searches <= most);
  require(usage->cached_input + usage->cache_write + usage->cache_write_long + usage->audio_input +
              usage->image_input <=
          usage->input);
  require(usage->reasoning + usage->audio_output + usage->image_output <= usage->output);
}

/// Said once more, a report changes nothing.
void check_part(const std::optional<tollgate::protocol::UsagePart>& part) {
  if (!part) return;
  std::optional<tollgate::protocol::Usage> usage;
  merge(usage, *part);
  check_usage(usage);
  const auto once = usage;
  merge(usage, *part);
  require(usage == once);
}

void check_chunk(StreamKind kind, std::string_view name, std::string_view data) {
  const ChunkMeaning meaning = read_chunk(kind, name, data);
  check_part(meaning.usage);
  if (meaning.usage_only) require(!meaning.content && !meaning.error && !meaning.finish && !meaning.done);
  if (meaning.malformed) require(!meaning.usage && !meaning.usage_only && !meaning.finish && !meaning.done);
  if (kind == StreamKind::opaque) require(!(meaning.content && meaning.error));
}

/// With its cost in it an answer means what it meant, and with the same cost once more it is the same.
void check_cost(std::string_view json) {
  const auto spliced = [](std::string_view text) -> std::optional<std::string> {
    const auto splice = plan_cost(text, "0.25");
    if (!splice) return std::nullopt;
    require(splice->where.begin <= splice->where.end && splice->where.end <= text.size());
    const std::vector<Splice> splices = {*splice};
    std::string out;
    for (const std::string_view piece : apply_splices(text, splices)) out += piece;
    return out;
  };
  const auto priced = spliced(json);
  if (!priced) return;
  require(spliced(*priced) == priced);
  require(read_usage(*priced) == read_usage(json));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const std::string_view data(reinterpret_cast<const char*>(bytes), size);
  for (const StreamKind kind :
       {StreamKind::chat, StreamKind::completions, StreamKind::responses, StreamKind::messages, StreamKind::opaque}) {
    check_chunk(kind, {}, data);
    check_chunk(kind, "error", data);
  }
  check_usage(read_usage(data));
  check_cost(data);
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
