#pragma once
// From the text of routes.yaml to one checked snapshot, or to the list of everything that is wrong with it.
#include "tollgate/base/result.hpp"
#include "tollgate/config/snapshot.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace tollgate::config {

/// One thing that is wrong with a configuration. Never holds a value that came out of a reference or of a secret's key.
struct Fault {
  std::string file;
  int line = 1;            ///< 1-based
  int column = 1;          ///< 1-based, in bytes
  std::string key;         ///< path of the key, "providers.openai.timouts"; empty where no key is meant
  std::string message;     ///< what is wrong
  std::string suggestion;  ///< what to do, or empty
};

/// "routes.yaml:12:5: providers.openai.timouts: unknown key; did you mean 'timeouts'?"
std::string to_text(const Fault& fault);

/// The loader touches the world only through these. They are called on the caller's thread.
struct Sources {
  /// A file's bytes. A Failure's message says why there are none ("No such file or directory").
  std::function<Result<std::string>(const std::string& path)> read_file;
  /// Paths that match an absolute glob pattern, sorted; none is no error.
  std::function<std::vector<std::string>(const std::string& pattern)> glob;
  /// An environment variable, or nothing where it is not set.
  std::function<std::optional<std::string>(const std::string& name)> environment;
  /// A time zone by its IANA name, never null. A Failure's message says why there is none. UTC is not asked for. Not
  /// set: there is no other zone.
  std::function<Result<std::shared_ptr<const policy::TimeZone>>(const std::string& name)> time_zone = {};
  /// All names that `time_zone` knows, for suggestions. Not set: none.
  std::function<std::vector<std::string>()> time_zone_names = {};
};

struct LoadOptions {
  /// Unresolved references become a placeholder and a note instead of a fault: for `tollgate check` without secrets.
  bool allow_unset = false;
};

struct Loaded {
  std::shared_ptr<const Snapshot> snapshot;  ///< null exactly when there are faults
  std::vector<Fault> faults;                 ///< all of them, by file, line and column
  std::vector<std::string> notes;            ///< nothing wrong, but worth saying
};

/// Reads the file at `path` (absolute, so that the snapshot's paths are) and all it includes. Throws nothing; text of
/// any kind ends in a snapshot or in faults. Bounds: 4 MiB a file, 64 levels, 100,000 values with aliases counted each
/// time.
Loaded load(const std::string& path, const Sources& sources, const LoadOptions& options = {});

}  // namespace tollgate::config
