#pragma once
#include "config/references.hpp"
#include "config/tree.hpp"
#include "config/value.hpp"

#include <string>

namespace tollgate::config {

/// One file being read.
struct Reading {
  std::string file;
  std::string folder;
  World& world;
  Report& report;
};

/// Fills the memory that `value` is bound to from `node`. Everything that does not fit goes to the report; what is
/// missing or wrong keeps its default, so that the rest can still be checked.
void read_value(const Value& value, const Node& node, const Spot& spot, Reading& reading);

}  // namespace tollgate::config
