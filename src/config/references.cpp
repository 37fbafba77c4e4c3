#include "config/references.hpp"
// References inside scalars. They are replaced after the YAML is parsed, so that no secret can change the file's
// structure, and what they bring in is never printed and never expanded again.

#include "config/words.hpp"

#include <algorithm>
#include <cctype>
#include <filesystem>

namespace tollgate::config {

namespace {

constexpr std::size_t largest_secret = 64 * 1024;

bool is_variable_name(std::string_view name) {
  const auto allowed = [](unsigned char c) { return std::isalnum(c) || c == '_'; };
  return !name.empty() && !std::isdigit(static_cast<unsigned char>(name.front())) &&
         std::all_of(name.begin(), name.end(), allowed);
}

void unresolved(Expansion& expansion, const World& world, const std::string& what, Problem problem) {
  if (!world.allow_unset()) {
    expansion.problems.push_back(std::move(problem));
    return;
  }
  expansion.unset.push_back(what);
  expansion.text += placeholder;
}

void insert_file(Expansion& expansion, World& world, const std::string& written, const std::string& folder) {
  const std::string shown = printable(written);
  auto text = world.read(resolved_path(written, folder));
  if (!text) {
    unresolved(expansion, world, "${file:" + shown + "}",
               {"cannot read the file '" + shown + "': " + printable(text.error().message)});
    return;
  }
  if (text->size() > largest_secret) {
    expansion.problems.push_back({"the file '" + shown + "' is larger than 64 KiB"});
    return;
  }
  if (text->ends_with('\n')) text->pop_back();
  if (text->ends_with('\r')) text->pop_back();
  expansion.text += *text;
}

void insert_variable(Expansion& expansion, const World& world, std::string_view inside) {
  const auto separator = inside.find(":-");
  const std::string name(inside.substr(0, separator));
  if (!is_variable_name(name)) {
    expansion.problems.push_back({"what stands between '${' and '}' is no reference",
                                  "write ${NAME}, ${NAME:-default}, ${file:/path}, or $$ for a dollar sign"});
    return;
  }
  const auto value = world.environment(name);
  const bool has_default = separator != inside.npos;
  if (value && !(has_default && value->empty()))
    expansion.text += *value;
  else if (has_default)
    expansion.text += inside.substr(separator + 2);
  else
    unresolved(expansion, world, name,
               {"the environment variable " + name + " is not set", "set it, or write ${" + name + ":-default}"});
}

}  // namespace

Result<std::string> World::read(const std::string& path) {
  auto text = sources_.read_file(path);
  if (text && std::find(files_.begin(), files_.end(), path) == files_.end()) files_.push_back(path);
  return text;
}

Result<std::shared_ptr<const policy::TimeZone>> World::time_zone(const std::string& name) const {
  if (name == policy::TimeZone::utc()->name()) return policy::TimeZone::utc();
  if (sources_.time_zone) return sources_.time_zone(name);
  return Failure{.kind = FailureKind::internal, .message = "there is no time zone database"};
}

std::string resolved_path(const std::string& written, const std::string& folder) {
  return (std::filesystem::path(folder) / written).lexically_normal().string();
}

Expansion expand(std::string_view raw, const std::string& folder, World& world) {
  Expansion expansion;
  while (!raw.empty()) {
    const auto dollar = std::min(raw.find('$'), raw.size());
    expansion.text += raw.substr(0, dollar);
    raw.remove_prefix(dollar);
    if (raw.starts_with("$$")) {
      expansion.text += '$';
      raw.remove_prefix(2);
    } else if (raw.starts_with("${")) {
      const auto close = raw.find('}');
      if (close == raw.npos) {
        expansion.problems.push_back({"a '${' has no '}'", "write $$ for a dollar sign"});
        return expansion;
      }
      const auto inside = raw.substr(2, close - 2);
      expansion.referred = true;
      if (inside.starts_with("file:"))
        insert_file(expansion, world, std::string(inside.substr(5)), folder);
      else
        insert_variable(expansion, world, inside);
      raw.remove_prefix(close + 1);
    } else if (!raw.empty()) {
      expansion.text += '$';  // a lone dollar sign, as in a price or a pattern
      raw.remove_prefix(1);
    }
  }
  return expansion;
}

}  // namespace tollgate::config
