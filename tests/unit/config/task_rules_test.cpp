#include "tollgate/config/task_rules.hpp"

#include "support/labelled_prompts.hpp"
#include "support/paths.hpp"
#include "unit/config/sources.hpp"

#include <gtest/gtest.h>

// The file of task rules: what it can say, that every fault is told with its place, and that the shipped one does what
// it is for.

namespace tollgate::config {
namespace {

using policy::PromptPart;
using policy::RuleKind;
using policy::TaskRule;
using policy::TaskRules;

const std::string path = "/etc/tollgate/tasks.yaml";

LoadedTaskRules load_text(const std::string& text) {
  test::Memory memory;
  memory.files[path] = text;
  return load_task_rules(path, memory.sources());
}

/// The faults of a file, each without the file's name.
std::vector<std::string> faults(const std::string& text) {
  const LoadedTaskRules loaded = load_text(text);
  EXPECT_EQ(loaded.classifier.has_value(), loaded.faults.empty());
  std::vector<std::string> lines;
  for (const Fault& fault : loaded.faults) lines.push_back(to_text(fault).substr(path.size() + 1));
  return lines;
}
using Lines = std::vector<std::string>;

TEST(TaskRuleFile, gives_every_kind_of_rule) {
  const LoadedTaskRules loaded = load_text(R"(version: 1
x-shared: &common [foo, "bar*"]
tasks:
  one:
    threshold: 2.5
    rules:
      - {word: *common, weight: 3, at_most: 2, in: user}
      - {phrase: [a b], in: system}
      - {pattern: ['\bx+\b', '^a$'], weight: -1.5, in: both}
      - {tool: ["kubectl*"]}
      - {code_fence: [any]}
      - {code_fence: [sql, python]}
      - {language: [de]}
      - {min_length: 4KiB}
      - {max_length: 100B}
  rest: {threshold: 0}
)");
  ASSERT_TRUE(loaded.classifier) << to_text(loaded.faults.at(0));
  const std::vector<TaskRules> expected{
      {"one",
       {{.kind = RuleKind::word, .texts = {"foo", "bar*"}, .weight = 3, .at_most = 2, .part = PromptPart::user},
        {.kind = RuleKind::phrase, .texts = {"a b"}, .part = PromptPart::system},
        {.kind = RuleKind::pattern, .texts = {R"(\bx+\b)", "^a$"}, .weight = -1.5},
        {.kind = RuleKind::tool, .texts = {"kubectl*"}},
        {.kind = RuleKind::code_fence},
        {.kind = RuleKind::code_fence, .texts = {"sql", "python"}},
        {.kind = RuleKind::language, .texts = {"de"}},
        {.kind = RuleKind::min_length, .length = 4096},
        {.kind = RuleKind::max_length, .length = 100}},
       2.5},
      {"rest", {}, 0}};
  EXPECT_EQ(loaded.tasks, expected);
  EXPECT_EQ(loaded.classifier->classify({.user = "foo"}).task, "one");
}

TEST(TaskRuleFile, has_no_other_keys) {
  EXPECT_EQ(
      faults("version: 1\nrules: []\ntasks:\n  a:\n    treshold: 2\n    rules:\n      - {wrod: [x], weight: 1}\n"),
      (Lines{"2:1: rules: unknown key", "5:5: tasks.a.treshold: unknown key; did you mean 'threshold'?",
             "7:9: tasks.a.rules[0].word: a rule has one of word, phrase, pattern, tool, code_fence, language, "
             "min_length, max_length",
             "7:10: tasks.a.rules[0].wrod: unknown key; did you mean 'word'?"}));
}

TEST(TaskRuleFile, says_what_is_wrong_with_a_text_and_where) {
  EXPECT_EQ(faults(R"(version: 1
tasks:
  a:
    rules:
      - word: [good, "two words"]
      - pattern: ['(x']
      - language: [tlh]
      - tool: ["*"]
      - phrase: []
)"),
            (Lines{"5:22: tasks.a.rules[0].word[1]: a word has no blanks: this is a phrase, found 'two words'",
                   "6:19: tasks.a.rules[1].pattern[0]: no regular expression that RE2 knows: missing ): (x, found '(x'",
                   "7:20: tasks.a.rules[2].language[0]: no language that can be told, found 'tlh'; known are en, de, "
                   "fr, es, it, pt, nl, zh, ja, ko, ru, ar, he, el, hi, th",
                   "8:16: tasks.a.rules[3].tool[0]: a '*' is only possible at the end of a text, found '*'",
                   "9:17: tasks.a.rules[4].phrase: the list must not be empty"}));
}

TEST(TaskRuleFile, says_what_is_wrong_with_a_number) {
  EXPECT_EQ(faults(R"(version: 1
tasks:
  a:
    threshold: -1
    rules:
      - {word: [x], weight: 101, at_most: 0}
      - {word: [x], weight: --1, in: nowhere}
      - {min_length: 4}
)")
                .size(),
            6u);
  EXPECT_TRUE(faults("version: 1\ntasks: {a: {rules: [{word: [x], weight: -100}]}}\n").empty());
}

TEST(TaskRuleFile, takes_one_kind_a_rule) {
  EXPECT_EQ(
      faults("version: 1\ntasks:\n  a:\n    rules:\n      - {word: [x], max_length: 1B}\n"),
      (Lines{"5:33: tasks.a.rules[0].max_length: a rule has one kind, and this one has 'word' too; make it two"}));
}

TEST(TaskRuleFile, takes_each_task_once) {
  EXPECT_EQ(faults("version: 1\ntasks:\n  a: {}\n  a: {}\n"), (Lines{"4:3: tasks.a: duplicate key"}));
  EXPECT_EQ(faults("version: 1\ntasks: {'a b': {}}\n").size(), 1u);
}

TEST(TaskRuleFile, holds_what_a_classifier_has_room_for) {
  std::string text = "version: 1\ntasks:\n  a:\n    rules:\n      - word: [";
  for (int which = 0; which < 600; ++which) text += std::string(110, 'a') + ", ";
  EXPECT_EQ(faults(text + "x]\n"),
            (Lines{"1:1: tasks: task 'a': word: all texts together are more than 60,000 bytes"}));
}

TEST(TaskRuleFile, must_be_there_and_hold_something) {
  const test::Memory memory;
  const LoadedTaskRules loaded = load_task_rules(path, memory.sources());
  EXPECT_FALSE(loaded.classifier);
  ASSERT_EQ(loaded.faults.size(), 1u);
  EXPECT_EQ(to_text(loaded.faults[0]), path + ":1:1: cannot read the file: No such file or directory");
  EXPECT_EQ(faults("").size(), 1u);
  EXPECT_EQ(faults("version: 2\ntasks: {}\n").size(), 1u);
  EXPECT_EQ(faults("version: 1\n"), (Lines{"1:1: tasks: this key is missing"}));
  EXPECT_TRUE(faults("version: 1\ntasks: {}\n").empty());
}

TEST(ShippedTaskRules, are_built_in_as_they_stand_in_the_file) {
  const std::string file = tollgate::test::in_project("config/tasks.yaml");
  const auto text = test::disk_sources().read_file(file);
  ASSERT_TRUE(text);
  EXPECT_EQ(default_task_rules_text(), *text);
  const LoadedTaskRules built_in = default_task_rules();
  ASSERT_TRUE(built_in.classifier) << to_text(built_in.faults.at(0));
  std::vector<std::string> names;
  for (const TaskRules& task : built_in.tasks) names.push_back(task.task);
  EXPECT_EQ(names, (Lines{"translate", "summarize", "extract", "devops", "coding", "reasoning", "chat"}));
}

TEST(ShippedTaskRules, tell_what_they_were_tuned_with) {
  const LoadedTaskRules rules = default_task_rules();
  const auto prompts =
      tollgate::test::read_labelled_prompts(tollgate::test::in_project("tests/data/prompts/tuning.jsonl"));
  ASSERT_GE(prompts.size(), 150u);
  std::size_t right = 0;
  std::string wrong;
  for (const tollgate::test::LabelledPrompt& prompt : prompts) {
    const std::string_view told = rules.classifier->classify(prompt.view()).task;
    if (told == prompt.task)
      ++right;
    else
      wrong += prompt.task + " told as " + std::string(told) + ": " + prompt.text.substr(0, 80) + "\n";
  }
  EXPECT_GE(right * 100, prompts.size() * 95) << wrong;
}

TEST(ShippedTaskRules, take_anything_else_for_chat) {
  const LoadedTaskRules rules = default_task_rules();
  for (const std::string_view text : {"", "hi", "ok", "\xFF\xFE", "...", "42"})
    EXPECT_EQ(rules.classifier->classify({.user = text}).task, "chat") << text;
}

}  // namespace
}  // namespace tollgate::config
