// translate: what the translation between the two APIs costs by itself, beside what is read of bytes that are only
// passed on: the functions that a request, an answer or an event goes through, over the same words again and again.
//
//   translate WAY COUNT       prints the CPU time of one round in nanoseconds; `translate` alone lists the ways
//
// It is linked with the release build's protocol room; bench/translate.py runs it, and counts instructions.
#include "tollgate/protocol/anthropic/chat_answer.hpp"
#include "tollgate/protocol/anthropic/to_chat.hpp"
#include "tollgate/protocol/anthropic/to_messages.hpp"
#include "tollgate/protocol/openai/reply.hpp"
#include "tollgate/protocol/openai/request.hpp"
#include "tollgate/protocol/sse.hpp"

#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <functional>
#include <map>
#include <string>

using namespace tollgate::protocol;
using openai::StreamKind;

namespace {

const AnswerNames names{"0123456789abcdef", "mock", 1700000000};
volatile std::size_t kept = 0;  // so that nothing is left out

std::string repeated(std::string_view text, std::size_t size) {
  std::string all;
  while (all.size() + text.size() <= size) all += text;
  return all;
}

/// As long as is asked for, of words and escapes as they are in logs and code.
std::string words(std::size_t size) {
  return repeated(
      "Please read the log: \\\"state\\\" was ready, then gone.\\nWarum? Die Verbindung wird zu früh geschlossen. ",
      size);
}

std::string chat_request(std::size_t size) {
  return R"({"model":"mock","temperature":0.7,"max_tokens":256,"stream":true,"stream_options":{"include_usage":true},)"
         R"("messages":[{"role":"system","content":"You are a careful assistant."},{"role":"user","content":")" +
         words(size - 270) + R"("}]})";
}

std::string message_request(std::size_t size) {
  return R"({"model":"mock","temperature":0.7,"max_tokens":256,"stream":true,"system":"You are a careful assistant.",)"
         R"("messages":[{"role":"user","content":")" +
         words(size - 200) + R"("}]})";
}

const std::string text = "n=00000001 tok";
const std::string chat_event =
    R"(data: {"id":"chatcmpl-mock0123456789abcdef","object":"chat.completion.chunk","created":1700000000,"model":"mock-1",)"
    R"("system_fingerprint":"fp_mock","choices":[{"index":0,"delta":{"content":")" +
    text + "\"},\"logprobs\":null,\"finish_reason\":null}]}\n\n";
const std::string message_event =
    R"(event: content_block_delta
data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":")" +
    text + "\"}}\n\n";
const std::string message_opening =
    R"(event: message_start
data: {"type":"message_start","message":{"id":"msg_1","type":"message","role":"assistant","model":"mock-1","content":[],"usage":{"input_tokens":9,"output_tokens":1}}}

event: content_block_start
data: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}

)";

const std::string chat_reply =
    R"({"id":"chatcmpl-1","object":"chat.completion","created":1700000000,"model":"mock-1","choices":[{"index":0,"message":)"
    R"({"role":"assistant","content":")" +
    words(240) +
    R"(","refusal":null},"logprobs":null,"finish_reason":"stop"}],"usage":{"prompt_tokens":256,"completion_tokens":46,"total_tokens":302}})";
const std::string message_reply =
    R"({"id":"msg_1","type":"message","role":"assistant","model":"mock-1","content":[{"type":"text","text":")" +
    words(240) +
    R"("}],"stop_reason":"end_turn","stop_sequence":null,"usage":{"input_tokens":256,"output_tokens":46}})";

/// What the relay reads of each event, whoever has written it.
void relay(StreamKind kind, std::string_view events) {
  static SseScanner scanner;
  while (!events.empty()) {
    const std::size_t end = scanner.next_event_end(events);
    if (end == 0) std::abort();
    const SseEvent parsed = parse_sse_event(events.substr(0, end));
    kept = kept + openai::read_chunk(kind, parsed.name, parsed.data).content;
    events.remove_prefix(end);
  }
}

void translate(StreamTranslator& translator, StreamKind kind, std::string_view events) {
  static std::string out;
  out.clear();
  translator.take(events, out);
  if (out.empty() || !translator.fault().empty()) std::abort();
  relay(kind, out);
}

void must(bool holds) {
  if (!holds) std::abort();
}

std::function<void()> request_way(std::string body, int way) {
  return [body = std::move(body), way] {
    const auto scan = openai::scan_request(body);
    must(scan.has_value());
    if (way == 0) kept = kept + openai::plan_splices(*scan, {.model = "claude-x"}).size();
    if (way == 1) kept = kept + anthropic::to_messages(body, {.model = "claude-x"})->body.size();
    if (way == 2) kept = kept + anthropic::to_chat(body, {.model = "gpt-x"})->body.size();
  };
}

std::map<std::string, std::function<void()>> ways() {
  auto to_chat = std::shared_ptr<StreamTranslator>(anthropic::make_chat_stream({}, names));
  auto to_messages = std::shared_ptr<StreamTranslator>(anthropic::make_message_stream(names));
  std::string opened;
  to_chat->take(message_opening, opened);
  return {
      {"event, chat to chat", [] { relay(StreamKind::chat, chat_event); }},
      {"event, messages to messages", [] { relay(StreamKind::messages, message_event); }},
      {"event, chat to messages", [to_chat] { translate(*to_chat, StreamKind::chat, message_event); }},
      {"event, messages to chat", [to_messages] { translate(*to_messages, StreamKind::messages, chat_event); }},
      {"request of 1 KB, chat to chat", request_way(chat_request(1024), 0)},
      {"request of 1 KB, messages to messages", request_way(message_request(1024), 0)},
      {"request of 1 KB, chat to messages", request_way(chat_request(1024), 1)},
      {"request of 1 KB, messages to chat", request_way(message_request(1024), 2)},
      {"request of 100 KB, chat to chat", request_way(chat_request(102400), 0)},
      {"request of 100 KB, messages to messages", request_way(message_request(102400), 0)},
      {"request of 100 KB, chat to messages", request_way(chat_request(102400), 1)},
      {"request of 100 KB, messages to chat", request_way(message_request(102400), 2)},
      {"answer, chat to messages",
       [] { kept = kept + anthropic::to_chat_reply(message_reply, {}, names)->body.size(); }},
      {"answer, messages to chat", [] { kept = kept + anthropic::to_message(chat_reply, names)->body.size(); }},
  };
}

double cpu_nanoseconds() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) * 1e9 + static_cast<double>(time.tv_nsec);
}

}  // namespace

int main(int count, char** arguments) {
  const auto known = ways();
  if (count != 3 || !known.contains(arguments[1])) {
    for (const auto& [name, run] : known) std::puts(name.c_str());
    return count == 1 ? 0 : 1;
  }
  const auto& run = known.at(arguments[1]);
  const long rounds = std::strtol(arguments[2], nullptr, 10);
  for (int warm_up = 0; warm_up < 50; ++warm_up) run();
  const double began = cpu_nanoseconds();
  for (long round = 0; round < rounds; ++round) run();
  std::printf("%.1f\n", (cpu_nanoseconds() - began) / static_cast<double>(rounds));
}
