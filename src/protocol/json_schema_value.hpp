#pragma once
// JSON as a schema's judge needs it. nlohmann's own values would not do: they forget the order of members, compare
// whole numbers as doubles, and are built however deep a text goes; so only its reader is used.
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace tollgate::protocol::schema {

struct Object;
struct Value;
using Array = std::vector<Value>;

/// Holds every int64, uint64 and double exactly, so that numbers compare by value.
using Number = long double;
static_assert(std::numeric_limits<Number>::digits >= 64);

/// One value, nested no deeper than its reader allowed. Text is valid UTF-8.
struct Value {
  Value();
  ~Value();
  Value(Value&&) noexcept;
  Value& operator=(Value&&) noexcept;

  const bool* boolean() const { return std::get_if<bool>(&held); }
  const Number* number() const { return std::get_if<Number>(&held); }
  const std::string* text() const { return std::get_if<std::string>(&held); }
  const Array* array() const;
  const Object* object() const;

  std::variant<std::monostate, bool, Number, std::string, std::unique_ptr<Array>, std::unique_ptr<Object>> held;
};

/// Of members with the same name the last one counts.
struct Object {
  using Members = std::map<std::string, Value, std::less<>>;
  /// The member of that name, or null.
  const Value* find(std::string_view name) const;

  Members members;
  std::vector<const Members::value_type*> order;  ///< as they stood in the text
};

bool is_whole(Number number);
/// Of valid UTF-8.
std::size_t code_points(std::string_view text);

/// Steps that are left; once it says that there are none, it stays so.
class Budget {
 public:
  explicit Budget(std::size_t steps) : left_(steps) {}
  bool spend(std::size_t steps) {
    left_ = steps < left_ ? left_ - steps : 0;
    return left_ != 0;
  }
  bool is_spent() const { return left_ == 0; }

 private:
  std::size_t left_;
};

/// What reading a piece of text costs: a step for each 256 bytes.
constexpr std::size_t steps_for(std::size_t bytes) { return bytes / 256; }

/// Less than, equal to or greater than 0, in some total order in which values that are equal by value are equal. Means
/// nothing once the budget is spent.
int order(const Value& left, const Value& right, Budget& budget);

enum class Flaw : std::uint8_t { none, not_json, too_deep, too_many_values, number_out_of_range };

struct Limits {
  std::size_t depth;
  std::size_t values;
};

/// One JSON text into `into`. Of a text that was given up for a limit the rest has not been looked at.
Flaw read_value(std::string_view text, const Limits& limits, Value& into);

}  // namespace tollgate::protocol::schema
