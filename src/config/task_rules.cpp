// The tables of a file of task rules. A rule names one kind and its texts; everything that the classifier would refuse
// is found here first, where its place is known.
#include "tollgate/config/task_rules.hpp"

#include "config/problem.hpp"
#include "config/reader.hpp"
#include "config/references.hpp"
#include "config/tree.hpp"
#include "config/value.hpp"
#include "config/words.hpp"

#include <algorithm>
#include <array>
#include <filesystem>

namespace tollgate::config {

using policy::PromptPart;
using policy::RuleKind;
using policy::TaskRule;
using policy::TaskRules;

namespace {

constexpr std::string_view any_fence = "any";

constexpr std::array text_kinds{RuleKind::word, RuleKind::phrase,     RuleKind::pattern,
                                RuleKind::tool, RuleKind::code_fence, RuleKind::language};
constexpr std::array length_kinds{RuleKind::min_length, RuleKind::max_length};

std::string_view meaning_of(RuleKind kind) {
  switch (kind) {
    case RuleKind::word: return "words; a \"*\" at the end stands for any ending";
    case RuleKind::phrase: return "words in a row; a \"*\" at the end as for words";
    case RuleKind::pattern: return "regular expressions (RE2), letter case ignored";
    case RuleKind::tool: return "names of tools that the request offers; a \"*\" at the end stands for any rest";
    case RuleKind::code_fence: return "languages of a code block, or \"any\"";
    case RuleKind::language: return "languages that the user writes in, by their ISO 639-1 codes";
    case RuleKind::min_length: return "the user's turn is at least so long";
    case RuleKind::max_length: return "the user's turn is at most so long";
  }
  return {};  // GCOVR_EXCL_LINE: every kind has returned
}

Scalar text_of(std::string& text, RuleKind kind) {
  return {{{"type", "string"}},
          [&text, kind](const std::string& read, const Place&) -> std::optional<Problem> {
            text = read;
            auto fault = policy::fault_of(kind, read);
            if (!fault) return std::nullopt;
            std::vector<std::string> languages(policy::known_languages().begin(), policy::known_languages().end());
            return Problem{std::move(*fault), kind == RuleKind::language ? "known are " + joined(languages, ", ") : ""};
          },
          [&text] { return Json(text); }};
}

/// A number that may be below zero.
Scalar weight_of(double& weight) {
  constexpr double most = 100;
  return {{{"type", "number"}, {"minimum", -most}, {"maximum", most}},
          [&weight](const std::string& read, const Place&) -> std::optional<Problem> {
            const bool negative = read.starts_with('-');
            const auto value = parse_number(std::string_view(read).substr(negative ? 1 : 0));
            if (!value) return value.error();
            if (*value > most) return Problem{"the value must be from -100 to 100"};
            weight = negative ? -*value : *value;
            return std::nullopt;
          },
          [&weight] { return Json(weight); }};
}

Scalar part_of(PromptPart& part) {
  return choice(
      {"both", "system", "user"}, [&part](std::size_t which) { part = static_cast<PromptPart>(which); },
      [&part] { return static_cast<std::size_t>(part); });
}

/// One rule, whose kind is known when its keys are.
void describe(Keys& keys, TaskRule& rule) {
  std::vector<std::string_view> given;
  for (const RuleKind kind : text_kinds) {
    const auto item = [kind](std::string& text) { return text_of(text, kind); };
    if (keys.given(name_of(kind))) given.push_back(name_of(kind)), rule.kind = kind;
    keys.key(name_of(kind), meaning_of(kind), list_of(rule.texts, item, 1));
  }
  for (const RuleKind kind : length_kinds) {
    if (keys.given(name_of(kind))) given.push_back(name_of(kind)), rule.kind = kind;
    keys.key(name_of(kind), meaning_of(kind), size(rule.length, {1, std::size_t{1} << 30}));
  }
  keys.key("weight", "what it adds to the task's score; below zero, what it takes away", weight_of(rule.weight));
  keys.key("at_most", "how many of its texts count", count(rule.at_most, {1, 100}));
  keys.key("in", "where it looks: system, user, or both", part_of(rule.part));
  if (given.empty())
    keys.fault("word", {"a rule has one of word, phrase, pattern, tool, code_fence, language, min_length, max_length"});
  if (given.size() > 1)
    keys.fault(given[1], {"a rule has one kind, and this one has '" + std::string(given[0]) + "' too", "make it two"});
  if (rule.kind == RuleKind::code_fence && std::ranges::find(rule.texts, any_fence) != rule.texts.end())
    rule.texts.clear();
}

void describe(Keys& keys, TaskRules& task) {
  keys.key("threshold", "the score from which on it may be this task; 0 without rules: what no other task wins",
           number(task.threshold, {0, 1000}));
  keys.key("rules", "each adds its weight where it holds", list_of(task.rules, [](TaskRule& rule) {
             return Block{[&rule](Keys& inside) { describe(inside, rule); }};
           }));
}

struct TaskFile {
  std::size_t version = 1;
  std::vector<TaskRules> tasks;
};

Dictionary tasks_of(TaskFile& file) {
  return {name_pattern(Star::refused),
          [&file](const std::string& name, const Spot&) -> Parsed<Value> {
            if (auto problem = check_name(name, Star::refused)) return *problem;
            TaskRules& task = file.tasks.emplace_back(TaskRules{.task = name});
            return Value(Block{[&task](Keys& keys) { describe(keys, task); }});
          },
          [] { return std::vector<std::pair<std::string, Value>>(); }};
}

void describe(Keys& keys, TaskFile& file) {
  keys.key("version", "of this file's form", count(file.version, {1, 1}), Need::required);
  keys.key("tasks", "tasks by name; among equal scores the first wins", tasks_of(file), Need::required);
  keys.ignore("x-");
}

LoadedTaskRules read_text(const std::string& text, const std::string& path, World& world) {
  Report report;
  TaskFile file;
  const Tree tree = parse_tree(text, path, report);
  Spot root{path};
  if (tree.root != nullptr) {
    root.line = tree.root->line;
    root.column = tree.root->column;
    Reading reading{path, std::filesystem::path(path).parent_path().string(), world, report};
    read_value(Block{[&file](Keys& keys) { describe(keys, file); }}, *tree.root, root, reading);
  }
  LoadedTaskRules loaded{std::move(file.tasks), std::nullopt, std::move(report.faults)};
  if (loaded.faults.empty()) {
    auto classifier = policy::Classifier::compile(loaded.tasks);
    if (classifier)
      loaded.classifier = std::move(*classifier);
    else
      loaded.faults.push_back({path, root.line, root.column, "tasks", classifier.error().message, ""});
  }
  std::ranges::stable_sort(loaded.faults, {}, [](const Fault& fault) { return std::pair(fault.line, fault.column); });
  return loaded;
}

}  // namespace

LoadedTaskRules load_task_rules(const std::string& path, const Sources& sources) {
  World world(sources, false);
  const auto text = world.read(path);
  if (text) return read_text(*text, path, world);
  Report report;
  report.fault({path}, {"cannot read the file: " + printable(text.error().message)});
  return {{}, std::nullopt, std::move(report.faults)};
}

LoadedTaskRules default_task_rules() {
  const Sources nothing{
      [](const std::string&) -> Result<std::string> { return Failure{.message = "No such file or directory"}; },
      [](const std::string&) { return std::vector<std::string>(); },
      [](const std::string&) -> std::optional<std::string> { return std::nullopt; }};
  World world(nothing, false);
  return read_text(std::string(default_task_rules_text()), "tasks.yaml", world);
}

}  // namespace tollgate::config
