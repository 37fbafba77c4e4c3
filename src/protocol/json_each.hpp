#pragma once
#include "protocol/json_scan.hpp"

namespace tollgate::protocol::json {

/// Calls `use` with the reader before each element of the array, which is read alone; it takes the value. What is no
/// array has none.
template <class Use>
void for_each_element(const Value& array, Use use) {
  Reader reader(array.text);
  if (array.kind != Kind::array || !reader.enter_array()) return;
  while (reader.next_element()) use(reader);
}

/// Calls `use` with the name of each member of the object that comes next; it takes the value. False: that is no
/// object, and is stepped over, or it is broken.
template <class Use>
bool for_each_member(Reader& reader, Use use) {
  if (!reader.enter_object()) {
    reader.take();
    return false;
  }
  while (reader.next_member()) use(reader.key());
  return !reader.failed();
}

}  // namespace tollgate::protocol::json
