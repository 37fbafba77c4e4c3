// The one source that knows where the project lies, so that the compiler cache can serve all others to another clone.
#include "support/paths.hpp"

namespace tollgate::test {

std::string in_project(std::string_view path) { return std::string(TOLLGATE_SOURCE_DIR "/").append(path); }

std::string tollgate_binary() { return TOLLGATE_BINARY; }

}  // namespace tollgate::test
