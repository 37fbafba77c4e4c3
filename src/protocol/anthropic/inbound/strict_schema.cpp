#include "protocol/anthropic/inbound/strict_schema.hpp"

#include "protocol/json_scan.hpp"

#include <cstddef>

namespace tollgate::protocol::anthropic::inbound {
namespace {

using json::Kind;
using json::Reader;

bool fits(Reader& reader, bool is_map);

std::size_t count(Reader& reader) {
  std::size_t elements = 0;
  if (!reader.enter_array()) {
    reader.take();
    return 0;
  }
  while (reader.next_element()) elements += reader.take().kind == Kind::string;
  return elements;
}

/// The members of a schema; the object has been entered.
bool fits_schema(Reader& reader) {
  bool object = false, closed = false, whole = true;
  std::size_t properties = 0, required = 0;
  while (reader.next_member()) {
    const std::string_view key = reader.key();
    if (key == "properties") {
      object = true;
      if (!reader.enter_object()) return false;
      while (reader.next_member()) {
        ++properties;
        whole = fits(reader, false) && whole;
      }
    } else if (key == "required") {
      required = count(reader);
    } else if (key == "additionalProperties" && reader.peek() == Kind::boolean) {
      closed = reader.take().text == "false";
    } else if (key == "type") {
      object = reader.take().text == "\"object\"" || object;
    } else if (key == "$defs" || key == "definitions") {
      whole = fits(reader, true) && whole;
    } else if (key == "enum" || key == "const" || key == "default" || key == "examples") {
      reader.take();
    } else {
      whole = fits(reader, false) && whole;
    }
  }
  return whole && (!object || (closed && required == properties));
}

/// The next value: a schema, several of them, or anything else; or a map of names to schemas.
bool fits(Reader& reader, bool is_map) {
  bool whole = true;
  if (reader.enter_array()) {
    while (reader.next_element()) whole = fits(reader, false) && whole;
    return whole;
  }
  if (!reader.enter_object()) {
    reader.take();
    return true;
  }
  if (!is_map) return fits_schema(reader);
  while (reader.next_member()) whole = fits(reader, false) && whole;
  return whole;
}

}  // namespace

bool fits_strict(std::string_view schema) {
  Reader reader(schema);
  return fits(reader, false) && !reader.failed();
}

}  // namespace tollgate::protocol::anthropic::inbound
