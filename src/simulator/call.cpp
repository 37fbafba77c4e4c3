// Request bodies, checked the way OpenAI checks them, as far as a gateway can tell the difference. Reading goes by a
// DOM: this is the other side of the tests, where being obvious counts for more than being fast.
#include "simulator/call.hpp"

#include "simulator/schema_instance.hpp"
#include "simulator/words.hpp"

#include <nlohmann/json.hpp>

#include <array>
#include <utility>

namespace tollgate::simulator {

namespace {

using Json = nlohmann::json;

constexpr std::size_t max_choices = 128;
constexpr std::size_t max_inputs = 2048;
constexpr std::size_t max_dimensions = 8192;
constexpr const char* refusal_text = "I'm sorry, but I can't help with that.";

Failure refusal(std::string message, std::string param, std::string code = "") {
  return Failure{FailureKind::bad_request, Source::client, std::move(message), std::move(code), std::move(param)};
}

/// Null if the member is missing or null: OpenAI does not tell the two apart.
const Json* member(const Json& object, const char* name) {
  if (!object.is_object()) return nullptr;
  const auto found = object.find(name);
  return found == object.end() || found->is_null() ? nullptr : &*found;
}

bool flag(const Json& object, const char* name) {
  const Json* value = member(object, name);
  return value && value->is_boolean() && value->get<bool>();
}

/// A message's or item's content: a string, or parts of which some have text.
void add_content(Call& call, const Json& content) {
  if (content.is_string()) call.add_text(content.get_ref<const std::string&>());
  if (!content.is_array()) return;
  for (const Json& part : content) {
    const Json* text = member(part, "text");
    if (text && text->is_string()) call.add_text(text->get_ref<const std::string&>());
  }
}

/// Returns a failure if the member is there and not a whole number in [low, high].
std::optional<Failure> read_count(const Json& body, const char* name, std::size_t low, std::size_t high,
                                  std::optional<std::size_t>& count) {
  const Json* value = member(body, name);
  if (!value) return std::nullopt;
  if (!value->is_number_integer()) {
    return refusal(std::string("Invalid type for '") + name + "': expected an integer.", name, "invalid_type");
  }
  if (!value->is_number_unsigned() || value->get<std::uint64_t>() < low || value->get<std::uint64_t>() > high) {
    return refusal(std::string("Invalid value for '") + name + "'.", name, "invalid_value");
  }
  count = value->get<std::size_t>();
  return std::nullopt;
}

std::optional<Failure> read_stream(const Json& body, Call& call) {
  if (const Json* stream = member(body, "stream"); stream && !stream->is_boolean()) {
    return refusal("Invalid type for 'stream': expected a boolean.", "stream", "invalid_type");
  }
  call.stream = flag(body, "stream");
  const Json* options = member(body, "stream_options");
  if (!options) return std::nullopt;
  if (!call.stream) {
    return refusal("The 'stream_options' parameter is only allowed when 'stream' is enabled.", "stream_options");
  }
  call.include_usage = flag(*options, "include_usage");
  return std::nullopt;
}

/// What the last message asks for, if it is the user's.
Wishes wishes_of(const Json& message) {
  Wishes wishes;
  const Json* role = member(message, "role");
  const Json* content = member(message, "content");
  if (!role || *role != "user" || !content) return wishes;
  if (content->is_string()) wishes.read(content->get_ref<const std::string&>());
  if (!content->is_array()) return wishes;
  for (const Json& part : *content) {
    const Json* text = member(part, "text");
    if (text && text->is_string()) wishes.read(text->get_ref<const std::string&>());
  }
  return wishes;
}

std::optional<std::string> function_name(const Json& tool_or_choice) {
  const Json* function = member(tool_or_choice, "function");
  const Json* name = function ? member(*function, "name") : nullptr;
  if (!name || !name->is_string()) return std::nullopt;
  return name->get<std::string>();
}

/// The functions to call, if the request offers some and asks for them by word or by tool_choice.
std::vector<CalledTool> wanted_tools(const Json& body, const Wishes& wishes) {
  const Json* tools = member(body, "tools");
  if (!tools || !tools->is_array() || tools->empty()) return {};
  const Json* choice = member(body, "tool_choice");
  if (choice && choice->is_object()) {
    if (std::optional<std::string> forced = function_name(*choice)) return {{std::move(*forced)}};
  }
  const bool required = choice && *choice == "required";
  const bool forbidden = choice && *choice == "none";
  if (forbidden || (!required && !wishes.tool)) return {};
  const Json* parallel = member(body, "parallel_tool_calls");
  const bool one = !wishes.tools || (parallel && *parallel == false);
  std::vector<CalledTool> wanted;
  for (std::size_t i = 0; i < std::min<std::size_t>(one ? 1 : 2, tools->size()); ++i) {
    if (std::optional<std::string> name = function_name((*tools)[i])) wanted.push_back({std::move(*name)});
  }
  return wanted;
}

/// The text that `response_format` leaves no choice about; nothing where it asks for none.
std::optional<std::string> formatted_text(const Json& body) {
  const Json* format = member(body, "response_format");
  const Json* type = format ? member(*format, "type") : nullptr;
  if (!type) return std::nullopt;
  if (*type == "json_object") return R"({"text":"text"})";
  const Json* outer = *type == "json_schema" ? member(*format, "json_schema") : nullptr;
  const Json* schema = outer ? member(*outer, "schema") : nullptr;
  return schema ? std::optional(instance_of(*schema)) : std::nullopt;
}

std::optional<Failure> read_messages(const Json& body, Call& call) {
  const Json* messages = member(body, "messages");
  if (!messages) {
    return refusal("Missing required parameter: 'messages'.", "messages", "missing_required_parameter");
  }
  if (!messages->is_array()) {
    return refusal("Invalid type for 'messages': expected an array of objects.", "messages", "invalid_type");
  }
  if (messages->empty()) return refusal("Invalid 'messages': empty array.", "messages", "empty_array");
  for (const Json& message : *messages) {
    if (!message.is_object()) {
      return refusal("Invalid type for 'messages': expected an array of objects.", "messages", "invalid_type");
    }
    if (const Json* content = member(message, "content")) add_content(call, *content);
  }
  const Wishes wishes = wishes_of(messages->back());
  call.refuses = wishes.refusal;
  if (call.refuses) {
    call.fixed_text = refusal_text;
    return std::nullopt;
  }
  call.tools = wanted_tools(body, wishes);
  if (call.tools.empty()) call.fixed_text = formatted_text(body);
  return std::nullopt;
}

std::optional<Failure> read_chat(const Json& body, Call& call) {
  if (auto failure = read_messages(body, call)) return failure;
  if (member(body, "metadata") && !flag(body, "store")) {
    return refusal("The 'metadata' parameter is only allowed when 'store' is enabled.", "metadata");
  }
  if (member(body, "parallel_tool_calls") && !member(body, "tools")) {
    return refusal("'parallel_tool_calls' is only allowed when 'tools' are specified.", "parallel_tool_calls");
  }
  if (auto failure = read_count(body, "max_tokens", 1, SIZE_MAX, call.max_tokens)) return failure;
  return read_count(body, "max_completion_tokens", 1, SIZE_MAX, call.max_tokens);
}

/// A text, or one list of token ids.
std::optional<Input> one_input(const Json& item) {
  Input input;
  if (item.is_string()) {
    input.digest = mix(digest_start, item.get_ref<const std::string&>());
    input.tokens = count_words(item.get_ref<const std::string&>());
    return input;
  }
  if (!item.is_array() || item.empty()) return std::nullopt;
  input.digest = digest_start;
  for (const Json& id : item) {
    if (!id.is_number_unsigned()) return std::nullopt;
    input.digest = mix(input.digest, std::to_string(id.get<std::uint64_t>()) + ' ');
  }
  input.tokens = item.size();
  return input;
}

/// `input` and `prompt`: one text, one list of token ids, or a list of either.
std::optional<Failure> read_inputs(const Json& body, const char* name, Call& call) {
  const Json* value = member(body, name);
  if (!value) {
    return refusal(std::string("Missing required parameter: '") + name + "'.", name, "missing_required_parameter");
  }
  const auto add = [&](const Json& item) {
    const std::optional<Input> input = one_input(item);
    if (!input) return false;
    call.prompt_tokens += input->tokens;
    call.digest = mix(call.digest, std::to_string(input->digest));
    call.inputs.push_back(*input);
    return true;
  };
  const bool list = value->is_array() && !value->empty() && !value->front().is_number();
  bool understood = true;
  if (!list) {
    understood = add(*value);
  } else if (value->size() <= max_inputs) {
    for (const Json& item : *value) understood = understood && add(item);
  } else {
    return refusal(std::string("Invalid '") + name + "': array too long.", name, "array_above_max_length");
  }
  if (!understood) return refusal(std::string("'$.") + name + "' is invalid.", name, "invalid_type");
  return std::nullopt;
}

std::optional<Failure> read_completion(const Json& body, Call& call) {
  if (auto failure = read_inputs(body, "prompt", call)) return failure;
  return read_count(body, "max_tokens", 1, SIZE_MAX, call.max_tokens);
}

std::optional<Failure> read_embeddings(const Json& body, Call& call) {
  if (auto failure = read_inputs(body, "input", call)) return failure;
  std::optional<std::size_t> dimensions;
  if (auto failure = read_count(body, "dimensions", 1, max_dimensions, dimensions)) return failure;
  call.dimensions = dimensions.value_or(call.dimensions);
  const Json* format = member(body, "encoding_format");
  call.base64 = format && *format == "base64";
  if (format && !call.base64 && *format != "float") {
    return refusal("Invalid value for 'encoding_format'.", "encoding_format", "invalid_value");
  }
  return std::nullopt;
}

std::optional<Failure> read_responses(const Json& body, Call& call) {
  const Json* input = member(body, "input");
  if (!input) return refusal("Missing required parameter: 'input'.", "input", "missing_required_parameter");
  if (!input->is_string() && !input->is_array()) {
    return refusal("Invalid type for 'input': expected a string or an array.", "input", "invalid_type");
  }
  if (const Json* instructions = member(body, "instructions")) add_content(call, *instructions);
  if (input->is_string()) add_content(call, *input);
  if (input->is_array()) {
    for (const Json& item : *input) {
      if (const Json* content = member(item, "content")) add_content(call, *content);
    }
  }
  return read_count(body, "max_output_tokens", 1, SIZE_MAX, call.max_tokens);
}

/// Texts are counted like an embedding's; image parts are taken as they are.
std::optional<Failure> read_moderation(const Json& body, Call& call) {
  const Json* input = member(body, "input");
  if (input && input->is_array() && !input->empty() && input->front().is_object()) {
    add_content(call, *input);
    Input whole;
    whole.digest = call.digest;
    whole.tokens = call.prompt_tokens;
    call.inputs.push_back(whole);
    return std::nullopt;
  }
  return read_inputs(body, "input", call);
}

std::optional<Failure> read_model(const Json& body, Call& call) {
  const Json* model = member(body, "model");
  if (!model) {
    if (call.endpoint == Endpoint::moderations) {
      call.model = "omni-moderation-latest";
      return std::nullopt;
    }
    return refusal("you must provide a model parameter", "model", "missing_required_parameter");
  }
  if (!model->is_string()) return refusal("Invalid type for 'model': expected a string.", "model", "invalid_type");
  call.model = model->get<std::string>();
  return std::nullopt;
}

}  // namespace

std::optional<Endpoint> endpoint_of(std::string_view path) {
  constexpr std::array<std::pair<std::string_view, Endpoint>, 7> endpoints = {{
      {"/v1/chat/completions", Endpoint::chat},
      {"/v1/completions", Endpoint::completions},
      {"/v1/embeddings", Endpoint::embeddings},
      {"/v1/responses", Endpoint::responses},
      {"/v1/moderations", Endpoint::moderations},
      {"/v1/messages", Endpoint::messages},
      {"/v1/messages/count_tokens", Endpoint::count_tokens},
  }};
  for (const auto& [known, endpoint] : endpoints) {
    if (path == known) return endpoint;
  }
  return std::nullopt;
}

void Wishes::read(std::string_view text) {
  const auto holds = [&](std::string_view word) { return text.find(word) != std::string_view::npos; };
  tool = tool || holds("tool");
  tools = tools || holds("tools");
  refusal = refusal || holds("refusal");
  redacted = redacted || holds("redacted");
}

void Call::add_text(std::string_view text) {
  prompt_tokens += count_words(text);
  // The separator keeps "a","b" apart from "ab".
  digest = mix(mix(digest, text), "\x1f");
}

std::string_view Call::steering_text() const {
  const std::size_t comma = model.find(',');
  return comma == std::string::npos ? std::string_view() : std::string_view(model).substr(comma + 1);
}

Result<Call> read_call(Endpoint endpoint, std::string_view text) {
  const Json body = Json::parse(text.begin(), text.end(), nullptr, false);
  if (!body.is_object()) {
    return refusal("We could not parse the JSON body of your request. The server expects a JSON object.", "");
  }
  Call call;
  call.endpoint = endpoint;
  call.digest = digest_start;
  if (auto failure = read_model(body, call)) return *failure;
  if (auto failure = read_stream(body, call)) return *failure;
  std::optional<std::size_t> choices;
  if (auto failure = read_count(body, "n", 1, max_choices, choices)) return *failure;
  call.choices = choices.value_or(1);

  std::optional<Failure> failure;
  switch (endpoint) {
    case Endpoint::chat: failure = read_chat(body, call); break;
    case Endpoint::completions: failure = read_completion(body, call); break;
    case Endpoint::embeddings: failure = read_embeddings(body, call); break;
    case Endpoint::responses: failure = read_responses(body, call); break;
    case Endpoint::moderations: failure = read_moderation(body, call); break;
    case Endpoint::messages:
    case Endpoint::count_tokens: failure = refusal("This endpoint speaks another dialect.", ""); break;
  }
  if (failure) return *failure;
  call.digest = mix(call.digest, call.base_model());
  return call;
}

}  // namespace tollgate::simulator
