#pragma once
#include "tollgate/protocol/json_schema.hpp"

#include "protocol/json_schema_fault.hpp"
#include "protocol/json_schema_keywords.hpp"
#include "protocol/json_schema_value.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace tollgate::protocol::schema {

/// The more certain it is that a value is wrong, the greater. `plausible`: it matches but for keywords that are not
/// judged, which is a match, yet says nothing about the opposite.
enum class Outcome : std::uint8_t { matches, plausible, undecided, differs };

/// One judgement. Recursion is bounded by `deepest_application`, work by the budget.
class Judge {
 public:
  Judge(const Value& root, std::size_t steps) : root_(root), budget_(steps) {}

  Outcome apply(const Value& schema, const Value& value, std::size_t level);

  const Fault& fault() const { return fault_; }
  std::string_view reason() const { return reason_; }

 private:
  struct Place {
    const Value& value;
    std::size_t level;
  };
  using Check = Outcome (Judge::*)(const Keywords&, Place);
  static constexpr std::array<Check, 14> checks();

  /// Schemas that may apply within one another: a few for each level of a document.
  static constexpr std::size_t deepest_application = JsonSchema::deepest * 8;

  Outcome apply_object(const Object& schema, bool is_root, Place place);
  Outcome references(const Keywords& keywords, Place place);
  Outcome type(const Keywords& keywords, Place place);
  Outcome values(const Keywords& keywords, Place place);
  Outcome number(const Keywords& keywords, Place place);
  Outcome sizes(const Keywords& keywords, Place place);
  Outcome unique_items(const Keywords& keywords, Place place);
  Outcome required(const Keywords& keywords, Place place);
  Outcome all_of(const Keywords& keywords, Place place);
  Outcome any_of(const Keywords& keywords, Place place);
  Outcome one_of(const Keywords& keywords, Place place);
  Outcome negation(const Keywords& keywords, Place place);
  Outcome condition(const Keywords& keywords, Place place);
  Outcome items(const Keywords& keywords, Place place);
  Outcome members(const Keywords& keywords, Place place);

  Outcome alternatives(const Value& schemas, Place place, bool is_only_one);
  Outcome additional(const Value& schema, const Value& value, std::size_t level);
  Outcome limit(const Value* argument, Number count, bool is_least, Fault fault);

  /// Judging goes on: the value may differ for another reason.
  Outcome undecided(std::string_view reason) {
    if (reason_.empty()) reason_ = reason;
    return Outcome::undecided;
  }
  Outcome not_understood() { return undecided("the schema holds a keyword with a value that makes no sense"); }
  /// Judging ends.
  Outcome give_up(std::string_view reason) {
    if (!gave_up_) reason_ = reason;
    gave_up_ = true;
    return Outcome::undecided;
  }
  bool spend(std::size_t steps) {
    if (!gave_up_ && !budget_.spend(steps)) give_up("it takes too many steps to judge");
    return !gave_up_;
  }
  Outcome differs(const Fault& fault) {
    fault_ = fault;
    return Outcome::differs;
  }
  /// Whether two values are equal; means nothing once it has given up.
  bool equal(const Value& left, const Value& right) {
    const bool result = order(left, right, budget_) == 0;
    return spend(0) && result;
  }

  const Value& root_;
  Budget budget_;
  std::size_t depth_ = 0;
  bool gave_up_ = false;
  std::string_view reason_;
  Fault fault_;
};

}  // namespace tollgate::protocol::schema
