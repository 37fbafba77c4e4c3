#pragma once
#include <cstddef>

namespace tollgate::pipeline {

/// Where in the vector `items` an item of it stands.
template <class Items>
std::size_t index_in(const Items& items, const typename Items::value_type* item) {
  return static_cast<std::size_t>(item - items.data());
}

}  // namespace tollgate::pipeline
