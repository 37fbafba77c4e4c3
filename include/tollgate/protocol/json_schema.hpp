#pragma once
#include "tollgate/base/result.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace tollgate::protocol {

/// Tells whether a structured output is what its schema asked for. Immutable; any thread; copies share one reading.
///
/// Of JSON Schema (draft 2020-12) it judges what constrains structured outputs: type, enum, const, $ref within the
/// schema, allOf, anyOf, oneOf, not, if/then/else; of objects properties, required, additionalProperties and the number
/// of members; of arrays items, prefixItems (also draft 7's list in items), uniqueItems and the number of items; the
/// bounds of numbers and multipleOf; the length of strings in code points. Boolean schemas are schemas. Every other
/// keyword is passed over: pattern, format, contains, propertyNames, patternProperties (which lets additionalProperties
/// beside it go unjudged too), dependent* and unevaluated*, and all annotations. What is passed over never makes a
/// document differ: a match means that nothing judged speaks against it, and where a `not`, an `if` or a `oneOf` would
/// turn what has been passed over into a fault, none is named.
///
/// Schema and document are both hostile: time and memory have fixed bounds, whatever they hold.
class JsonSchema {
 public:
  static constexpr std::size_t largest_schema = std::size_t{256} * 1024;
  static constexpr std::size_t largest_document = std::size_t{1024} * 1024;
  /// Objects and arrays that may stand in one another.
  static constexpr std::size_t deepest = 64;
  /// What judging may take: a step is about one schema applied to one value, or one value compared with another. Other
  /// requests of the thread wait meanwhile: some 30 ms at worst.
  static constexpr std::size_t most_steps = 50'000;

  struct Verdict {
    enum class Kind : std::uint8_t {
      matches,
      differs,
      undecided  ///< too large, too deep, too many steps, or decided by something in the schema that is not judged
    } kind = Kind::undecided;
    /// Of `differs`: the JSON pointer of the value at fault, without '#'; "" is the document. Ends in "/..." where it
    /// has been cut.
    std::string where{};
    /// Of `differs` the fault, of `undecided` the reason, in one short sentence: "expected integer, got string".
    std::string what{};
    // Both are at most 200 bytes of printable ASCII, with at most 64 bytes of any one text out of schema or document,
    // which is spelled as inside a JSON string.
  };

  /// Reads a schema. Error (bad_request): it is no JSON, holds a number that no double can hold, is larger than
  /// `largest_schema` or deeper than `deepest`. Keywords that make no sense are no error here; a document that meets
  /// them stays undecided.
  static Result<JsonSchema> read(std::string_view schema);

  /// Whether `document`, one JSON text, matches. Of several faults the verdict names one: of those that belong to the
  /// same value what is wrong with the value itself goes before what is wrong inside it, and what stands inside it is
  /// looked at in the document's order. Where no alternative of an anyOf or oneOf matches, it is the fault of the one
  /// that got deepest.
  Verdict judge(std::string_view document) const;

 private:
  struct Root;
  explicit JsonSchema(std::shared_ptr<const Root> root);
  std::shared_ptr<const Root> root_;
};

}  // namespace tollgate::protocol
