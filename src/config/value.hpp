#pragma once
// The vocabulary of the tables in describe_*.cpp. A table says once, for every key, its name, its meaning and where its
// value is kept; reading a file, writing the schema and showing what is in effect all go by that one table.
#include "tollgate/config/snapshot.hpp"

#include "config/problem.hpp"
#include "config/references.hpp"
#include "config/units.hpp"

#include <nlohmann/json.hpp>

#include <functional>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace tollgate::config {

using Json = nlohmann::ordered_json;

/// Where a value being read stands, and what it may look at.
struct Place {
  const Spot& spot;
  const std::string& folder;  ///< of the file, for relative paths
  World& world;
  bool unset;  ///< the text holds the placeholder of an unresolved reference
};

/// One scalar, bound to the memory that keeps it.
struct Scalar {
  Json schema;
  std::function<std::optional<Problem>(const std::string& text, const Place& place)> read;
  std::function<Json()> show;  ///< null: not set, left out
  bool secret = false;         ///< problems never quote the text, shown as "***"
};

class Keys;

/// A mapping with known keys.
struct Block {
  std::function<void(Keys&)> describe;
  std::function<bool()> present = [] { return true; };  ///< false: left out when shown
};

struct Value;

/// Items of one kind. `add` appends an item and gives the value that fills it, valid until the next `add`.
struct List {
  std::function<void()> clear;
  std::function<Value()> add;
  std::function<std::vector<Value>()> items;
  std::size_t at_least = 0;
};

/// A mapping whose keys are names that the operator chooses.
struct Dictionary {
  std::string name_pattern;  ///< for the schema
  std::function<Parsed<Value>(const std::string& name, const Spot& spot)> add;
  std::function<std::vector<std::pair<std::string, Value>>()> items;
  std::string example = "x";  ///< a name that `add` takes, for the schema
  /// A single word that may stand instead of the mapping, kept by `value`.
  std::optional<Scalar> word{};
};

struct Value : std::variant<Scalar, Block, List, Dictionary> {
  using variant::variant;
};

enum class Need { optional, required };

/// What a table talks to. Each key may be named once in a table; checks come after the keys they are about.
class Keys {
 public:
  virtual ~Keys() = default;
  virtual void key(std::string_view name, std::string_view meaning, const Value& value, Need need = Need::optional) = 0;
  /// Keys that are known but refused, and why.
  virtual void refuse(std::initializer_list<std::string_view>, std::string_view) {}
  /// Keys beginning with this are left unread.
  virtual void ignore(std::string_view) {}
  /// True where the file has the key. Only the reader knows.
  virtual bool given(std::string_view) const { return false; }
  /// Where this key's value stands, or the block where the key is not given. Only the reader knows.
  virtual Spot where(std::string_view) const { return {}; }
  /// Something wrong with this key, or with the block where the key is not given. Only the reader listens.
  virtual void fault(std::string_view, Problem) {}
  virtual void note(std::string_view, const std::string&) {}
};

inline constexpr std::string_view not_supported_yet = "known, not supported yet";

template <class T>
struct Bounds {
  T least, most;
};

// Scalars of the common kinds. The schema's pattern is a help for editors; `read` decides.
Scalar duration(Millis& value, Bounds<Millis> bounds);
Scalar duration(std::optional<Millis>& value, Bounds<Millis> bounds);
Scalar short_duration(Micros& value, Bounds<Micros> bounds);
Scalar size(std::size_t& bytes, Bounds<std::size_t> bounds);
Scalar count(std::size_t& value, Bounds<std::size_t> bounds);
Scalar count(std::optional<std::uint64_t>& value, Bounds<std::size_t> bounds);
Scalar flag(bool& value);
Scalar instant(std::optional<SystemTime>& value);
Scalar number(double& value, Bounds<double> bounds);
Scalar share(double& value);
Scalar money(Money& value, Bounds<Money> bounds);
/// One that need not be there, made by what makes the one that must: optional_of(value, flag).
template <class T, class Make>
Scalar optional_of(std::optional<T>& value, Make make) {
  T stand_in{};
  Scalar scalar = make(stand_in);
  scalar.read = [&value, make](const std::string& text, const Place& place) {
    T parsed{};
    auto problem = make(parsed).read(text, place);
    if (!problem) value = parsed;
    return problem;
  };
  scalar.show = [&value, make] {
    if (!value) return Json();
    T shown = *value;
    return make(shown).show();
  };
  return scalar;
}

using Check = std::optional<Problem> (*)(std::string_view);
/// Any text that `check` takes.
Scalar text(std::string& value, Check check, std::string pattern = "");
/// A secret that goes into a header: visible ASCII, so that no line break or blank can slip in.
Scalar secret(Secret& value, bool may_be_empty);
/// One of a few words.
Scalar choice(std::vector<std::string> words, std::function<void(std::size_t)> set, std::function<std::size_t()> get);
/// The path of a file that must be readable now.
Scalar readable_file(std::string& path);

template <class T, class Make>
List list_of(std::vector<T>& items, Make make, std::size_t at_least = 0) {
  return {[&items] { items.clear(); }, [&items, make] { return Value(make(items.emplace_back())); },
          [&items, make] {
            std::vector<Value> values;
            for (T& item : items) values.emplace_back(make(item));
            return values;
          },
          at_least};
}

/// A block that describes `settings` by the table `describe(Keys&, T&)`.
template <class T>
Block block_of(T& settings) {
  return {[&settings](Keys& keys) { describe(keys, settings); }};
}

/// A block that does not exist until it is read.
template <class T>
Block block_of(std::optional<T>& settings) {
  return {[&settings](Keys& keys) {
            if (!settings) settings.emplace();
            describe(keys, *settings);
          },
          [&settings] { return settings.has_value(); }};
}

/// Names of providers, models and routes.
enum class Star { refused, allowed_last };
std::optional<Problem> check_name(std::string_view name, Star star);
std::string name_pattern(Star star);

}  // namespace tollgate::config
