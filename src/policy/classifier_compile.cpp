// From rules as they are written to tables as they are looked up. All that can be wrong with a rule is found here or by
// fault_of(), so that classifying cannot fail.
#include "policy/classifier_compiled.hpp"
#include "policy/prompt_features.hpp"

#include <algorithm>
#include <map>
#include <set>

namespace tollgate::policy {
namespace {

constexpr std::size_t longest_pattern = 1024;
constexpr std::size_t most_tasks = 256;
constexpr std::size_t most_patterns = 256;
constexpr std::int64_t pattern_memory = 4 << 20;  // bytes, for one pattern and for all together

bool is_blank(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }
bool is_words(RuleKind kind) { return kind == RuleKind::word || kind == RuleKind::phrase; }
bool is_length(RuleKind kind) { return kind == RuleKind::min_length || kind == RuleKind::max_length; }

std::optional<std::string> fault_of_name(RuleKind kind, std::string_view text) {
  if (text.empty()) return "an empty text is found nowhere";
  if (text.size() > WordAutomaton::longest_word) return "a text is at most 128 bytes long";
  if (is_blank(text.front()) || is_blank(text.back())) return "a blank at the beginning or the end is found nowhere";
  const auto star = text.find('*');
  const bool may_star = kind != RuleKind::code_fence && kind != RuleKind::language;
  if (star != text.npos && (!may_star || star + 1 != text.size() || star == 0))
    return may_star ? "a '*' is only possible at the end of a text" : "a '*' is not possible here";
  if (kind == RuleKind::word && std::ranges::any_of(text, is_blank)) return "a word has no blanks: this is a phrase";
  if (kind == RuleKind::language && std::ranges::find(languages(), text) == languages().end())
    return "no language that can be told";
  return std::nullopt;
}

std::optional<std::string> fault_of_pattern(std::string_view text) {
  if (text.empty()) return "an empty pattern is found everywhere";
  if (text.size() > longest_pattern) return "a pattern is at most 1024 bytes long";
  const RE2 pattern(re2::StringPiece(text.data(), text.size()), pattern_options());
  if (!pattern.ok()) return "no regular expression that RE2 knows: " + pattern.error();
  if (RE2::PartialMatch("", pattern)) return "a pattern that is found in an empty text is found everywhere";
  return std::nullopt;
}

}  // namespace

RE2::Options pattern_options() {
  RE2::Options options(RE2::Quiet);
  options.set_case_sensitive(false);
  options.set_never_capture(true);
  options.set_max_mem(pattern_memory);
  return options;
}

std::string_view name_of(RuleKind kind) {
  switch (kind) {
    case RuleKind::word: return "word";
    case RuleKind::phrase: return "phrase";
    case RuleKind::pattern: return "pattern";
    case RuleKind::tool: return "tool";
    case RuleKind::code_fence: return "code_fence";
    case RuleKind::min_length: return "min_length";
    case RuleKind::max_length: return "max_length";
    case RuleKind::language: return "language";
  }
  return "word";  // GCOVR_EXCL_LINE: every kind has returned
}

std::span<const std::string_view> known_languages() { return languages(); }

std::optional<std::string> fault_of(RuleKind kind, std::string_view text) {
  if (is_length(kind)) return "a length has no text";
  return kind == RuleKind::pattern ? fault_of_pattern(text) : fault_of_name(kind, text);
}

namespace {

/// What is wrong with a rule as a whole.
std::optional<std::string> fault_of(const TaskRule& rule) {
  if (is_length(rule.kind) != (rule.length > 0))
    return "a length belongs to min_length and max_length, and to no other";
  const bool may_have_none = is_length(rule.kind) || rule.kind == RuleKind::code_fence;
  if (rule.texts.empty() && !may_have_none) return "it has no text";
  for (const std::string& text : rule.texts)
    if (auto fault = policy::fault_of(rule.kind, text)) return "'" + text + "': " + *fault;
  return std::nullopt;
}

std::string label_of(const TaskRule& rule, const std::string& text) {
  const std::string kind(name_of(rule.kind));
  if (is_length(rule.kind)) return kind + " " + std::to_string(rule.length);
  return text.empty() ? kind : kind + " '" + text + "'";
}

/// Fills the tables rule by rule.
class Compiling {
 public:
  /// What is wrong with the task, or nothing.
  std::optional<std::string> add(const TaskRules& task);
  std::shared_ptr<const CompiledRules> finish();

 private:
  std::optional<std::string> add(const TaskRule& rule);
  void add_term(const TaskRule& rule, const std::string& text);

  std::shared_ptr<CompiledRules> made_ = std::make_shared<CompiledRules>();
  std::unique_ptr<RE2::Set> patterns_ = std::make_unique<RE2::Set>(pattern_options(), RE2::UNANCHORED);
  std::set<std::string> names_;
  std::map<std::string, std::vector<std::uint16_t>> words_;
  std::size_t bytes_ = 0;
};

std::optional<std::string> Compiling::add(const TaskRules& task) {
  if (task.task.empty() || !names_.insert(task.task).second) return "a task needs a name of its own";
  if (names_.size() > most_tasks) return "there are more than 256 tasks";
  const std::size_t first_rule = made_->rules.size();
  for (const TaskRule& rule : task.rules)
    if (auto fault = add(rule)) return std::string(name_of(rule.kind)) + ": " + *fault;
  made_->tasks.push_back({task.task, task.threshold, first_rule, made_->rules.size()});
  return std::nullopt;
}

std::optional<std::string> Compiling::add(const TaskRule& rule) {
  if (auto fault = fault_of(rule)) return fault;
  const std::size_t number = made_->rules.size();
  const std::size_t first_term = made_->terms.size();
  const std::vector<std::string> texts = rule.texts.empty() ? std::vector<std::string>{""} : rule.texts;
  for (const std::string& text : texts) {
    bytes_ += text.size() + 1;
    if (bytes_ > WordAutomaton::most_bytes) return "all texts together are more than 60,000 bytes";
    add_term(rule, text);
  }
  if (made_->term_of_pattern.size() > most_patterns) return "there are more than 256 patterns";
  made_->rules.push_back(
      {rule.kind, rule.part, rule.weight, rule.at_most, rule.length, first_term, made_->terms.size()});
  if (rule.kind == RuleKind::code_fence) made_->fence_rules.push_back(number);
  if (is_length(rule.kind) || rule.kind == RuleKind::tool || rule.kind == RuleKind::language)
    made_->whole_rules.push_back(number);
  return std::nullopt;
}

void Compiling::add_term(const TaskRule& rule, const std::string& text) {
  const auto term = static_cast<std::uint16_t>(made_->terms.size());
  made_->terms.push_back({text, label_of(rule, text), static_cast<std::uint16_t>(made_->rules.size())});
  if (is_words(rule.kind)) words_[text].push_back(term);
  if (rule.kind != RuleKind::pattern) return;
  patterns_->Add(text, nullptr);
  made_->single_patterns.push_back(std::make_unique<RE2>(text, pattern_options()));
  made_->term_of_pattern.push_back(term);
}

std::shared_ptr<const CompiledRules> Compiling::finish() {
  std::vector<std::string> distinct;
  for (auto& [word, terms] : words_) {
    distinct.push_back(word);
    made_->terms_of_word.push_back(std::move(terms));
  }
  made_->words = std::make_unique<WordAutomaton>(distinct);
  if (!made_->term_of_pattern.empty() && patterns_->Compile()) made_->patterns = std::move(patterns_);
  return std::move(made_);
}

}  // namespace

Result<Classifier> Classifier::compile(const std::vector<TaskRules>& tasks) {
  Compiling compiling;
  for (const TaskRules& task : tasks) {
    if (auto fault = compiling.add(task))
      return Failure{.kind = FailureKind::internal, .message = "task '" + task.task + "': " + *fault};
  }
  return Classifier(compiling.finish());
}

}  // namespace tollgate::policy
