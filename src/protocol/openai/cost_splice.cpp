#include "tollgate/protocol/openai/cost_splice.hpp"

#include "protocol/json_scan.hpp"
#include "protocol/same.hpp"

namespace tollgate::protocol::openai {
namespace {

using json::Reader;
using json::Value;

/// Where a cost goes in a usage object.
struct Place {
  Span value = {};          ///< of a cost that is there
  std::size_t members = 0;  ///< where the last member ends, or the object's brace where there is none
  bool empty = true;        ///< there is none
};

/// Steps over the next value; nothing if it is no object.
std::optional<Place> take_place(Reader& reader) {
  if (!reader.enter_object()) {
    reader.take();
    return std::nullopt;
  }
  Place place{.members = reader.offset()};
  while (reader.next_member()) {
    const bool is_cost = same(reader.key(), "cost_usd");
    const Value value = reader.take();
    place.members = reader.offset();
    place.empty = false;
    if (is_cost) place.value = {place.members - value.text.size(), place.members};
  }
  return place;
}

std::optional<Place> take_nested_place(Reader& reader) {
  if (!reader.enter_object()) {
    reader.take();
    return std::nullopt;
  }
  std::optional<Place> place;
  while (reader.next_member()) {
    if (same(reader.key(), "usage")) {
      place = take_place(reader);
    } else {
      reader.take();
    }
  }
  return place;
}

}  // namespace

std::optional<Splice> plan_cost(std::string_view json, std::string_view amount) {
  Reader reader(json);
  std::optional<Place> place, nested;
  if (!reader.enter_object()) return std::nullopt;
  while (reader.next_member()) {
    if (same(reader.key(), "usage")) {
      place = take_place(reader);
    } else if (same(reader.key(), "response")) {
      nested = take_nested_place(reader);
    } else {
      reader.take();
    }
  }
  if (!reader.finish()) return std::nullopt;
  if (!place) place = nested;
  if (!place) return std::nullopt;
  if (!place->value.empty()) return Splice{place->value, std::string(amount)};
  const std::string_view name = place->empty ? R"("cost_usd":)" : R"(,"cost_usd":)";
  return Splice{{place->members, place->members}, std::string(name).append(amount)};
}

}  // namespace tollgate::protocol::openai
