// The body of the Messages endpoint, checked field by field the way Anthropic checks it, as far as a gateway can tell
// the difference. What a request is refused for is said in Anthropic's words, since gateways read them.
#include "simulator/messages_check.hpp"
#include "simulator/schema_check.hpp"
#include "simulator/schema_instance.hpp"
#include "simulator/words.hpp"

#include <algorithm>
#include <array>

namespace tollgate::simulator {

namespace {

using Json = nlohmann::json;

constexpr std::size_t most_bytes = 32 * 1024 * 1024;
constexpr std::size_t most_messages = 100'000;
constexpr std::size_t least_budget = 1024;
constexpr int deepest = 200;
constexpr std::string_view first_version = "2023-06-01";
constexpr std::string_view newest_version = "2026-10-21";

constexpr std::array<std::string_view, 20> known_fields = {
    "model",        "messages", "max_tokens",    "system",      "stop_sequences", "stream",        "temperature",
    "top_p",        "top_k",    "tools",         "tool_choice", "thinking",       "output_config", "metadata",
    "service_tier", "speed",    "inference_geo", "container",   "cache_control",  "diagnostics"};
constexpr std::array<std::string_view, 9> counting_fields = {
    "model", "messages", "system", "tools", "tool_choice", "thinking", "output_config", "speed", "cache_control"};
constexpr std::array<std::string_view, 3> sampling_fields = {"temperature", "top_p", "top_k"};

/// A parsed body and what is read out of it on the way.
class MessagesReader {
 public:
  MessagesReader(Endpoint endpoint, const Json& body, std::string_view version) : body_(body) {
    call_.endpoint = endpoint;
    call_.digest = digest_start;
    rules_.counting = endpoint == Endpoint::count_tokens;
    rules_.newest = version == newest_version;
  }

  Result<Call> read() {
    using Step = Refused (MessagesReader::*)();
    constexpr std::array<Step, 11> steps = {
        &MessagesReader::fields,   &MessagesReader::model,         &MessagesReader::flags,
        &MessagesReader::length,   &MessagesReader::sampling,      &MessagesReader::stop_sequences,
        &MessagesReader::thinking, &MessagesReader::output_config, &MessagesReader::small_fields,
        &MessagesReader::prompt,   &MessagesReader::tool_choice};
    for (const Step step : steps) {
      if (Refused refused = (this->*step)()) return *refused;
    }
    call_.digest = mix(call_.digest, call_.base_model());
    call_.messages = std::make_shared<MessagesAsk>(std::move(ask_));
    return std::move(call_);
  }

 private:
  const Json* get(const char* name) const { return field(body_, name); }

  Refused fields() {
    if (rules_.counting) return only_fields(body_, counting_fields, "");
    if (auto refused = only_fields(body_, known_fields, "")) return refused;
    for (const std::string_view name : sampling_fields) {
      if (rules_.newest && body_.contains(name)) {
        return invalid_request(std::string(name), "Extra inputs are not permitted");
      }
    }
    return std::nullopt;
  }

  Refused model() {
    const Json* model = get("model");
    if (!model) return invalid_request("model", "Field required");
    if (!model->is_string()) return invalid_request("model", "Input should be a valid string");
    call_.model = model->get<std::string>();
    if (call_.model.empty()) return invalid_request("model", "String should have at least 1 character");
    rules_.model = rules_of(call_.base_model());
    return std::nullopt;
  }

  Refused flags() {
    const Json* stream = get("stream");
    if (stream && !stream->is_boolean()) return invalid_request("stream", "Input should be a valid boolean");
    call_.stream = stream && stream->get<bool>();
    return std::nullopt;
  }

  /// 0 is allowed: it only warms the cache.
  Refused length() {
    if (rules_.counting) return std::nullopt;
    const Json* cap = get("max_tokens");
    if (!cap) return invalid_request("max_tokens", "Field required");
    if (!cap->is_number_integer()) return invalid_request("max_tokens", "Input should be a valid integer");
    if (!cap->is_number_unsigned()) {
      return invalid_request("max_tokens", "Input should be greater than or equal to 0");
    }
    call_.max_tokens = cap->get<std::size_t>();
    const std::size_t most = rules_.model.max_output;
    if (most == 0 || *call_.max_tokens <= most) return std::nullopt;
    return invalid_request("max_tokens", std::to_string(*call_.max_tokens) + " > " + std::to_string(most) +
                                             ", which is the maximum allowed number of output tokens for " +
                                             call_.base_model());
  }

  Refused sampling() {
    for (const std::string_view name : sampling_fields) {
      const Json* value = get(std::string(name).c_str());
      if (!value) continue;
      if (!value->is_number()) return invalid_request(std::string(name), "Input should be a valid number");
      if (!rules_.model.sampling) {
        return invalid_request("", "`" + std::string(name) + "` is not supported by this model");
      }
      const double number = value->get<double>();
      if (number < 0 || (name != "top_k" && number > 1)) return invalid_request(std::string(name), "range: 0..1");
    }
    if (!rules_.model.both_samplings && get("temperature") && get("top_p")) {
      return invalid_request("",
                             "`temperature` and `top_p` cannot both be specified for this model. Please use only one.");
    }
    return std::nullopt;
  }

  Refused stop_sequences() {
    const Json* list = get("stop_sequences");
    if (!list) return std::nullopt;
    if (!list->is_array()) return invalid_request("stop_sequences", "Input should be a valid list");
    for (const Json& sequence : *list) {
      if (!sequence.is_string()) return invalid_request("stop_sequences", "Input should be a valid string");
      const auto& text = sequence.get_ref<const std::string&>();
      if (visible_text(text, "")) {
        return invalid_request("stop_sequences", "each stop sequence must contain non-whitespace");
      }
      ask_.stop_sequences.push_back(text);
    }
    return std::nullopt;
  }

  Refused budget(const Json& thinking) {
    const Json* budget = field(thinking, "budget_tokens");
    if (!budget) return invalid_request("thinking.enabled.budget_tokens", "Field required");
    if (!budget->is_number_unsigned() || budget->get<std::size_t>() < least_budget) {
      return invalid_request("thinking.enabled.budget_tokens", "Input should be greater than or equal to 1024");
    }
    if (call_.max_tokens && budget->get<std::size_t>() >= *call_.max_tokens) {
      return invalid_request("", "`max_tokens` must be greater than `thinking.budget_tokens`.");
    }
    rules_.has_budget = true;
    return std::nullopt;
  }

  Refused thinking() {
    constexpr std::array<std::string_view, 3> known = {"type", "display", "budget_tokens"};
    const Json* thinking = get("thinking");
    rules_.thinks = rules_.model.thinks_unasked;
    ask_.shows_thinking = rules_.model.shows_thinking;
    if (!thinking) return std::nullopt;
    const std::string_view type = text_field(*thinking, "type");
    const std::string path = "thinking." + std::string(type);
    if (type != "enabled" && type != "adaptive" && type != "between_tools" && type != "disabled") {
      return invalid_request("thinking", "Input tag '" + std::string(type) +
                                             "' found using 'type' does not match any of the expected tags: "
                                             "'adaptive', 'between_tools', 'disabled', 'enabled'");
    }
    const std::size_t fields = type == "enabled" ? 3 : type == "adaptive" ? 2 : 1;
    if (auto refused = only_fields(*thinking, std::span(known).first(fields), path)) return refused;
    const ModelRules& model = rules_.model;
    const bool taken = type == "enabled"         ? model.budget
                       : type == "adaptive"      ? model.adaptive
                       : type == "between_tools" ? model.between_tools
                                                 : model.may_not_think;
    if (!taken) return invalid_request("", "\"" + path + "\" is not supported for this model.");
    rules_.thinks = type != "disabled";
    if (type == "enabled") {
      if (auto refused = budget(*thinking)) return refused;
    }
    if (const Json* display = field(*thinking, "display")) {
      if (*display != "summarized" && *display != "omitted") {
        return invalid_request(path + ".display", "Input should be 'summarized' or 'omitted'");
      }
      ask_.shows_thinking = *display == "summarized";
    }
    const Json* temperature = get("temperature");
    if (rules_.thinks && temperature && *temperature != 1) {
      return invalid_request("", "`temperature` may only be set to 1 when thinking is enabled.");
    }
    return std::nullopt;
  }

  Refused output_config() {
    constexpr std::array<std::string_view, 2> known = {"effort", "format"};
    constexpr std::array<std::string_view, 2> format_fields = {"type", "schema"};
    const Json* config = get("output_config");
    if (!config) return std::nullopt;
    if (auto refused = only_fields(*config, known, "output_config")) return refused;
    if (field(*config, "effort")) {
      const std::string_view effort = text_field(*config, "effort");
      constexpr std::array<std::string_view, 5> efforts = {"low", "medium", "high", "xhigh", "max"};
      if (std::find(efforts.begin(), efforts.end(), effort) == efforts.end()) {
        return invalid_request("output_config.effort", "Input should be 'low', 'medium', 'high', 'xhigh' or 'max'");
      }
      if (!offers(effort)) {
        return invalid_request("", "This model does not support effort level '" + std::string(effort) + "'.");
      }
      rules_.thinks = rules_.thinks || !get("thinking");
    }
    const Json* format = field(*config, "format");
    if (!format) return std::nullopt;
    if (auto refused = only_fields(*format, format_fields, "output_config.format")) return refused;
    if (text_field(*format, "type") != "json_schema") {
      return invalid_request("output_config.format.type", "Input should be 'json_schema'");
    }
    const Json* schema = field(*format, "schema");
    if (!schema || !schema->is_object()) return invalid_request("output_config.format.schema", "Field required");
    if (const std::optional<std::string> fault = unsupported_in(*schema)) {
      return invalid_request("output_config.format.schema", *fault);
    }
    call_.fixed_text = instance_of(*schema);
    return std::nullopt;
  }

  /// Whether the model has that level of effort: whole words of its list.
  bool offers(std::string_view effort) const {
    const std::string list = " " + std::string(rules_.model.efforts) + " ";
    return list.find(" " + std::string(effort) + " ") != std::string::npos;
  }

  Refused small_fields() {
    constexpr std::array<std::string_view, 1> metadata_fields = {"user_id"};
    if (const Json* metadata = get("metadata")) {
      if (auto refused = only_fields(*metadata, metadata_fields, "metadata")) return refused;
      const Json* user = field(*metadata, "user_id");
      if (user && !user->is_string()) return invalid_request("metadata.user_id", "Input should be a valid string");
    }
    const Json* tier = get("service_tier");
    if (tier && *tier != "auto" && *tier != "standard_only") {
      return invalid_request("service_tier", "Input should be 'auto' or 'standard_only'");
    }
    const Json* speed = get("speed");
    if (speed && *speed != "standard" && *speed != "fast") {
      return invalid_request("speed", "Input should be 'standard' or 'fast'");
    }
    return std::nullopt;
  }

  Refused prompt() {
    PromptReader reader(call_, ask_, rules_);
    const Json* messages = get("messages");
    if (!messages) return invalid_request("messages", "Field required");
    if (messages->size() > most_messages) return invalid_request("messages", "List should have at most 100000 items");
    if (const Json* tools = get("tools")) {
      if (auto refused = reader.tools(*tools)) return refused;
    }
    if (const Json* system = get("system")) {
      if (auto refused = reader.system(*system)) return refused;
    }
    if (auto refused = reader.messages(*messages)) return refused;
    if (auto refused = reader.own_mark(body_)) return refused;
    wishes_ = reader.wishes();
    const std::size_t most = rules_.model.context;
    if (most == 0 || call_.prompt_tokens <= most) return std::nullopt;
    return invalid_request("", "prompt is too long: " + std::to_string(call_.prompt_tokens) + " tokens > " +
                                   std::to_string(most) + " maximum");
  }

  const Json* tool_named(std::string_view name) const {
    for (const Json& tool : *get("tools")) {
      if (text_field(tool, "name") == name) return &tool;
    }
    return nullptr;
  }

  Refused tool_choice() {
    constexpr std::array<std::string_view, 3> known = {"type", "name", "disable_parallel_tool_use"};
    const Json* choice = get("tool_choice");
    const Json* tools = get("tools");
    const bool offered = tools && !tools->empty();
    std::string_view type = "auto";
    if (choice) {
      type = text_field(*choice, "type");
      if (type != "auto" && type != "any" && type != "tool" && type != "none") {
        return invalid_request("tool_choice", "Input tag '" + std::string(type) +
                                                  "' found using 'type' does not match any of the expected tags: "
                                                  "'any', 'auto', 'none', 'tool'");
      }
      const std::string path = "tool_choice." + std::string(type);
      if (auto refused = only_fields(*choice, known, path)) return refused;
      if (type == "none" && choice->contains("disable_parallel_tool_use")) {
        return invalid_request(path + ".disable_parallel_tool_use", "Extra inputs are not permitted");
      }
      if (type != "none" && !offered) {
        return invalid_request("tool_choice", "tool_choice may only be specified while providing tools.");
      }
      if (auto refused = forced(*choice, type)) return refused;
    }
    decide(
        offered, type,
        choice && field(*choice, "disable_parallel_tool_use") && *field(*choice, "disable_parallel_tool_use") == true);
    return std::nullopt;
  }

  Refused forced(const Json& choice, std::string_view type) {
    if (type == "tool") {
      if (!field(choice, "name")) return invalid_request("tool_choice.tool.name", "Field required");
      if (!tool_named(text_field(choice, "name"))) {
        return invalid_request("",
                               "Tool '" + std::string(text_field(choice, "name")) + "' not found in provided tools");
      }
    }
    if (type != "any" && type != "tool") return std::nullopt;
    if (!rules_.model.forced_tool) {
      return invalid_request("", "tool_choice forces tool use is not compatible with this model.");
    }
    // What a model thinks without being asked gives way to a forced tool only where it is turned off.
    if (rules_.thinks) return invalid_request("", "Thinking may not be enabled when tool_choice forces tool use.");
    return std::nullopt;
  }

  /// What the answer will be made of.
  void decide(bool offered, std::string_view choice, bool one_at_most) {
    ask_.thinks = rules_.thinks;
    ask_.redacts = rules_.thinks && wishes_.redacted;
    call_.refuses = wishes_.refusal;
    const bool must = choice == "any" || choice == "tool";
    if (call_.refuses || !offered || choice == "none" || (!must && !wishes_.tool)) return;
    call_.fixed_text.reset();
    if (choice == "tool") return add_call(*tool_named(text_field(*get("tool_choice"), "name")));
    const std::size_t most = wishes_.tools && !one_at_most ? 2 : 1;
    for (const Json& tool : *get("tools")) {
      if (call_.tools.size() < most) add_call(tool);
    }
  }

  void add_call(const Json& tool) {
    const Json* schema = field(tool, "input_schema");
    if (!schema) return;  // a tool of the server's own is not the client's to run
    const Json* properties = field(*schema, "properties");
    const bool takes_nothing = properties && properties->empty();
    call_.tools.push_back({std::string(text_field(tool, "name")), takes_nothing});
  }

  const Json& body_;
  MessagesRules rules_;
  Call call_;
  MessagesAsk ask_;
  Wishes wishes_;
};

}  // namespace

Result<Call> read_messages_call(Endpoint endpoint, std::string_view text, std::string_view version) {
  if (version.empty()) return invalid_request("anthropic-version", "header is required");
  if (version != first_version && version != newest_version) {
    return invalid_request("anthropic-version", "\"" + std::string(version) + "\" is not a valid version");
  }
  if (text.size() > most_bytes) {
    Failure failure{FailureKind::too_large, Source::client,
                    "Request exceeds the maximum allowed number of bytes. The maximum request size is 32 MB."};
    failure.type = "request_too_large";
    failure.status = 413;
    return failure;
  }
  bool too_deep = false;
  const auto watch = [&](int depth, Json::parse_event_t, Json&) {
    too_deep = too_deep || depth > deepest;
    return true;
  };
  const Json body = Json::parse(text.begin(), text.end(), watch, false);
  if (!body.is_object()) return invalid_request("", "The request body is not valid JSON: expected an object.");
  // Blocks are written out again on the way, which takes stack by depth.
  if (too_deep) return invalid_request("", "The request body is nested too deeply.");
  return MessagesReader(endpoint, body, version).read();
}

}  // namespace tollgate::simulator
