// Embeddings, moderations and the model list: the endpoints that never stream. Floats are printed and packed by hand,
// as a JSON library would widen them to double.
#include "simulator/answers.hpp"
#include "simulator/base64.hpp"
#include "simulator/json.hpp"
#include "simulator/messages_errors.hpp"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstring>

namespace tollgate::simulator {

namespace {

constexpr std::int64_t models_created = 1'700'000'000;

std::vector<float> unit_vector(std::uint64_t digest, std::size_t dimensions) {
  Random random(digest);
  std::vector<float> values(dimensions);
  double sum = 0;
  for (float& value : values) {
    value = static_cast<float>(random.unit() * 2 - 1);
    sum += static_cast<double>(value) * value;
  }
  const double length = sum > 0 ? std::sqrt(sum) : 1;
  for (float& value : values) value = static_cast<float>(value / length);
  return values;
}

/// Little-endian float32, in base64 between quotes.
std::string packed(const std::vector<float>& values) {
  std::string bytes;
  bytes.reserve(values.size() * 4);
  for (const float value : values) {
    const auto bits = std::bit_cast<std::uint32_t>(value);
    for (int shift = 0; shift < 32; shift += 8) bytes += static_cast<char>((bits >> shift) & 0xFF);
  }
  return '"' + base64_of(bytes) + '"';
}

/// A JSON array with the shortest text of each float.
std::string listed(const std::vector<float>& values) {
  std::string text = "[";
  for (const float value : values) {
    char digits[32];
    const auto [end, error] = std::to_chars(digits, digits + sizeof digits, value);
    static_cast<void>(error);  // 32 bytes hold every float
    if (text.size() > 1) text += ',';
    text.append(digits, end);
  }
  return text += ']';
}

OrderedJson model_json(const std::string& id) {
  OrderedJson model;
  model["id"] = id;
  model["object"] = "model";
  model["created"] = models_created;
  model["owned_by"] = "simulator";
  return model;
}

}  // namespace

Answer embeddings_answer(const Call& call, const Plan& plan, const Identity& identity) {
  Answer answer;
  answer.body = R"({"object":"list","data":[)";
  const std::size_t count = plan.fault == Fault::empty_choices ? 0 : call.inputs.size();
  for (std::size_t i = 0; i < count; ++i) {
    const std::vector<float> values = unit_vector(call.inputs[i].digest, call.dimensions);
    if (i > 0) answer.body += ',';
    answer.body += R"({"object":"embedding","index":)" + std::to_string(i) + R"(,"embedding":)" +
                   (call.base64 ? packed(values) : listed(values)) + '}';
  }
  OrderedJson usage;
  usage["prompt_tokens"] = call.prompt_tokens;
  usage["total_tokens"] = call.prompt_tokens;
  answer.body += R"(],"model":)" + text_of_json(identity.model) + R"(,"usage":)" + text_of_json(usage) + '}';
  return answer;
}

Answer moderation_answer(const Call& call, const Identity& identity) {
  OrderedJson results = OrderedJson::array();
  for (std::size_t i = 0; i < call.inputs.size(); ++i) {
    OrderedJson result;
    result["flagged"] = false;
    for (const char* category : {"harassment", "hate", "self-harm", "sexual", "violence"}) {
      result["categories"][category] = false;
      result["category_scores"][category] = 0.0001;
      result["category_applied_input_types"][category] = OrderedJson::array({"text"});
    }
    results.push_back(std::move(result));
  }
  OrderedJson body;
  body["id"] = "modr-" + identity.suffix;
  body["model"] = identity.model;
  body["results"] = std::move(results);
  Answer answer;
  answer.body = text_of_json(body);
  return answer;
}

Answer models_answer(const Voice& voice, const std::vector<std::string>& models, std::string_view query) {
  if (voice.dialect == Dialect::anthropic) return messages_models(voice, models, query);
  OrderedJson body;
  body["object"] = "list";
  body["data"] = OrderedJson::array();
  for (const std::string& id : models) body["data"].push_back(model_json(id));
  Answer answer;
  answer.body = text_of_json(body);
  return answer;
}

Answer model_answer(const Voice& voice, const std::vector<std::string>& models, const std::string& id) {
  const bool known = id.starts_with("sim") || std::find(models.begin(), models.end(), id) != models.end();
  if (voice.dialect == Dialect::anthropic) {
    return known ? messages_model(id) : messages_error(voice, 404, "not_found_error", "model: " + id);
  }
  if (!known) {
    return error_answer(404, "The model '" + id + "' does not exist or you do not have access to it.",
                        "invalid_request_error", "model", "model_not_found");
  }
  Answer answer;
  answer.body = text_of_json(model_json(id));
  return answer;
}

}  // namespace tollgate::simulator
