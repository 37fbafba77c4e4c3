// What an answer says when its form was prescribed. The value is small rather than likely, so that a test can tell what
// it will be by looking at the schema.
#include "simulator/schema_instance.hpp"

#include "simulator/json.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

namespace tollgate::simulator {

namespace {

using Schema = nlohmann::json;

/// Deeper than any schema that means something; what asks for itself ends here.
constexpr int deepest = 24;
/// A list or text that must be longer stays this long: the simulator does not build what nobody reads.
constexpr std::size_t longest = 4096;

const Schema* member(const Schema& schema, const char* name) {
  if (!schema.is_object()) return nullptr;
  const auto found = schema.find(name);
  return found == schema.end() ? nullptr : &*found;
}

double number(const Schema& schema, const char* name, double otherwise) {
  const Schema* value = member(schema, name);
  return value && value->is_number() ? value->get<double>() : otherwise;
}

std::size_t length(const Schema& schema, const char* name, std::size_t otherwise) {
  const double value = number(schema, name, static_cast<double>(otherwise));
  return static_cast<std::size_t>(std::clamp(value, 0.0, static_cast<double>(longest)));
}

std::string text_for(const Schema& schema) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 9> samples = {{
      {"date", "2026-01-01"},
      {"time", "12:00:00Z"},
      {"date-time", "2026-01-01T12:00:00Z"},
      {"duration", "P1D"},
      {"email", "a@example.com"},
      {"hostname", "example.com"},
      {"ipv4", "192.0.2.1"},
      {"uri", "https://example.com/"},
      {"uuid", "00000000-0000-4000-8000-000000000000"},
  }};
  const Schema* format = member(schema, "format");
  for (const auto& [name, sample] : samples) {
    if (format && *format == name) return std::string(sample);
  }
  std::string text = "text";
  text.resize(std::min(text.size(), length(schema, "maxLength", longest)));
  const std::size_t least = length(schema, "minLength", 0);
  if (text.size() < least) text.resize(least, 'x');
  return text;
}

/// The least number of the range that is not below 0 unless it must be.
double number_for(const Schema& schema, bool whole) {
  const double step = number(schema, "multipleOf", 0);
  double value = 0;
  const double least = number(schema, "minimum", -HUGE_VAL);
  const double above = number(schema, "exclusiveMinimum", -HUGE_VAL);
  const double most = number(schema, "maximum", HUGE_VAL);
  const double below = number(schema, "exclusiveMaximum", HUGE_VAL);
  if (value > most) value = whole ? std::floor(most) : most;
  if (value >= below) value = whole ? std::ceil(below) - 1 : below - 1;
  if (value < least) value = whole ? std::ceil(least) : least;
  if (value <= above) value = whole ? std::floor(above) + 1 : std::min(above + 1, (above + std::min(below, most)) / 2);
  if (step > 0) value = std::ceil(value / step) * step;
  return value;
}

class Instance {
 public:
  explicit Instance(const Schema& root) : root_(root) {}

  OrderedJson of(const Schema& schema, int depth) {
    if (depth > deepest || ++made_ > longest || schema == false) return nullptr;
    if (!schema.is_object()) return OrderedJson::object();
    if (const Schema* value = member(schema, "const")) return *value;
    const Schema* choices = member(schema, "enum");
    if (choices && choices->is_array() && !choices->empty()) return choices->front();
    if (const Schema* target = referred(schema)) return of(*target, depth + 1);
    for (const char* name : {"anyOf", "oneOf"}) {
      const Schema* options = member(schema, name);
      if (options && options->is_array() && !options->empty()) return of(easiest(*options), depth + 1);
    }
    return of_type(schema, type_of(schema), depth);
  }

 private:
  /// Null ends what would go on; it is taken where it is offered.
  static const Schema& easiest(const Schema& options) {
    for (const Schema& option : options) {
      const Schema* type = member(option, "type");
      if (type && *type == "null") return option;
    }
    return options.front();
  }

  static std::string type_of(const Schema& schema) {
    const Schema* type = member(schema, "type");
    if (type && type->is_string()) return type->get<std::string>();
    if (type && type->is_array() && !type->empty() && type->front().is_string()) return type->front();
    if (member(schema, "items") || member(schema, "prefixItems")) return "array";
    return "object";
  }

  const Schema* referred(const Schema& schema) const {
    const Schema* reference = member(schema, "$ref");
    if (!reference || !reference->is_string()) return nullptr;
    const std::string text = *reference;
    if (!text.starts_with('#')) return nullptr;
    const bool pointer = text.size() == 1 || text[1] == '/';
    if (!pointer || text.find('~') != std::string::npos || text.find('%') != std::string::npos) return nullptr;
    const Schema* at = &root_;
    for (std::size_t begin = 1; begin < text.size();) {
      const std::size_t end = std::min(text.find('/', begin + 1), text.size());
      at = member(*at, text.substr(begin + 1, end - begin - 1).c_str());
      if (!at) return nullptr;
      begin = end;
    }
    return at;
  }

  OrderedJson of_type(const Schema& schema, const std::string& type, int depth) {
    if (type == "string") return text_for(schema);
    if (type == "integer") return static_cast<std::int64_t>(std::clamp(number_for(schema, true), -9e15, 9e15));
    if (type == "number") return number_for(schema, false);
    if (type == "boolean") return false;
    if (type == "null") return nullptr;
    return type == "array" ? list(schema, depth) : object(schema, depth);
  }

  OrderedJson list(const Schema& schema, int depth) {
    OrderedJson value = OrderedJson::array();
    const Schema* first = member(schema, "prefixItems");
    if (first && first->is_array()) {
      for (const Schema& item : *first) value.push_back(of(item, depth + 1));
    }
    const Schema* items = member(schema, "items");
    // Lists in lists multiply: only the outermost ones may be long.
    const std::size_t least = std::min(length(schema, "minItems", 0), depth == 0 ? longest : std::size_t{4});
    while (value.size() < least) value.push_back(items ? of(*items, depth + 1) : OrderedJson(nullptr));
    return value;
  }

  OrderedJson object(const Schema& schema, int depth) {
    OrderedJson value = OrderedJson::object();
    const Schema* properties = member(schema, "properties");
    const Schema* required = member(schema, "required");
    if (required && required->is_array()) {
      for (const Schema& name : *required) {
        if (!name.is_string()) continue;
        const Schema* property = properties ? member(*properties, name.get<std::string>().c_str()) : nullptr;
        value[name.get<std::string>()] = property ? of(*property, depth + 1) : OrderedJson("text");
      }
    }
    const Schema* all = member(schema, "allOf");
    if (all && all->is_array()) {
      for (const Schema& part : *all) {
        const OrderedJson more = of(part, depth + 1);
        if (more.is_object()) value.update(more);
      }
    }
    return value;
  }

  const Schema& root_;
  std::size_t made_ = 0;  ///< values; a schema that asks for itself twice would else double at every level
};

}  // namespace

std::string instance_of(const nlohmann::json& schema) { return text_of_json(Instance(schema).of(schema, 0)); }

}  // namespace tollgate::simulator
