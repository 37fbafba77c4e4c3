#pragma once
#include "tollgate/base/result.hpp"

#include <optional>
#include <string>
#include <vector>

/// What the configuration is read from in the real world. These block and belong on no event loop.
namespace tollgate::io {

/// The whole of a regular file of at most 4 MiB. The failure's message names the file and the reason.
Result<std::string> read_file(const std::string& path);

/// The paths that match a pattern of glob(7), sorted; none where nothing matches or a folder cannot be read.
std::vector<std::string> glob_files(const std::string& pattern);

/// An environment variable; nothing where it is not set. One that is set to nothing is an empty string.
std::optional<std::string> environment(const std::string& name);

}  // namespace tollgate::io
