// Reads the table of models once. A name is matched without its vendor, its date and its way to write a point, because
// the same model goes by many names; a version that is not listed is a newer model, not a spelling of an older one.
#include "protocol/anthropic/request/model_rules.hpp"

#include <algorithm>
#include <charconv>
#include <stdexcept>

// model_data.cpp has it.
extern "C" {
[[gnu::visibility("hidden")]] extern const char tollgate_claude_models[];
[[gnu::visibility("hidden")]] extern const char tollgate_claude_models_end[];
}

namespace tollgate::protocol::anthropic::request {
namespace {

/// A word of the line, which is cut off it; empty: there is none.
std::string_view next_word(std::string_view& line, char separator) {
  line.remove_prefix(std::min(line.find_first_not_of(separator), line.size()));
  const std::string_view word = line.substr(0, line.find(separator));
  line.remove_prefix(word.size());
  return word;
}

/// Reads a line's words one after the other; one that means nothing spoils all.
class Row {
 public:
  explicit Row(std::string_view line) : rest_(line) {}

  std::string_view word() {
    const std::string_view word = next_word(rest_, ' ');
    if (word.empty()) whole_ = false;
    return word;
  }
  template <class Value>
  Value one_of(std::initializer_list<std::pair<std::string_view, Value>> meanings) {
    const std::string_view name = word();
    for (const auto& [known, value] : meanings)
      if (known == name) return value;
    whole_ = false;
    return {};
  }
  bool flag() { return one_of<bool>({{"yes", true}, {"no", false}}); }
  std::uint64_t number() {
    const std::string_view digits = word();
    std::uint64_t value = 0;
    const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (read.ec != std::errc() || read.ptr != digits.data() + digits.size() || value == 0) whole_ = false;
    return value;
  }
  std::vector<Effort> efforts() {
    std::vector<Effort> levels;
    std::string_view list = word();
    if (list == "-") return levels;
    for (std::string_view name = next_word(list, ','); !name.empty(); name = next_word(list, ',')) {
      const auto level = effort_named(name);
      if (!level || (!levels.empty() && levels.back() >= *level)) whole_ = false;
      levels.push_back(level.value_or(Effort::low));
    }
    return levels;
  }
  bool whole() { return whole_ && next_word(rest_, ' ').empty(); }

 private:
  std::string_view rest_;
  bool whole_ = true;
};

std::optional<ModelRules> read_row(std::string_view line) {
  Row row(line);
  ModelRules rules;
  rules.name = row.word();
  rules.sampling = row.one_of<Sampling>({{"both", Sampling::both}, {"one", Sampling::one}, {"none", Sampling::none}});
  rules.thinking = row.one_of<Thinking>({{"none", Thinking::none},
                                         {"budget", Thinking::budget},
                                         {"adaptive", Thinking::adaptive},
                                         {"on", Thinking::on},
                                         {"always", Thinking::always}});
  rules.text_if_asked = row.one_of<bool>({{"shown", false}, {"asked", true}});
  const std::vector<Effort> off = row.efforts();
  if (!off.empty()) rules.off_up_to = off.front();
  rules.efforts = row.efforts();
  rules.forced = row.one_of<Forced>({{"yes", Forced::yes}, {"unthinking", Forced::unthinking}, {"no", Forced::no}});
  rules.prefill = row.flag();
  rules.format = row.flag();
  rules.fast = row.flag();
  rules.default_tokens = row.number();
  rules.most_tokens = row.number();
  rules.version = row.one_of<Version>({{"2023-06-01", Version::v2023_06_01}, {"2026-10-21", Version::v2026_10_21}});
  if (!row.whole() || rules.default_tokens > rules.most_tokens) return std::nullopt;
  return rules;
}

/// Without what stands before "claude-", in lower case, with dashes for dots.
std::string plain_name(std::string_view model) {
  std::string name(model);
  for (char& byte : name) {
    if (byte >= 'A' && byte <= 'Z') byte = static_cast<char>(byte | 0x20);
    if (byte == '.') byte = '-';
  }
  const std::size_t begin = name.rfind("claude-");
  return begin == std::string::npos ? name : name.substr(begin);
}

/// What may follow a model's name in longer names of the same model: nothing, a date, a word; not a minor version.
bool is_suffix(std::string_view rest) {
  if (rest.empty() || rest.front() == '@' || rest.front() == ':') return true;
  if (rest.front() != '-') return false;
  rest.remove_prefix(1);
  const std::size_t digits = std::min(rest.find_first_not_of("0123456789"), rest.size());
  const bool word_ends = digits == rest.size() || rest[digits] == '-' || rest[digits] == '@' || rest[digits] == ':';
  return !(digits >= 1 && digits <= 2 && word_ends);
}

}  // namespace

std::optional<Effort> effort_named(std::string_view name) {
  const auto found = std::ranges::find(effort_names, name);
  if (found == effort_names.end()) return std::nullopt;
  return static_cast<Effort>(found - effort_names.begin());
}

std::optional<Effort> ModelRules::nearest(Effort wished) const {
  if (efforts.empty()) return std::nullopt;
  Effort best = efforts.front();
  for (const Effort level : efforts)
    if (level <= wished) best = level;
  return best;
}

std::optional<std::vector<ModelRules>> read_model_rules(std::string_view table) {
  std::vector<ModelRules> rows;
  while (!table.empty()) {
    const std::string_view line = table.substr(0, table.find('\n'));
    table.remove_prefix(std::min(line.size() + 1, table.size()));
    if (line.empty() || line.front() == '#') continue;
    auto row = read_row(line);
    if (!row) return std::nullopt;
    rows.push_back(std::move(*row));
  }
  if (rows.empty() || rows.back().name != "*") return std::nullopt;
  return rows;
}

const std::vector<ModelRules>& model_rules() {
  static const std::vector<ModelRules> rows = [] {
    const char* const begin = tollgate_claude_models;
    auto read = read_model_rules({begin, static_cast<std::size_t>(tollgate_claude_models_end - begin)});
    if (!read) throw std::logic_error("models.txt cannot be read");
    return std::move(*read);
  }();
  return rows;
}

const ModelRules& rules_of(std::string_view model) {
  const std::string name = plain_name(model);
  const std::vector<ModelRules>& rows = model_rules();
  const ModelRules* best = &rows.back();
  std::size_t longest = 0;
  for (const ModelRules& row : rows) {
    if (row.name.size() <= longest || !std::string_view(name).starts_with(row.name)) continue;
    if (!is_suffix(std::string_view(name).substr(row.name.size()))) continue;
    best = &row;
    longest = row.name.size();
  }
  return *best;
}

}  // namespace tollgate::protocol::anthropic::request
