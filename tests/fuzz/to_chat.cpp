// Whatever an Anthropic client sends, what it becomes is a valid body that the gateway itself would accept; what a
// provider answers in its place is a valid message; and what is cut out of the body leaves a valid one.
#include "tollgate/protocol/anthropic/to_chat.hpp"

#include "tollgate/protocol/anthropic/foreign.hpp"
#include "tollgate/protocol/openai/needs.hpp"
#include "tollgate/protocol/openai/prompt_parts.hpp"

#include "protocol/json_pick.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace {

using namespace tollgate::protocol;

void require(bool condition) {
  if (!condition) __builtin_trap();
}

void check_request(std::string_view body, bool strict) {
  const auto chat = anthropic::to_chat(body, {.model = "m\"", .max_completion_tokens = strict, .strict = strict});
  if (!chat) {
    require(chat.error().kind == tollgate::FailureKind::bad_request && !chat.error().message.empty());
    return;
  }
  require(json::is_valid(body) && json::is_valid(chat->body));
  // Each byte becomes six at most, in an input's text, and each block a frame of its own.
  require(chat->body.size() <= 40 * body.size() + 4096);
  const auto scan = openai::scan_request(chat->body);
  require(scan.has_value() && scan->model == "m\"");
  if (strict) {
    const auto again = anthropic::to_chat(body, {.model = "m\"", .max_completion_tokens = true});
    require(again && again->body == chat->body && again->dropped == chat->dropped);
  }
}

void check_cut(std::string_view body) {
  const auto splices = anthropic::cut_foreign_thinking(body);
  std::size_t end = 0;
  for (const openai::Splice& splice : splices) {
    require(splice.where.begin >= end && splice.where.begin < splice.where.end && splice.where.end <= body.size());
    end = splice.where.end;
  }
  if (splices.empty() || !json::is_valid(body)) return;
  std::string out;
  for (const std::string_view piece : openai::apply_splices(body, splices)) out += piece;
  require(json::is_valid(out) && anthropic::cut_foreign_thinking(out).empty());
}

void check_reply(std::string_view body) {
  const auto message = anthropic::to_message(body, {.id = "a", .model = "m"});
  require(!message || json::is_valid(message->body));
  const auto error = anthropic::to_message_error(400, body, "r");
  require(json::is_valid(error.body) && error.status >= 400);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const std::string_view body(reinterpret_cast<const char*>(bytes), size);
  check_request(body, false);
  check_request(body, true);
  check_cut(body);
  check_reply(body);
  const std::string_view start = openai::conversation_start(body);
  require(start.empty() || (start.data() >= body.data() && start.data() + start.size() <= body.data() + size));
  openai::read_needs(body);
  std::size_t told = 0;
  openai::read_prompt_parts(body, [&](std::string_view text) { told += text.size(); });
  require(told <= 4 * size);
  return 0;
}
