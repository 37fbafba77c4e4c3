// The order matters: tools say whether one is forced, that and the last turns say whether the model thinks, and that
// says what goes into the turns and by what it samples.
#include "tollgate/protocol/anthropic/to_messages.hpp"

#include "protocol/anthropic/request/answer_format.hpp"
#include "protocol/anthropic/request/chat_text.hpp"
#include "protocol/anthropic/request/chat_thinking.hpp"
#include "protocol/anthropic/request/chat_tools.hpp"
#include "protocol/anthropic/request/chat_turns.hpp"
#include "protocol/json_text.hpp"

#include <algorithm>

namespace tollgate::protocol::anthropic {

using namespace request;
namespace {

using json::Kind;
using json::Value;

constexpr std::size_t most_marks = 4;

class Translation {
 public:
  Translation(std::string_view chat, const ToMessages& terms)
      : chat_(chat), terms_(terms), rules_(rules_of(terms.model)), findings_(terms.strict) {}

  Result<MessagesRequest> run();

 private:
  bool check_text();
  bool read_fields();
  bool judge(const ChatField& row, const Value& value);
  bool read_cache();
  bool read_limit();
  bool translate();
  bool plan();
  bool write();
  bool write_stop(json::Writer& writer);
  void write_output_config(json::Writer& writer);
  bool write_end_user(json::Writer& writer);
  bool write_service_tier(json::Writer& writer);
  const Value& field(Field name) const { return fields_[static_cast<std::size_t>(name)]; }

  std::string_view chat_;
  const ToMessages& terms_;
  const ModelRules& rules_;
  Findings findings_;
  std::array<Value, static_cast<std::size_t>(Field::count)> fields_{};
  std::uint64_t max_tokens_ = 0;
  bool breakpoint_hour_ = false;
  std::optional<CacheMark> own_mark_;  ///< cache_control of the body itself
  Tools tools_;
  ToolChoice choice_;
  AnswerFormat format_{rules_, tools_, choice_, findings_};
  ThinkingPlan thinking_;
  std::optional<TurnWriter> turns_;
  MessagesRequest made_;
};

Result<MessagesRequest> Translation::run() {
  if (!check_text() || !read_fields() || !read_cache() || !read_limit() || !translate() || !write())
    return findings_.failure();
  made_.dropped = findings_.dropped();
  return std::move(made_);
}

/// So that whatever is handed on as written is JSON and text.
bool Translation::check_text() {
  if (const std::size_t at = find_broken_utf8(chat_); at != std::string_view::npos)
    return findings_.refuse("the request body is not valid UTF-8 at byte " + std::to_string(at), {});
  if (!json::is_valid(chat_)) return findings_.refuse("the request body is not valid JSON", {});
  return true;
}

bool Translation::read_fields() {
  json::Reader reader(chat_);
  if (!reader.enter_object()) return findings_.refuse("the request body must be a JSON object", {});
  while (reader.next_member()) {
    const auto row = std::ranges::find(chat_fields, reader.key(), &ChatField::name);
    if (row == chat_fields.end() || row->name.find('.') != std::string_view::npos) {
      const std::string name(reader.key());
      if (!reader.take().is_null() && !findings_.drop_unknown(name)) return false;
      continue;
    }
    Value& value = fields_[static_cast<std::size_t>(row->field)];
    if (value.kind != Kind::none)
      return findings_.refuse("duplicate key '" + std::string(row->name) + "' in the request body", row->name);
    value = reader.take();
    if (!judge(*row, value)) return false;
  }
  return true;
}

bool Translation::judge(const ChatField& row, const Value& value) {
  if (row.fate == Fate::mapped || row.idle(value)) return true;
  return row.fate == Fate::dropped ? findings_.drop(row.field) : findings_.refuse(row.field, row.name);
}

bool Translation::read_cache() {
  const auto lifetime = read_cache_lifetime(json::pick(field(Field::prompt_cache_options).text, "ttl"));
  if (!lifetime)
    return findings_.refuse("'prompt_cache_options.ttl' must be \"30m\" or \"12h\"", "prompt_cache_options",
                            unsupported_value);
  breakpoint_hour_ = lifetime->hour;
  return read_cache_mark(field(Field::cache_control), {}, false, own_mark_, findings_);
}

bool Translation::read_limit() {
  std::optional<std::uint64_t> limit = terms_.max_tokens;
  for (const Field name : {Field::max_tokens, Field::max_completion_tokens}) {
    const Value& value = field(name);
    if (!value.is_given()) continue;
    const auto number = value.kind == Kind::number ? json::whole_number(value.text) : std::nullopt;
    const std::string_view param = chat_field(name).name;
    if (!number || *number == 0)
      return findings_.refuse("'" + std::string(param) + "' must be a whole number above zero", param);
    // Below zero is how some clients say that there is no limit.
    if (*number > 0) limit = static_cast<std::uint64_t>(*number);
  }
  max_tokens_ = std::clamp<std::uint64_t>(limit.value_or(rules_.default_tokens), 1, rules_.most_tokens);
  return true;
}

bool Translation::translate() {
  std::vector<ChatMessage> messages;
  if (!field(Field::messages).is_given()) return findings_.refuse("'messages' is missing", "messages");
  if (!read_messages(field(Field::messages), messages, findings_)) return false;
  if (!read_tool_choice(field(Field::tool_choice), field(Field::function_call), choice_, findings_)) return false;
  ToolReader reader(rules_, choice_, breakpoint_hour_, findings_);
  if (!reader.read(field(Field::tools), field(Field::functions), tools_)) return false;
  if (!settle_tool_choice(choice_, tools_, rules_, findings_)) return false;
  made_.shape.custom_tools = tools_.custom;

  if (!format_.settle(field(Field::response_format))) return false;
  made_.shape.answer_tool = format_.tool();
  made_.shape.bare_json = !format_.words().empty();
  const bool unthought = rules_.thinking == Thinking::budget && ends_unthought(messages, terms_.thoughts);
  const ThinkingWishes wishes{field(Field::reasoning_effort), field(Field::thinking), max_tokens_, choice_.forces(),
                              unthought};
  if (!plan_thinking(wishes, rules_, thinking_, findings_)) return false;
  turns_.emplace(TurnTerms{.thoughts = thinking_.thinks ? terms_.thoughts : nullptr,
                           .prefill = rules_.prefill && !thinking_.thinks,
                           .breakpoint_hour = breakpoint_hour_},
                 findings_);
  if (!turns_->write(messages)) return false;
  if (!format_.words().empty()) write_text_block(turns_->system(), format_.words());
  return true;
}

bool Translation::write() {
  limit_marks({&tools_.blocks.written(), &turns_->system().written(), &turns_->turns()},
              own_mark_ ? most_marks - 1 : most_marks);
  json::Writer writer(made_.body);
  writer.open_object().key("model").text(terms_.model).key("max_tokens").number(max_tokens_);
  if (own_mark_) {
    writer.key("cache_control").open_object().key("type").text("ephemeral");
    if (own_mark_->hour) writer.key("ttl").text("1h");
    writer.close_object();
  }
  if (!tools_.blocks.empty()) {
    writer.key("tools").open_array().raw(tools_.blocks.written().text).close_array();
    const bool parallel = field(Field::parallel_tool_calls).text != "false";
    write_tool_choice(writer, choice_, parallel);
  }
  if (!turns_->system().empty()) writer.key("system").open_array().raw(turns_->system().written().text).close_array();
  writer.key("messages").open_array().raw(turns_->turns().text).close_array();
  if (!thinking_.thinking.empty()) writer.key("thinking").raw(thinking_.thinking);
  write_output_config(writer);
  const bool samples = rules_.sampling != Sampling::none && terms_.version == Version::v2023_06_01 && !thinking_.thinks;
  const SamplingWishes sampling{field(Field::temperature), field(Field::top_p), field(Field::top_k), samples};
  if (!write_sampling(writer, sampling, rules_, findings_) || !write_stop(writer)) return false;
  if (!write_end_user(writer) || !write_service_tier(writer)) return false;
  if (field(Field::stream).is_true()) {
    writer.key("stream").boolean(true);
    made_.shape.include_usage = json::pick(field(Field::stream_options).text, "include_usage").is_true();
  }
  writer.close_object();
  return true;
}

void Translation::write_output_config(json::Writer& writer) {
  if (!thinking_.effort && format_.schema().empty()) return;
  writer.key("output_config").open_object();
  if (thinking_.effort) writer.key("effort").text(effort_names[static_cast<std::size_t>(*thinking_.effort)]);
  if (!format_.schema().empty()) {
    writer.key("format").open_object().key("type").text("json_schema");
    writer.key("schema").raw(format_.schema()).close_object();
  }
  writer.close_object();
}

bool Translation::write_stop(json::Writer& writer) {
  const Value& stop = field(Field::stop);
  if (!stop.is_given()) return true;
  Blocks texts;
  const auto add = [&](const Value& text) {
    if (text.kind != Kind::string) return findings_.refuse("'stop' must be a string or a list of strings", "stop");
    if (is_blank(text.inside())) return true;
    json::Writer one = texts.next();
    write_text(one, text.inside());
    return true;
  };
  json::Reader reader(stop.text);
  if (!reader.enter_array()) {
    if (!add(stop)) return false;
  } else {
    while (reader.next_element())
      if (!add(reader.take())) return false;
  }
  if (!texts.empty()) writer.key("stop_sequences").open_array().raw(texts.written().text).close_array();
  return true;
}

/// Names of people must not go there: what comes out is the same for the same user and tells nobody who that is.
bool Translation::write_end_user(json::Writer& writer) {
  std::string user;
  const auto take = [&](const Value& value) {
    if (value.kind == Kind::string && user.empty()) user = json::decode_lossy(value.inside());
  };
  take(field(Field::safety_identifier));
  take(field(Field::user));
  json::Reader metadata(field(Field::metadata).text);
  bool others = false;
  if (metadata.enter_object()) {
    while (metadata.next_member()) {
      const bool names_user = metadata.key() == "user_id";
      others |= !names_user && metadata.key() != "task_type";
      const Value value = metadata.take();
      if (names_user) take(value);
    }
  }
  if (!user.empty()) writer.key("metadata").open_object().key("user_id").text(short_digest(user)).close_object();
  return !others || findings_.drop(Field::metadata);
}

bool Translation::write_service_tier(json::Writer& writer) {
  const Value& tier = field(Field::service_tier);
  if (!tier.is_given()) return true;
  if (tier.text == "\"auto\"" || tier.text == "\"priority\"") {
    writer.key("service_tier").text("auto");
  } else if (tier.text == "\"default\"") {
    writer.key("service_tier").text("standard_only");
  } else if (tier.text == "\"fast\"" && rules_.fast) {
    writer.key("speed").text("fast");
  } else {
    return findings_.drop(Field::service_tier);
  }
  return true;
}

}  // namespace

Result<MessagesRequest> to_messages(std::string_view chat, const ToMessages& terms) {
  return Translation(chat, terms).run();
}

}  // namespace tollgate::protocol::anthropic
