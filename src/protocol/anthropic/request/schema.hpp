#pragma once
// JSON schemas as the API takes them where it holds a model to one.
#include <optional>
#include <string>
#include <string_view>

namespace tollgate::protocol::anthropic::request {

/// A schema (an object of valid JSON) with what the API cannot hold a model to left out: bounds on numbers, lengths and
/// counts, unknown formats, keywords that it does not know. Objects are closed (additionalProperties is false), oneOf
/// becomes anyOf. Nothing where the schema would come to mean something else: it is recursive, refers to something
/// beyond its own $defs or definitions, merges several schemas, or has an object of any members. Linear but for the
/// names of definitions, which are looked up.
std::optional<std::string> clean_schema(std::string_view schema);

}  // namespace tollgate::protocol::anthropic::request
