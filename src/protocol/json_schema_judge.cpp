// A judge walks schema and document together, on a budget. Each keyword that it knows has one function, which tells
// whether the value keeps to it and notes the fault if not. What cannot be told is carried along as `undecided`, so
// that a value which is wrong for another reason still differs, and an alternative that matches still matches.
#include "protocol/json_schema_judge.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <set>

namespace tollgate::protocol::schema {
namespace {

/// Of requirements that must all hold.
Outcome both(Outcome left, Outcome right) { return std::max(left, right); }

/// Doubles are as near to a multiple as their two roundings let them be.
bool is_multiple(Number number, Number of) {
  if (is_whole(number) && is_whole(of)) return std::fmod(number, of) == 0;
  const Number times = number / of;
  constexpr Number tolerance = 8 * static_cast<Number>(std::numeric_limits<double>::epsilon());
  return std::abs(times - std::round(times)) <= tolerance * std::abs(times);
}

constexpr std::string_view unjudged = "a not or an if of the schema depends on what is not judged";

}  // namespace

/// What a value is goes before what is in it.
constexpr std::array<Judge::Check, 14> Judge::checks() {
  return {&Judge::type,     &Judge::values,     &Judge::number, &Judge::sizes,  &Judge::unique_items,
          &Judge::required, &Judge::references, &Judge::all_of, &Judge::any_of, &Judge::one_of,
          &Judge::negation, &Judge::condition,  &Judge::items,  &Judge::members};
}

Outcome Judge::apply(const Value& schema, const Value& value, std::size_t level) {
  if (!spend(1)) return Outcome::undecided;
  if (const bool* const all = schema.boolean())
    return *all ? Outcome::matches : differs({.kind = Fault::Kind::nothing_allowed, .at = &value, .level = level});
  if (!schema.object()) return not_understood();
  if (depth_ == deepest_application) return give_up("the schema refers to itself too often to judge");
  ++depth_;
  const Outcome outcome = apply_object(*schema.object(), &schema == &root_, {value, level});
  --depth_;
  return gave_up_ ? Outcome::undecided : outcome;
}

Outcome Judge::apply_object(const Object& schema, bool is_root, Place place) {
  if (!spend(schema.order.size() / 4)) return Outcome::undecided;
  const Keywords keywords(schema);
  Outcome result = keywords.leave_open() ? Outcome::plausible : Outcome::matches;
  // Within a schema that has an address of its own, references mean something else.
  if (!is_root && keywords[Keyword::id]) result = undecided("the schema holds a $id inside it, which is not judged");
  for (const Check check : checks()) {
    result = both(result, (this->*check)(keywords, place));
    if (gave_up_ || result == Outcome::differs) break;
  }
  return result;
}

Outcome Judge::type(const Keywords& keywords, Place place) {
  const Value* const argument = keywords[Keyword::type];
  if (!argument) return Outcome::matches;
  Types types;
  const auto add = [&](const Value& name) {
    const auto type = name.text() ? Types::named(*name.text()) : std::nullopt;
    if (type) types.add(*type);
    return type.has_value();
  };
  if (const Array* const names = argument->array()) {
    if (!spend(names->size())) return Outcome::undecided;
    if (names->empty() || !std::all_of(names->begin(), names->end(), add)) return not_understood();
  } else if (!add(*argument)) {
    return not_understood();
  }
  if (types.allow(place.value)) return Outcome::matches;
  return differs({.kind = Fault::Kind::type, .at = &place.value, .level = place.level, .types = types});
}

Outcome Judge::values(const Keywords& keywords, Place place) {
  const Value* const constant = keywords[Keyword::constant];
  if (constant && !equal(*constant, place.value))
    return differs({.kind = Fault::Kind::constant, .at = &place.value, .level = place.level, .argument = constant});
  const Value* const choice = keywords[Keyword::enumeration];
  if (!choice) return Outcome::matches;
  if (!choice->array()) return not_understood();
  for (const Value& one : *choice->array()) {
    if (equal(one, place.value)) return Outcome::matches;
    if (gave_up_) return Outcome::undecided;
  }
  return differs({.kind = Fault::Kind::enumeration, .at = &place.value, .level = place.level, .argument = choice});
}

Outcome Judge::number(const Keywords& keywords, Place place) {
  struct Bound {
    Keyword keyword;
    Fault::Kind fault;
    bool (*holds)(Number number, Number bound);
  };
  constexpr std::array<Bound, 5> bounds{{
      {Keyword::minimum, Fault::Kind::below, [](Number number, Number bound) { return number >= bound; }},
      {Keyword::maximum, Fault::Kind::above, [](Number number, Number bound) { return number <= bound; }},
      {Keyword::exclusive_minimum, Fault::Kind::not_above, [](Number number, Number bound) { return number > bound; }},
      {Keyword::exclusive_maximum, Fault::Kind::not_below, [](Number number, Number bound) { return number < bound; }},
      {Keyword::multiple_of, Fault::Kind::not_multiple, is_multiple},
  }};
  const Number* const number = place.value.number();
  if (!number) return Outcome::matches;
  Outcome result = Outcome::matches;
  for (const Bound& bound : bounds) {
    const Value* const argument = keywords[bound.keyword];
    if (!argument) continue;
    if (!argument->number() || (bound.keyword == Keyword::multiple_of && *argument->number() <= 0))
      result = not_understood();
    else if (!bound.holds(*number, *argument->number()))
      return differs({.kind = bound.fault, .at = &place.value, .level = place.level, .argument = argument});
  }
  return result;
}

Outcome Judge::limit(const Value* argument, Number count, bool is_least, Fault fault) {
  if (!argument) return Outcome::matches;
  if (!argument->number()) return not_understood();
  if (is_least ? count >= *argument->number() : count <= *argument->number()) return Outcome::matches;
  fault.argument = argument;
  return differs(fault);
}

Outcome Judge::sizes(const Keywords& keywords, Place place) {
  using Kind = Fault::Kind;
  const auto limits = [&](Keyword least, Keyword most, std::size_t size, Kind below, Kind above) {
    const auto count = static_cast<Number>(size);
    const Outcome enough =
        limit(keywords[least], count, true, {.kind = below, .at = &place.value, .level = place.level});
    if (enough == Outcome::differs) return enough;
    return both(enough, limit(keywords[most], count, false, {.kind = above, .at = &place.value, .level = place.level}));
  };
  if (const Array* const array = place.value.array())
    return limits(Keyword::min_items, Keyword::max_items, array->size(), Kind::too_few_items, Kind::too_many_items);
  if (const Object* const object = place.value.object())
    return limits(Keyword::min_properties, Keyword::max_properties, object->members.size(), Kind::too_few_properties,
                  Kind::too_many_properties);
  const std::string* const text = place.value.text();
  if (!text || (!keywords[Keyword::min_length] && !keywords[Keyword::max_length])) return Outcome::matches;
  if (!spend(steps_for(text->size()))) return Outcome::undecided;
  return limits(Keyword::min_length, Keyword::max_length, code_points(*text), Kind::too_short, Kind::too_long);
}

Outcome Judge::unique_items(const Keywords& keywords, Place place) {
  const Array* const array = place.value.array();
  const Value* const argument = keywords[Keyword::unique_items];
  if (!array || !argument) return Outcome::matches;
  if (!argument->boolean()) return not_understood();
  if (!*argument->boolean()) return Outcome::matches;
  const auto before = [&](const Value* left, const Value* right) { return order(*left, *right, budget_) < 0; };
  // Once the budget is spent all are equal: then nothing more is put in, and the set is thrown away.
  std::set<const Value*, decltype(before)> seen(before);
  for (const Value& item : *array) {
    const bool is_new = seen.insert(&item).second;
    if (!spend(1)) return Outcome::undecided;
    if (!is_new) return differs({.kind = Fault::Kind::repeated_item, .at = &item, .level = place.level + 1});
  }
  return Outcome::matches;
}

Outcome Judge::required(const Keywords& keywords, Place place) {
  const Object* const object = place.value.object();
  const Value* const names = keywords[Keyword::required];
  if (!object || !names) return Outcome::matches;
  if (!names->array()) return not_understood();
  Outcome result = Outcome::matches;
  for (const Value& name : *names->array()) {
    if (!name.text()) {
      result = not_understood();
      continue;
    }
    if (!spend(1 + steps_for(name.text()->size()))) return Outcome::undecided;
    if (!object->find(*name.text()))
      return differs({.kind = Fault::Kind::missing, .at = &place.value, .level = place.level, .argument = &name});
  }
  return result;
}

Outcome Judge::references(const Keywords& keywords, Place place) {
  if (keywords[Keyword::dynamic_ref] || keywords[Keyword::recursive_ref])
    return undecided("the schema holds a reference that is not followed");
  const Value* const reference = keywords[Keyword::ref];
  if (!reference) return Outcome::matches;
  if (!reference->text()) return not_understood();
  if (!spend(1 + steps_for(8 * reference->text()->size()))) return Outcome::undecided;
  const Value* const schema = referred(root_, *reference->text());
  return schema ? apply(*schema, place.value, place.level) : undecided("the schema holds a $ref that is not followed");
}

Outcome Judge::all_of(const Keywords& keywords, Place place) {
  const Value* const argument = keywords[Keyword::all_of];
  if (!argument) return Outcome::matches;
  if (!argument->array()) return not_understood();
  Outcome result = Outcome::matches;
  for (const Value& schema : *argument->array()) {
    result = both(result, apply(schema, place.value, place.level));
    if (gave_up_ || result == Outcome::differs) break;
  }
  return result;
}

Outcome Judge::alternatives(const Value& schemas, Place place, bool is_only_one) {
  if (!schemas.array() || schemas.array()->empty()) return not_understood();
  Nearest nearest(place.value, place.level);
  std::size_t matching = 0, plausible = 0, unknown = 0;
  for (const Value& schema : *schemas.array()) {
    const Outcome outcome = apply(schema, place.value, place.level);
    if (gave_up_) return Outcome::undecided;
    if (outcome == Outcome::differs) nearest.add(fault_);
    matching += outcome == Outcome::matches;
    plausible += outcome == Outcome::plausible;
    unknown += outcome == Outcome::undecided;
    if (matching != 0 && !is_only_one) return Outcome::matches;
    if (matching > 1)
      return differs({.kind = Fault::Kind::several_alternatives, .at = &place.value, .level = place.level});
  }
  if (unknown != 0 && (is_only_one || plausible == 0)) return Outcome::undecided;
  if (plausible != 0) return Outcome::plausible;
  return matching != 0 ? Outcome::matches : differs(nearest.fault());
}

Outcome Judge::any_of(const Keywords& keywords, Place place) {
  const Value* const schemas = keywords[Keyword::any_of];
  return schemas ? alternatives(*schemas, place, false) : Outcome::matches;
}

Outcome Judge::one_of(const Keywords& keywords, Place place) {
  const Value* const schemas = keywords[Keyword::one_of];
  return schemas ? alternatives(*schemas, place, true) : Outcome::matches;
}

Outcome Judge::negation(const Keywords& keywords, Place place) {
  const Value* const schema = keywords[Keyword::not_];
  if (!schema) return Outcome::matches;
  const Outcome outcome = apply(*schema, place.value, place.level);
  if (outcome == Outcome::differs) return Outcome::matches;
  if (outcome != Outcome::matches) return undecided(unjudged);
  return differs({.kind = Fault::Kind::negated, .at = &place.value, .level = place.level});
}

Outcome Judge::condition(const Keywords& keywords, Place place) {
  const Value* const condition = keywords[Keyword::if_];
  if (!condition || (!keywords[Keyword::then] && !keywords[Keyword::else_])) return Outcome::matches;
  const Outcome outcome = apply(*condition, place.value, place.level);
  if (outcome == Outcome::plausible || outcome == Outcome::undecided) return undecided(unjudged);
  const Value* const schema = keywords[outcome == Outcome::matches ? Keyword::then : Keyword::else_];
  return schema ? apply(*schema, place.value, place.level) : Outcome::matches;
}

Outcome Judge::items(const Keywords& keywords, Place place) {
  const Array* const array = place.value.array();
  if (!array) return Outcome::matches;
  const Value* first = keywords[Keyword::prefix_items];
  const Value* rest = keywords[Keyword::items];
  if (!first && rest && rest->array()) {
    first = rest;
    rest = keywords[Keyword::additional_items];
  }
  if (first && !first->array()) return not_understood();
  const std::size_t listed = first ? first->array()->size() : 0;
  const std::size_t judged = rest ? array->size() : std::min(listed, array->size());
  Outcome result = Outcome::matches;
  for (std::size_t i = 0; i < judged && !gave_up_ && result != Outcome::differs; ++i)
    result = both(result, apply(i < listed ? (*first->array())[i] : *rest, (*array)[i], place.level + 1));
  return result;
}

Outcome Judge::additional(const Value& schema, const Value& value, std::size_t level) {
  const Outcome outcome = apply(schema, value, level);
  if (outcome == Outcome::differs && schema.boolean()) fault_.kind = Fault::Kind::property_not_allowed;
  return outcome;
}

Outcome Judge::members(const Keywords& keywords, Place place) {
  const Object* const object = place.value.object();
  const Value* const known = keywords[Keyword::properties];
  const Value* const others =
      keywords[Keyword::pattern_properties] ? nullptr : keywords[Keyword::additional_properties];
  if (!object || (!known && !others)) return Outcome::matches;
  if (known && !known->object()) return not_understood();
  Outcome result = Outcome::matches;
  for (const auto* const member : object->order) {
    if (!spend(1 + steps_for(member->first.size()))) return Outcome::undecided;
    const Value* const schema = known ? known->object()->find(member->first) : nullptr;
    if (schema)
      result = both(result, apply(*schema, member->second, place.level + 1));
    else if (others)
      result = both(result, additional(*others, member->second, place.level + 1));
    if (gave_up_ || result == Outcome::differs) break;
  }
  return result;
}

}  // namespace tollgate::protocol::schema
