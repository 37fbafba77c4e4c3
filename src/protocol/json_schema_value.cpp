// Reads JSON by events, so that a text that is too deep or has too many values is left where it exceeds its bound.
// Everything that recurses here is bounded by that depth.
#include "protocol/json_schema_value.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <utility>

namespace tollgate::protocol::schema {

Value::Value() = default;
Value::~Value() = default;
Value::Value(Value&&) noexcept = default;
Value& Value::operator=(Value&&) noexcept = default;

const Array* Value::array() const {
  const auto* const found = std::get_if<std::unique_ptr<Array>>(&held);
  return found ? found->get() : nullptr;
}

const Object* Value::object() const {
  const auto* const found = std::get_if<std::unique_ptr<Object>>(&held);
  return found ? found->get() : nullptr;
}

const Value* Object::find(std::string_view name) const {
  const auto found = members.find(name);
  return found == members.end() ? nullptr : &found->second;
}

bool is_whole(Number number) { return std::floor(number) == number; }

std::size_t code_points(std::string_view text) {
  constexpr unsigned top_bits = 0xC0, continuing = 0x80;
  return static_cast<std::size_t>(std::count_if(
      text.begin(), text.end(), [](char byte) { return (static_cast<unsigned char>(byte) & top_bits) != continuing; }));
}

namespace {

using Json = nlohmann::json;

/// nlohmann's out_of_range for a number that no double can hold.
constexpr int number_overflow = 406;

class Builder final : public nlohmann::json_sax<Json> {
 public:
  Builder(const Limits& limits, Value& into) : limits_(limits), next_(&into) {}

  Flaw flaw() const { return flaw_; }

  bool null() override { return put(std::monostate{}); }
  bool boolean(bool value) override { return put(value); }
  bool number_integer(std::int64_t value) override { return put(static_cast<Number>(value)); }
  bool number_unsigned(std::uint64_t value) override { return put(static_cast<Number>(value)); }
  bool number_float(double value, const std::string&) override { return put(static_cast<Number>(value)); }
  bool string(std::string& value) override { return put(std::move(value)); }
  bool binary(Json::binary_t&) override { return false; }  // GCOVR_EXCL_LINE: JSON text has none

  bool start_array(std::size_t) override { return open(std::make_unique<Array>()); }
  bool end_array() override { return close(); }
  bool start_object(std::size_t) override { return open(std::make_unique<Object>()); }
  bool end_object() override { return close(); }

  bool key(std::string& name) override {
    Object& object = **std::get_if<std::unique_ptr<Object>>(&open_.back()->held);
    const auto [member, is_new] = object.members.try_emplace(std::move(name));
    if (is_new) object.order.push_back(&*member);
    next_ = &member->second;
    return true;
  }

  bool parse_error(std::size_t, const std::string&, const Json::exception& error) override {
    flaw_ = error.id == number_overflow ? Flaw::number_out_of_range : Flaw::not_json;
    return false;
  }

 private:
  /// Where the next value goes: the root, a member, or an array's end. Null where there is no room for another.
  Value* place() {
    if (++values_ > limits_.values) {
      flaw_ = Flaw::too_many_values;
      return nullptr;
    }
    if (open_.empty() || open_.back()->object()) return next_;
    return &(*std::get_if<std::unique_ptr<Array>>(&open_.back()->held))->emplace_back();
  }

  template <class Held>
  bool put(Held value) {
    Value* const at = place();
    if (!at) return false;
    at->held = std::move(value);
    return true;
  }

  template <class Container>
  bool open(Container container) {
    if (open_.size() == limits_.depth) {
      flaw_ = Flaw::too_deep;
      return false;
    }
    Value* const at = place();
    if (!at) return false;
    at->held = std::move(container);
    open_.push_back(at);
    return true;
  }

  bool close() {
    open_.pop_back();
    return true;
  }

  Limits limits_;
  Value* next_;
  /// The containers around what is read. Each is the last thing in the one before it, which does not grow meanwhile.
  std::vector<Value*> open_;
  std::size_t values_ = 0;
  Flaw flaw_ = Flaw::none;
};

template <class Compared>
int compare(const Compared& left, const Compared& right) {
  return left < right ? -1 : right < left ? 1 : 0;
}

int order_text(const std::string& left, const std::string& right, Budget& budget) {
  if (left.size() != right.size()) return compare(left.size(), right.size());
  return budget.spend(steps_for(left.size())) ? left.compare(right) : 0;
}

int order_arrays(const Array& left, const Array& right, Budget& budget) {
  if (left.size() != right.size()) return compare(left.size(), right.size());
  int result = 0;
  for (std::size_t i = 0; i < left.size() && result == 0 && !budget.is_spent(); ++i)
    result = order(left[i], right[i], budget);
  return result;
}

int order_objects(const Object& left, const Object& right, Budget& budget) {
  if (left.members.size() != right.members.size()) return compare(left.members.size(), right.members.size());
  int result = 0;
  auto other = right.members.begin();
  for (const auto& [name, value] : left.members) {
    if (result == 0) result = order_text(name, other->first, budget);
    if (result == 0) result = order(value, other->second, budget);
    if (result != 0 || budget.is_spent()) break;
    ++other;
  }
  return result;
}

}  // namespace

int order(const Value& left, const Value& right, Budget& budget) {
  if (!budget.spend(1)) return 0;
  if (left.held.index() != right.held.index()) return compare(left.held.index(), right.held.index());
  if (left.boolean()) return compare(*left.boolean(), *right.boolean());
  if (left.number()) return compare(*left.number(), *right.number());
  if (left.text()) return order_text(*left.text(), *right.text(), budget);
  if (left.array()) return order_arrays(*left.array(), *right.array(), budget);
  if (left.object()) return order_objects(*left.object(), *right.object(), budget);
  return 0;
}

Flaw read_value(std::string_view text, const Limits& limits, Value& into) {
  // nlohmann's reader ends a text at a zero byte and skips a byte order mark; in JSON neither may stand.
  if (text.find('\0') != std::string_view::npos || text.starts_with("\xEF\xBB\xBF")) return Flaw::not_json;
  Builder builder(limits, into);
  Json::sax_parse(text.begin(), text.end(), &builder);
  return builder.flaw();
}

}  // namespace tollgate::protocol::schema
