// Reads a prompt once and adds up what was found. What is found is a mark at a term, so a word that is there a thousand
// times counts as one, and the sums do not depend on the order of the text.
#include "tollgate/policy/classifier.hpp"

#include "policy/classifier_compiled.hpp"
#include "policy/prompt_features.hpp"

#include <algorithm>
#include <array>

namespace tollgate::policy {
namespace {

constexpr std::uint8_t in_system = 1;
constexpr std::uint8_t in_user = 2;

std::uint8_t places(PromptPart part) {
  return part == PromptPart::system ? in_system : part == PromptPart::user ? in_user : in_system | in_user;
}

/// The two ends of a text, or all of it in the first piece.
std::array<std::string_view, 2> ends_of(std::string_view text, std::size_t head, std::size_t tail) {
  if (text.size() <= head + tail) return {text, {}};
  return {text.substr(0, head), text.substr(text.size() - tail)};
}

bool same_letter(char left, char right) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; };
  return lower(left) == lower(right);
}

bool names_tool(std::string_view wanted, std::string_view tool) {
  if (!wanted.ends_with('*')) return std::ranges::equal(wanted, tool, same_letter);
  wanted.remove_suffix(1);
  return std::ranges::equal(wanted, tool.substr(0, wanted.size()), same_letter);
}

bool offers_tool(std::span<const std::string> names, std::string_view wanted) {
  return std::ranges::any_of(names.first(std::min(names.size(), most_tools)),
                             [&](const std::string& name) { return names_tool(wanted, name); });
}

/// The marks of one prompt.
class Findings {
 public:
  Findings(const CompiledRules& compiled, const Prompt& prompt)
      : compiled_(compiled), found_(compiled.terms.size()), tallies_(compiled.rules.size()) {
    read(prompt.system, in_system);
    read(prompt.user, in_user);
    for (const std::size_t rule : compiled.whole_rules) judge(compiled.rules[rule], prompt);
  }

  bool has(std::size_t term) const { return found_[term]; }
  /// What a rule adds.
  double added(std::size_t rule) const {
    const CompiledRules::Rule& of = compiled_.rules[rule];
    return of.weight * static_cast<double>(std::min(tallies_[rule].count, of.at_most));
  }
  /// The first of a rule's texts that was found. Only of a rule that has one.
  std::string_view label(std::size_t rule) const { return compiled_.terms[tallies_[rule].first].label; }

 private:
  void read(std::string_view text, std::uint8_t place) {
    for (const std::string_view piece : ends_of(text, head_looked_at, tail_looked_at)) {
      compiled_.words->scan(piece, [&](std::uint16_t word) {
        for (const std::uint16_t term : compiled_.terms_of_word[word]) mark(term, place);
      });
      if (!compiled_.fence_rules.empty()) find_fences(piece, place);
    }
    for (const std::string_view piece : ends_of(text, head_matched, tail_matched)) find_patterns(piece, place);
  }

  void mark(std::size_t term, std::uint8_t place) {
    const std::size_t rule = compiled_.terms[term].rule;
    if (found_[term] || (places(compiled_.rules[rule].part) & place) == 0) return;
    found_[term] = true;
    Tally& tally = tallies_[rule];
    tally.first = tally.count++ == 0 ? term : std::min(tally.first, term);
  }

  void find_patterns(std::string_view piece, std::uint8_t place) {
    if (piece.empty() || compiled_.term_of_pattern.empty()) return;
    const re2::StringPiece text(piece.data(), piece.size());
    std::vector<int> which;
    RE2::Set::ErrorInfo error{RE2::Set::kNotCompiled};
    if (compiled_.patterns && (compiled_.patterns->Match(text, &which, &error) || error.kind == RE2::Set::kNoError)) {
      for (const int pattern : which) mark(compiled_.term_of_pattern[static_cast<std::size_t>(pattern)], place);
      return;
    }
    for (std::size_t pattern = 0; pattern < compiled_.single_patterns.size(); ++pattern)
      if (RE2::PartialMatch(text, *compiled_.single_patterns[pattern])) mark(compiled_.term_of_pattern[pattern], place);
  }

  void find_fences(std::string_view piece, std::uint8_t place) {
    for_each_fence(piece, [&](std::string_view language) {
      for (const std::size_t rule : compiled_.fence_rules) {
        mark_where(compiled_.rules[rule], place, [&](std::string_view wanted) {
          return wanted.empty() || std::ranges::equal(wanted, language, same_letter);
        });
      }
    });
  }

  /// What is asked of the prompt as a whole.
  void judge(const CompiledRules::Rule& rule, const Prompt& prompt) {
    const std::size_t length = std::max(prompt.user.size(), prompt.user_length);
    if (rule.kind == RuleKind::language && !language_) language_ = language_of(prompt.user);
    mark_where(rule, in_system | in_user, [&](std::string_view wanted) {
      if (rule.kind == RuleKind::min_length) return length >= rule.length;
      if (rule.kind == RuleKind::max_length) return length <= rule.length;
      if (rule.kind == RuleKind::language) return wanted == *language_;
      return offers_tool(prompt.tool_names, wanted);
    });
  }

  template <class Question>
  void mark_where(const CompiledRules::Rule& rule, std::uint8_t place, Question holds) {
    for (std::size_t term = rule.first_term; term < rule.end_term; ++term)
      if (holds(compiled_.terms[term].text)) mark(term, place);
  }

  struct Tally {
    std::size_t count = 0;
    std::size_t first = 0;  // term
  };

  const CompiledRules& compiled_;
  std::vector<bool> found_;     // by term
  std::vector<Tally> tallies_;  // by rule
  std::optional<std::string_view> language_;
};

}  // namespace

Classification Classifier::classify(const Prompt& prompt) const {
  const Findings findings(*compiled_, prompt);
  Classification verdict;
  verdict.scores.reserve(compiled_->tasks.size());
  for (const CompiledRules::Task& task : compiled_->tasks) {
    double score = 0, most = 0;
    std::string_view label;
    for (std::size_t rule = task.first_rule; rule < task.end_rule; ++rule) {
      const double added = findings.added(rule);
      score += added;
      if (added > most) most = added, label = findings.label(rule);
    }
    verdict.scores.push_back({task.name, score, task.threshold});
    if (score < task.threshold || (!verdict.task.empty() && score <= verdict.score)) continue;
    verdict.task = task.name;
    verdict.score = score;
    verdict.rule = label;
  }
  return verdict;
}

std::vector<RuleHit> Classifier::explain(const Prompt& prompt) const {
  const Findings findings(*compiled_, prompt);
  std::vector<RuleHit> hits;
  for (const CompiledRules::Task& task : compiled_->tasks) {
    for (std::size_t at = task.first_rule; at < task.end_rule; ++at) {
      const CompiledRules::Rule& rule = compiled_->rules[at];
      std::size_t count = 0;
      for (std::size_t term = rule.first_term; term < rule.end_term; ++term) {
        if (!findings.has(term)) continue;
        hits.push_back({task.name, compiled_->terms[term].label, count++ < rule.at_most ? rule.weight : 0});
      }
    }
  }
  return hits;
}

}  // namespace tollgate::policy
