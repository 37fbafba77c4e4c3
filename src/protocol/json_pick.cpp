#include "protocol/json_pick.hpp"

#include <bitset>

namespace tollgate::protocol::json {

bool is_valid(std::string_view text, unsigned depth) {
  Reader reader(text);
  std::bitset<max_depth + 1> is_object;
  std::size_t open = 0;
  do {
    if (reader.enter_object()) {
      is_object[++open] = true;
    } else if (reader.enter_array()) {
      is_object[++open] = false;
    } else if (!reader.failed()) {
      reader.take();
    }
    if (open > depth) return false;
    while (open > 0 && !reader.failed() && !(is_object[open] ? reader.next_member() : reader.next_element())) --open;
  } while (open > 0 && !reader.failed());
  return !reader.failed() && reader.finish();
}

}  // namespace tollgate::protocol::json
