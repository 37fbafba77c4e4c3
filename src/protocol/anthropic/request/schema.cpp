// One pass that writes what it keeps: a keyword's value is a schema, a list or a map of schemas, or is taken as it
// stands. It recurses with the schema's depth, which the reader bounds.
#include "protocol/anthropic/request/schema.hpp"

#include "protocol/json_text.hpp"
#include "protocol/json_write.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <vector>

namespace tollgate::protocol::anthropic::request {
namespace {

using json::Kind;
using json::Value;

enum class Keyword {
  unknown,
  kept,
  type,
  properties,
  definitions,
  items,
  any_of,
  all_of,
  reference,
  closed,
  least,
  format
};

Keyword keyword_named(std::string_view name) {
  constexpr std::array<std::string_view, 7> kept = {"description", "title",    "enum",   "const",
                                                    "default",     "required", "pattern"};
  if (std::ranges::find(kept, name) != kept.end()) return Keyword::kept;
  if (name == "type") return Keyword::type;
  if (name == "properties") return Keyword::properties;
  if (name == "$defs" || name == "definitions") return Keyword::definitions;
  if (name == "items") return Keyword::items;
  if (name == "anyOf" || name == "oneOf") return Keyword::any_of;
  if (name == "allOf") return Keyword::all_of;
  if (name == "$ref") return Keyword::reference;
  if (name == "additionalProperties") return Keyword::closed;
  if (name == "minItems") return Keyword::least;
  if (name == "format") return Keyword::format;
  return Keyword::unknown;
}

bool is_known_format(std::string_view format) {
  constexpr std::array<std::string_view, 9> known = {"\"date-time\"", "\"time\"",  "\"date\"",
                                                     "\"duration\"",  "\"email\"", "\"hostname\"",
                                                     "\"uri\"",       "\"ipv4\"",  "\"ipv6\""};
  return std::ranges::find(known, format) != known.end() || format == "\"uuid\"";
}

/// What one schema has shown of itself so far.
struct Seen {
  bool object = false;
  bool properties = false;
  bool closed = false;
  bool any_of = false;
};

class Cleaner {
 public:
  explicit Cleaner(std::string_view schema) : reader_(schema), writer_(out_) {}

  std::optional<std::string> run() {
    clean_one(true);
    if (!fits_ || reader_.failed() || !refers_well()) return std::nullopt;
    return std::move(out_);
  }

 private:
  void clean_one(bool outermost = false);
  void clean_member(Keyword keyword, std::string_view name, bool outermost, Seen& seen);
  void clean_map(bool defines, std::string_view name);
  std::size_t clean_list();
  void refer();
  void keep_if(std::string_view name, bool (*fits)(std::string_view));
  void keep(std::string_view name) { writer_.key(name).raw(reader_.take().text); }
  bool refers_well() const;

  json::Reader reader_;
  std::string out_;
  json::Writer writer_;
  bool fits_ = true;
  std::size_t definition_ = 0;  ///< the one that is being read; 0: the schema itself
  std::map<std::string, std::size_t, std::less<>> definitions_;
  std::vector<std::pair<std::size_t, std::string>> references_;
};

void Cleaner::clean_one(bool outermost) {
  if (!reader_.enter_object()) {
    fits_ = false;
    reader_.take();
    writer_.null();
    return;
  }
  writer_.open_object();
  Seen seen;
  while (reader_.next_member()) {
    const std::string name(reader_.key());
    clean_member(keyword_named(name), name, outermost, seen);
  }
  if (seen.object) {
    writer_.key("additionalProperties").boolean(false);
    fits_ = fits_ && (seen.properties || seen.closed);
  }
  writer_.close_object();
}

void Cleaner::clean_member(Keyword keyword, std::string_view name, bool outermost, Seen& seen) {
  switch (keyword) {
    case Keyword::unknown: reader_.take(); return;
    case Keyword::kept: keep(name); return;
    case Keyword::type: {
      const Value type = reader_.take();
      seen.object |= type.text.find("\"object\"") != std::string_view::npos;
      writer_.key(name).raw(type.text);
      return;
    }
    case Keyword::properties:
      seen.object = seen.properties = true;
      clean_map(false, name);
      return;
    case Keyword::definitions: clean_map(outermost, name); return;
    case Keyword::items:
      writer_.key(name);
      clean_one();
      return;
    case Keyword::any_of:
      fits_ = fits_ && !seen.any_of;
      seen.any_of = true;
      writer_.key("anyOf");
      clean_list();
      return;
    case Keyword::all_of:
      writer_.key(name);
      if (clean_list() > 1) fits_ = false;
      return;
    case Keyword::reference: refer(); return;
    case Keyword::closed: seen.closed = reader_.take().text == "false"; return;
    case Keyword::least: keep_if(name, [](std::string_view least) { return least == "0" || least == "1"; }); return;
    case Keyword::format: keep_if(name, is_known_format); return;
  }
}

void Cleaner::keep_if(std::string_view name, bool (*fits)(std::string_view)) {
  const Value value = reader_.take();
  if (fits(value.text)) writer_.key(name).raw(value.text);
}

void Cleaner::clean_map(bool defines, std::string_view name) {
  writer_.key(name);
  if (!reader_.enter_object()) {
    fits_ = false;
    writer_.raw(reader_.take().text);
    return;
  }
  writer_.open_object();
  while (reader_.next_member()) {
    std::string key;
    json::append_escaped(key, reader_.key());
    if (defines)
      definition_ = definitions_.emplace(std::string(name) + "/" + std::string(reader_.key()), definitions_.size() + 1)
                        .first->second;
    writer_.key(key);
    clean_one();
    if (defines) definition_ = 0;
  }
  writer_.close_object();
}

std::size_t Cleaner::clean_list() {
  std::size_t count = 0;
  if (!reader_.enter_array()) {
    fits_ = false;
    writer_.raw(reader_.take().text);
    return count;
  }
  writer_.open_array();
  for (; reader_.next_element(); ++count) clean_one();
  writer_.close_array();
  return count;
}

void Cleaner::refer() {
  const Value value = reader_.take();
  const std::string target = value.kind == Kind::string ? json::decode_lossy(value.inside()) : std::string();
  constexpr std::string_view own = "#/";
  if (!target.starts_with(own) || target.find_first_of("~%") != std::string::npos) fits_ = false;
  if (!fits_) return;
  references_.emplace_back(definition_, target.substr(own.size()));
  writer_.key("$ref").raw(value.text);
}

/// Every reference finds its definition, and none leads back to where it started: definitions that nobody left over
/// refers to are taken away until none is left.
bool Cleaner::refers_well() const {
  const std::size_t count = definitions_.size() + 1;
  std::vector<std::vector<std::size_t>> targets(count);
  std::vector<std::size_t> referred(count, 0);
  for (const auto& [from, name] : references_) {
    const auto found = definitions_.find(name);
    if (found == definitions_.end()) return false;
    targets[from].push_back(found->second);
    ++referred[found->second];
  }
  std::vector<std::size_t> free;
  for (std::size_t at = 0; at < count; ++at)
    if (referred[at] == 0) free.push_back(at);
  std::size_t taken = 0;
  while (!free.empty()) {
    const std::size_t at = free.back();
    free.pop_back();
    ++taken;
    for (const std::size_t target : targets[at])
      if (--referred[target] == 0) free.push_back(target);
  }
  return taken == count;
}

}  // namespace

std::optional<std::string> clean_schema(std::string_view schema) { return Cleaner(schema).run(); }

}  // namespace tollgate::protocol::anthropic::request
