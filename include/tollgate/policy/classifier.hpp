#pragma once
// What kind of task a prompt is, by rules over the words it is made of: no model, no network, microseconds. The same
// prompt and rules give the same verdict everywhere.
#include "tollgate/base/result.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tollgate::policy {

enum class RuleKind : std::uint8_t {
  word,        ///< one word; a "*" at its end stands for any ending
  phrase,      ///< words in a row, any blanks between them; a "*" at its end as above
  pattern,     ///< a regular expression of RE2's syntax, letter case ignored
  tool,        ///< the name of a tool that the request offers; a "*" at its end stands for any rest
  code_fence,  ///< a line that begins with ```: of one of the languages in `texts`, or any where there are none
  min_length,  ///< the user's turn has at least `length` bytes
  max_length,  ///< or at most
  language     ///< the user writes in one of these languages, see known_languages()
};
/// As in the file: "code_fence".
std::string_view name_of(RuleKind kind);

/// Where a rule looks. Tools, lengths and languages have but one place.
enum class PromptPart : std::uint8_t { both, system, user };

/// Evidence for one task. It counts `weight` once for each of its texts that is found, `at_most` times, however often a
/// text is there. A weight below zero is evidence against.
struct TaskRule {
  RuleKind kind = RuleKind::word;
  std::vector<std::string> texts{};
  std::size_t length = 0;
  double weight = 1;
  std::size_t at_most = 1;
  PromptPart part = PromptPart::both;
  bool operator==(const TaskRule&) const = default;
};

/// A task is possible from `threshold` on. One without rules and with threshold 0 takes what no other task wins.
struct TaskRules {
  std::string task;
  std::vector<TaskRule> rules{};
  double threshold = 1;
  bool operator==(const TaskRules&) const = default;
};

/// What is looked at of a text that is longer than both together: so many bytes at its beginning and at its end, where
/// people say what they want done with what lies between. Neither words nor patterns are found across the gap.
inline constexpr std::size_t head_looked_at = 8 * 1024;
inline constexpr std::size_t tail_looked_at = 24 * 1024;
/// The same for patterns, which cost more than words.
inline constexpr std::size_t head_matched = 4 * 1024;
inline constexpr std::size_t tail_matched = 4 * 1024;
/// No more tool names than this are looked at.
inline constexpr std::size_t most_tools = 256;

/// Views, for one call. The texts may hold any bytes.
struct Prompt {
  std::string_view system{};
  std::string_view user{};  ///< the last turn of the user
  std::span<const std::string> tool_names{};
  std::size_t user_length = 0;  ///< of the whole turn where `user` is not all of it; 0: user.size()
};

// Texts in these are views into the classifier.
struct TaskScore {
  std::string_view task;
  double score = 0;
  double threshold = 0;
};
struct Classification {
  std::string_view task{};  ///< empty: none reached its threshold
  double score = 0;
  std::string_view rule{};          ///< what added most to it, "word 'translate'"; empty: none
  std::vector<TaskScore> scores{};  ///< of every task, in the order of the rules
};
/// One text that was found, for an explanation.
struct RuleHit {
  std::string_view task;
  std::string_view rule;  ///< "word 'translate'"
  double weight = 0;      ///< what it added; 0 where its rule had counted at_most others before
};

/// Languages that a rule can ask for, by their ISO 639-1 codes.
std::span<const std::string_view> known_languages();

/// What is wrong with a text of a rule of this kind, or nothing. Bounds: 128 bytes, a pattern 1,024.
std::optional<std::string> fault_of(RuleKind kind, std::string_view text);

struct CompiledRules;

/// Compiled rules. Immutable: threads share it, and copies share what was compiled.
class Classifier {
 public:
  /// Refused with `internal` (the message says which task): a text as fault_of() says, a rule without the texts or the
  /// length that its kind needs, a task twice, and more than 256 tasks, 256 patterns or 60,000 bytes of words.
  static Result<Classifier> compile(const std::vector<TaskRules>& tasks);

  /// The task with the highest score among those that reached their threshold; among equals the first. Linear in the
  /// text looked at, whatever it holds.
  Classification classify(const Prompt& prompt) const;
  /// Every text that classify() finds.
  std::vector<RuleHit> explain(const Prompt& prompt) const;

 private:
  explicit Classifier(std::shared_ptr<const CompiledRules> compiled) : compiled_(std::move(compiled)) {}
  std::shared_ptr<const CompiledRules> compiled_;
};

}  // namespace tollgate::policy
