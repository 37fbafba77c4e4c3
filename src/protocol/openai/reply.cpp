// Whole answers: their usage for the ledger, and their error for the log and the choice of what to do next. Compatible
// servers spell errors in a dozen ways, so this reads fields wherever they were seen and never insists on a form.
#include "tollgate/protocol/openai/reply.hpp"

#include "protocol/json_scan.hpp"
#include "protocol/json_text.hpp"
#include "protocol/openai/usage.hpp"
#include "protocol/same.hpp"

namespace tollgate::protocol::openai {
namespace {

using json::Kind;
using json::Reader;
using json::Value;

std::string text_of(const Value& value) {
  if (value.kind == Kind::string) return json::decode_lossy(value.inside());
  if (value.kind == Kind::number) return std::string(value.text);
  return {};
}

std::optional<int> as_status(std::string_view code) {
  const auto number = json::whole_number(code);
  if (!number || *number < 400 || *number > 599) return std::nullopt;
  return static_cast<int>(*number);
}

/// Reads an error body of any make. Fields of an `error` object win over those beside it.
class ErrorReader {
 public:
  explicit ErrorReader(std::string_view json) : reader_(json) {}

  std::optional<ErrorInfo> run() {
    if (reader_.enter_array()) {  // Gemini's OpenAI endpoint wraps the object
      if (reader_.next_element()) read_body();
      while (reader_.next_element()) reader_.take();
    } else {
      read_body();
    }
    if (!reader_.finish()) return std::nullopt;
    if (nested_) return nested_;
    if (!flat_.message.empty()) return flat_;
    return std::nullopt;
  }

 private:
  void read_body() {
    if (!reader_.enter_object()) {
      reader_.take();
      return;
    }
    while (reader_.next_member()) {
      const std::string_view key = reader_.key();
      if (same(key, "error")) {
        read_error_member();
      } else if (same(key, "response")) {
        read_response();
      } else {
        read_field(key, flat_);
      }
    }
  }

  /// A failed event of /v1/responses holds its error in the response.
  void read_response() {
    if (!reader_.enter_object()) {
      reader_.take();
      return;
    }
    while (reader_.next_member()) {
      if (same(reader_.key(), "error")) {
        read_error_member();
      } else {
        reader_.take();
      }
    }
  }

  void read_error_member() {
    ErrorInfo info;
    if (reader_.enter_object()) {
      bool any = false;
      for (; reader_.next_member(); any = true) read_field(reader_.key(), info);
      if (any) nested_ = std::move(info);
      return;
    }
    const Value value = reader_.take();
    if (!value.truthy()) return;
    info.message = text_of(value);
    nested_ = std::move(info);
  }

  void read_field(std::string_view key, ErrorInfo& info) {
    if (same(key, "message") || same(key, "Message") || (same(key, "detail") && info.message.empty())) {
      info.message = text_of(reader_.take());
    } else if (same(key, "type")) {
      info.type = text_of(reader_.take());
    } else if (same(key, "status") && info.type.empty()) {  // Gemini's word for the type
      info.type = text_of(reader_.take());
    } else if (same(key, "code")) {
      info.code = text_of(reader_.take());
      info.status = as_status(info.code);
    } else if (same(key, "param")) {
      info.param = text_of(reader_.take());
    } else {
      reader_.take();
    }
  }

  Reader reader_;
  std::optional<ErrorInfo> nested_;
  ErrorInfo flat_;
};

bool is_empty_list(std::string_view json) {
  if (!json.starts_with('[')) return false;
  const std::size_t next = json.find_first_not_of(" \t\r\n", 1);
  return next != json.npos && json[next] == ']';
}

/// False: it is not one JSON object, and what was put into `meaning` is nothing to go by.
bool read_answer(std::string_view json, ReplyMeaning& meaning) {
  Reader reader(json);
  UsageFinder usage;
  std::optional<UsagePart> nested;
  if (!reader.enter_object()) return false;
  while (reader.next_member()) {
    const std::string_view key = reader.key();
    if (same(key, "error")) {
      meaning.error |= reader.take().truthy();
    } else if (same(key, "object")) {  // older vLLM has the error's fields at the top
      meaning.error |= reader.take().text == R"("error")";
    } else if (same(key, "response") || same(key, "x_groq")) {
      take_nested_usage(reader, nested);
    } else if (same(key, "choices")) {
      meaning.no_choices = is_empty_list(reader.take().text);
    } else if (!usage.take(reader)) {
      reader.take();
    }
  }
  if (usage.found()) {
    merge(meaning.usage, usage.part());
  } else if (nested) {
    merge(meaning.usage, *nested);
  }
  return reader.finish();
}

}  // namespace

ReplyMeaning read_reply(std::string_view json) {
  ReplyMeaning meaning;
  if (!read_answer(json, meaning)) {
    meaning = ReplyMeaning();
    meaning.broken = true;
  }
  return meaning;
}

std::optional<Usage> read_usage(std::string_view json) { return read_reply(json).usage; }

std::optional<ErrorInfo> read_error(std::string_view json) { return ErrorReader(json).run(); }

}  // namespace tollgate::protocol::openai
