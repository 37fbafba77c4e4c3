#pragma once
#include "tollgate/protocol/usage.hpp"

#include <ostream>

namespace tollgate::protocol {

/// So that a failed comparison tells every class.
inline void PrintTo(const Usage& usage, std::ostream* out) {
  *out << "input " << usage.input << " (cached " << usage.cached_input << ", written " << usage.cache_write << " and "
       << usage.cache_write_long << ", audio " << usage.audio_input << ", image " << usage.image_input << ") output "
       << usage.output << " (reasoning " << usage.reasoning << ", audio " << usage.audio_output << ", image "
       << usage.image_output << ") searches " << usage.searches << " tier " << static_cast<int>(usage.tier);
}

}  // namespace tollgate::protocol
