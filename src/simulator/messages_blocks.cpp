// What one content block has to look like: a table of the types, and a check for each that has more rules than its list
// of fields.
#include "simulator/base64.hpp"
#include "simulator/messages_check.hpp"
#include "simulator/thinking.hpp"

#include <algorithm>
#include <array>

namespace tollgate::simulator {

namespace {

using Json = nlohmann::json;
using Names = std::span<const std::string_view>;
using Check = Refused (*)(const Json& block, const std::string& path, const MessagesRules& rules);

constexpr std::size_t longest_name = 64;

bool is_name(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](unsigned char byte) {
    return (byte >= '0' && byte <= '9') || (byte >= 'A' && byte <= 'Z') || (byte >= 'a' && byte <= 'z') ||
           byte == '_' || byte == '-';
  });
}

Refused check_text(const Json& block, const std::string& path, const MessagesRules&) {
  const Json* text = field(block, "text");
  if (!text) return invalid_request(path + ".text.text", "Field required");
  if (!text->is_string()) return invalid_request(path + ".text.text", "Input should be a valid string");
  return visible_text(text->get_ref<const std::string&>(), path.substr(0, path.find('.')));
}

/// Data that says what it is must not be sent under another name.
Refused check_image_bytes(std::string_view media_type, std::string_view data, const std::string& path) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 4> begins = {{
      {"image/png", "iVBORw0KGg"},
      {"image/jpeg", "/9j/"},
      {"image/gif", "R0lGODdh"},
      {"image/webp", "UklGR"},
  }};
  const auto known = [&](const auto& each) { return each.first == media_type; };
  if (std::none_of(begins.begin(), begins.end(), known)) {
    return invalid_request(path + ".media_type",
                           "Input should be 'image/jpeg', 'image/png', 'image/gif' or 'image/webp'");
  }
  if (!is_base64(data)) return invalid_request(path + ".data", "Invalid base64 data");
  for (const auto& [type, begin] : begins) {
    if (data.starts_with(begin) && type != media_type) {
      return invalid_request(path, "The image was specified using the " + std::string(media_type) +
                                       " media type, but the image appears to be a " + std::string(type) + " image");
    }
  }
  return std::nullopt;
}

Refused check_url(const Json& source, const std::string& path) {
  if (text_field(source, "url").starts_with("https://")) return std::nullopt;
  return invalid_request(path + ".url", "Only HTTPS URLs are supported.");
}

Refused check_image(const Json& block, const std::string& path, const MessagesRules&) {
  const Json* source = field(block, "source");
  if (!source) return invalid_request(path + ".image.source", "Field required");
  const std::string_view type = text_field(*source, "type");
  const std::string inner = path + ".image.source." + std::string(type);
  if (type == "base64") {
    constexpr std::array<std::string_view, 3> known = {"type", "media_type", "data"};
    if (auto refused = only_fields(*source, known, inner)) return refused;
    return check_image_bytes(text_field(*source, "media_type"), text_field(*source, "data"), inner);
  }
  if (type == "url") return check_url(*source, inner);
  if (type == "file" && !text_field(*source, "file_id").empty()) return std::nullopt;
  return invalid_request(path + ".image.source", "Input tag '" + std::string(type) +
                                                     "' found using 'type' does not match any of the expected tags: "
                                                     "'base64', 'file', 'url'");
}

Refused check_document(const Json& block, const std::string& path, const MessagesRules&) {
  const Json* source = field(block, "source");
  if (!source) return invalid_request(path + ".document.source", "Field required");
  const std::string_view type = text_field(*source, "type");
  const std::string_view media_type = text_field(*source, "media_type");
  const std::string inner = path + ".document.source." + std::string(type);
  if (type == "url") return check_url(*source, inner);
  if (type == "content" || (type == "file" && !text_field(*source, "file_id").empty())) return std::nullopt;
  if (type == "base64") {
    if (media_type != "application/pdf") {
      return invalid_request(inner + ".media_type", "Input should be 'application/pdf'");
    }
    if (!is_base64(text_field(*source, "data"))) return invalid_request(inner + ".data", "Invalid base64 data");
    return std::nullopt;
  }
  if (type == "text") {
    if (media_type != "text/plain") return invalid_request(inner + ".media_type", "Input should be 'text/plain'");
    if (text_field(*source, "data").empty()) return invalid_request(inner + ".data", "Field required");
    return std::nullopt;
  }
  return invalid_request(path + ".document.source", "Input tag '" + std::string(type) +
                                                        "' found using 'type' does not match any of the expected "
                                                        "tags: 'base64', 'content', 'file', 'text', 'url'");
}

Refused check_tool_use(const Json& block, const std::string& path, const MessagesRules&) {
  if (!is_name(text_field(block, "id"))) {
    return invalid_request(path + ".tool_use.id", "String should match pattern '^[a-zA-Z0-9_-]+$'");
  }
  const std::string_view name = text_field(block, "name");
  if (!is_name(name) || name.size() > longest_name) {
    return invalid_request(path + ".tool_use.name", "String should match pattern '^[a-zA-Z0-9_-]{1,64}$'");
  }
  const Json* input = field(block, "input");
  if (!input) return invalid_request(path + ".tool_use.input", "Field required");
  if (!input->is_object()) return invalid_request(path + ".tool_use.input", "Input should be a valid dictionary");
  return std::nullopt;
}

Refused check_tool_result(const Json& block, const std::string& path, const MessagesRules&) {
  if (!is_name(text_field(block, "tool_use_id"))) {
    return invalid_request(path + ".tool_result.tool_use_id", "String should match pattern '^[a-zA-Z0-9_-]+$'");
  }
  const Json* content = field(block, "content");
  if (content && !content->is_string() && !content->is_array()) {
    return invalid_request(path + ".tool_result.content", "Input should be a valid string or list");
  }
  const Json* is_error = field(block, "is_error");
  if (is_error && !is_error->is_boolean()) {
    return invalid_request(path + ".tool_result.is_error", "Input should be a valid boolean");
  }
  return std::nullopt;
}

Refused check_thinking(const Json& block, const std::string& path, const MessagesRules&) {
  const Json* thinking = field(block, "thinking");
  const Json* signature = field(block, "signature");
  if (!thinking || !thinking->is_string()) return invalid_request(path + ".thinking.thinking", "Field required");
  if (!signature || !signature->is_string()) return invalid_request(path + ".thinking.signature", "Field required");
  if (*signature == signature_of(thinking->get_ref<const std::string&>())) return std::nullopt;
  return invalid_request(path, "Invalid `signature` in `thinking` block");
}

Refused check_redacted(const Json& block, const std::string& path, const MessagesRules&) {
  if (is_redacted_data(text_field(block, "data"))) return std::nullopt;
  return invalid_request(path, "Invalid `data` in `redacted_thinking` block");
}

struct BlockType {
  std::string_view name;
  bool system, user, assistant, result;  ///< where it may stand
  Names fields;                          ///< empty: not looked at
  Check check;
};

constexpr std::array<std::string_view, 4> text_fields = {"type", "text", "cache_control", "citations"};
constexpr std::array<std::string_view, 4> image_fields = {"type", "source", "cache_control", "transformations"};
constexpr std::array<std::string_view, 6> document_fields = {"type",      "source",  "cache_control",
                                                             "citations", "context", "title"};
constexpr std::array<std::string_view, 6> search_fields = {"type",  "content",       "source",
                                                           "title", "cache_control", "citations"};
constexpr std::array<std::string_view, 7> use_fields = {"type",          "id",     "name",        "input",
                                                        "cache_control", "caller", "toolset_name"};
constexpr std::array<std::string_view, 6> result_fields = {"type",     "tool_use_id",   "content",
                                                           "is_error", "cache_control", "toolset_name"};
constexpr std::array<std::string_view, 3> thinking_fields = {"type", "thinking", "signature"};
constexpr std::array<std::string_view, 2> redacted_fields = {"type", "data"};

constexpr std::array<BlockType, 10> block_types = {{
    {"text", true, true, true, true, text_fields, check_text},
    {"image", false, true, false, true, image_fields, check_image},
    {"document", false, true, true, true, document_fields, check_document},
    {"search_result", false, true, false, true, search_fields, nullptr},
    {"tool_use", false, false, true, false, use_fields, check_tool_use},
    {"tool_result", false, true, false, false, result_fields, check_tool_result},
    {"thinking", false, false, true, false, thinking_fields, check_thinking},
    {"redacted_thinking", false, false, true, false, redacted_fields, check_redacted},
    {"container_upload", false, true, false, false, {}, nullptr},
    {"tool_reference", false, false, false, true, {}, nullptr},
}};

bool may_stand(const BlockType& type, Place place) {
  switch (place) {
    case Place::system: return type.system;
    case Place::user: return type.user;
    case Place::assistant: return type.assistant;
    case Place::result: return type.result;
  }
  return false;
}

/// What servers run and answer themselves is only ever handed back.
bool is_of_server_tools(std::string_view type) {
  return type == "server_tool_use" || (type.ends_with("_tool_result") && type != "tool_result");
}

Refused check_by_version(const Json& block, const std::string& path, std::string_view type, Place place) {
  if (type == "document" && place == Place::assistant) {
    return invalid_request(path, "`document` blocks are not allowed in assistant messages");
  }
  const Json* citations = field(block, "citations");
  if (type == "text" && place == Place::user && citations && citations->is_array() && !citations->empty()) {
    return invalid_request(path + ".text.citations", "Extra inputs are not permitted");
  }
  return std::nullopt;
}

}  // namespace

Failure invalid_request(const std::string& path, const std::string& what) {
  Failure failure{FailureKind::bad_request, Source::client, path.empty() ? what : path + ": " + what};
  failure.type = "invalid_request_error";
  return failure;
}

const Json* field(const Json& object, const char* name) {
  if (!object.is_object()) return nullptr;
  const auto found = object.find(name);
  return found == object.end() || found->is_null() ? nullptr : &*found;
}

std::string_view text_field(const Json& object, const char* name) {
  const Json* value = field(object, name);
  return value && value->is_string() ? std::string_view(value->get_ref<const std::string&>()) : std::string_view();
}

Refused only_fields(const Json& object, Names known, const std::string& path) {
  if (!object.is_object()) return invalid_request(path, "Input should be a valid dictionary");
  for (const auto& [name, value] : object.items()) {
    if (std::find(known.begin(), known.end(), name) != known.end()) continue;
    return invalid_request((path.empty() ? "" : path + ".") + name, "Extra inputs are not permitted");
  }
  return std::nullopt;
}

Refused visible_text(std::string_view text, const std::string& path) {
  if (text.empty()) return invalid_request(path, "text content blocks must be non-empty");
  if (text.find_first_not_of(" \t\r\n\f\v") == std::string_view::npos) {
    return invalid_request(path, "text content blocks must contain non-whitespace text");
  }
  return std::nullopt;
}

Refused check_block(const Json& block, const std::string& path, Place place, const MessagesRules& rules) {
  if (!block.is_object()) return invalid_request(path, "Input should be a valid dictionary");
  const std::string_view type = text_field(block, "type");
  if (type.empty()) return invalid_request(path + ".type", "Field required");
  if (place == Place::assistant && is_of_server_tools(type)) return std::nullopt;
  const auto known = [&](const BlockType& each) { return each.name == type; };
  const auto found = std::find_if(block_types.begin(), block_types.end(), known);
  if (found == block_types.end()) {
    return invalid_request(
        path, "Input tag '" + std::string(type) + "' found using 'type' does not match any of the expected tags");
  }
  if (!may_stand(*found, place)) {
    return invalid_request(path, "`" + std::string(type) + "` blocks are not allowed here");
  }
  if (!found->fields.empty()) {
    if (auto refused = only_fields(block, found->fields, path + "." + std::string(type))) return refused;
  }
  if (rules.newest) {
    if (auto refused = check_by_version(block, path, type, place)) return refused;
  }
  return found->check ? found->check(block, path, rules) : std::nullopt;
}

}  // namespace tollgate::simulator
