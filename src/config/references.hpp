#pragma once
#include "tollgate/config/loader.hpp"

#include "config/problem.hpp"

#include <string>
#include <vector>

namespace tollgate::config {

/// Stands for an unresolved reference under LoadOptions::allow_unset: long enough for a token, and a valid name and
/// host.
inline constexpr std::string_view placeholder = "unset-reference-placeholder.example.invalid";

/// The sources of one load, with the list of the files that were really read.
class World {
 public:
  World(const Sources& sources, bool allow_unset) : sources_(sources), allow_unset_(allow_unset) {}

  Result<std::string> read(const std::string& path);
  std::vector<std::string> glob(const std::string& pattern) const { return sources_.glob(pattern); }
  std::optional<std::string> environment(const std::string& name) const { return sources_.environment(name); }
  Result<std::shared_ptr<const policy::TimeZone>> time_zone(const std::string& name) const;
  std::vector<std::string> time_zone_names() const {
    return sources_.time_zone_names ? sources_.time_zone_names() : std::vector<std::string>{};
  }
  bool allow_unset() const { return allow_unset_; }
  const std::vector<std::string>& files() const { return files_; }

 private:
  const Sources& sources_;
  bool allow_unset_;
  std::vector<std::string> files_;
};

/// A path as written, made absolute against the folder of the file that holds it.
std::string resolved_path(const std::string& written, const std::string& folder);

/// A scalar after its references were replaced.
struct Expansion {
  std::string text;
  bool referred = false;  ///< holds something from outside the file, which must not be shown
  std::vector<Problem> problems{};
  std::vector<std::string> unset{};  ///< what became a placeholder
};

/// Replaces ${VAR}, ${VAR:-default}, ${file:/path} and $$ in `raw`. What a reference brings in is not looked at again.
Expansion expand(std::string_view raw, const std::string& folder, World& world);

}  // namespace tollgate::config
