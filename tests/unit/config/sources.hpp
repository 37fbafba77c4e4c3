#pragma once
#include "tollgate/config/loader.hpp"

#include <glob.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <string>

namespace tollgate::config::test {

/// A world in memory: files by path, patterns that match "folder/*", environment variables.
struct Memory {
  std::map<std::string, std::string> files;
  std::map<std::string, std::string> environment;

  Sources sources() const {
    return {[this](const std::string& path) -> Result<std::string> {
              const auto file = files.find(path);
              if (file == files.end())
                return Failure{.kind = FailureKind::internal, .message = "No such file or directory"};
              return file->second;
            },
            [this](const std::string& pattern) {
              std::vector<std::string> found;
              const bool any = pattern.ends_with("/*.yaml");
              const std::string folder = pattern.substr(0, pattern.rfind('/') + 1);
              for (const auto& [path, text] : files) {
                const bool inside = path.starts_with(folder) && path.find('/', folder.size()) == std::string::npos;
                if (path == pattern || (any && inside && path.ends_with(".yaml"))) found.push_back(path);
              }
              return found;
            },
            [this](const std::string& name) -> std::optional<std::string> {
              const auto variable = environment.find(name);
              return variable == environment.end() ? std::nullopt : std::optional(variable->second);
            }};
  }
  Loaded load(const std::string& text, const LoadOptions& options = {}) {
    files["/etc/tollgate/routes.yaml"] = text;
    return config::load("/etc/tollgate/routes.yaml", sources(), options);
  }
};

/// The project's own files, and an environment of the test's choice.
inline Sources disk_sources(const std::map<std::string, std::string>& environment = {}) {
  return {[](const std::string& path) -> Result<std::string> {
            std::ifstream file(path, std::ios::binary);
            if (!file) return Failure{.kind = FailureKind::internal, .message = "No such file or directory"};
            std::ostringstream text;
            text << file.rdbuf();
            return text.str();
          },
          [](const std::string& pattern) {
            glob_t found{};
            std::vector<std::string> paths;
            if (::glob(pattern.c_str(), 0, nullptr, &found) == 0)
              paths.assign(found.gl_pathv, found.gl_pathv + found.gl_pathc);
            ::globfree(&found);
            return paths;
          },
          [environment](const std::string& name) -> std::optional<std::string> {
            const auto variable = environment.find(name);
            return variable == environment.end() ? std::nullopt : std::optional(variable->second);
          }};
}

inline std::string all_text(const Loaded& loaded) {
  std::string text;
  for (const Fault& fault : loaded.faults) text += to_text(fault) + "\n";
  for (const std::string& note : loaded.notes) text += "note: " + note + "\n";
  return text;
}

/// For whoever may call everything.
inline bool everyone(const Resolution&) { return true; }

/// A valid configuration with one provider and one model, and `more` below it.
inline std::string valid_with(const std::string& more) {
  return "version: 1\n"
         "providers: {sim: {simulator: {}}}\n"
         "models: {small: {provider: sim}}\n" +
         more;
}

}  // namespace tollgate::config::test
