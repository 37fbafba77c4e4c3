#pragma once
#include <stdexcept>
#include <string>

namespace tollgate::simulator {

/// Settings that mean nothing are a bug of whoever made them: config::load refuses them in files.
inline void require(bool holds, const std::string& what) {
  if (!holds) throw std::invalid_argument("simulator: " + what);
}

}  // namespace tollgate::simulator
