#pragma once
#include "tollgate/policy/classifier.hpp"

#include "policy/word_automaton.hpp"

#include <re2/re2.h>
#include <re2/set.h>

#include <memory>
#include <string>
#include <vector>

namespace tollgate::policy {

/// The rules as they are looked up: every text of every rule is a term, and what is found in a prompt marks terms. A
/// rule without texts has one term of an empty text.
struct CompiledRules {
  struct Term {
    std::string text;
    std::string label;  ///< "word 'translate'"
    std::uint16_t rule;
  };
  struct Rule {
    RuleKind kind;
    PromptPart part;
    double weight;
    std::size_t at_most;
    std::size_t length;
    std::size_t first_term, end_term;
  };
  struct Task {
    std::string name;
    double threshold;
    std::size_t first_rule, end_rule;
  };
  std::vector<Term> terms;
  std::vector<Rule> rules;
  std::vector<Task> tasks;

  /// Each word once, and the terms that it marks.
  std::unique_ptr<WordAutomaton> words;
  std::vector<std::vector<std::uint16_t>> terms_of_word;
  /// All patterns at once, and each of them for when that takes more memory than it may.
  std::unique_ptr<RE2::Set> patterns;
  std::vector<std::unique_ptr<RE2>> single_patterns;
  std::vector<std::uint16_t> term_of_pattern;
  std::vector<std::size_t> fence_rules;
  std::vector<std::size_t> whole_rules;  ///< that ask for a tool, a length or a language
};

/// How RE2 reads a pattern.
RE2::Options pattern_options();

}  // namespace tollgate::policy
