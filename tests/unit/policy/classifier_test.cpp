#include "tollgate/policy/classifier.hpp"

#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

// Rules by rules: what each kind finds and where, how scores become a verdict, and that no text makes it stumble. What
// the shipped rules are worth is asked in the tests of `config`.

namespace tollgate::policy {
namespace {

TaskRule rule(RuleKind kind, std::vector<std::string> texts, double weight = 1) {
  return {.kind = kind, .texts = std::move(texts), .weight = weight};
}

Classifier compiled(const std::vector<TaskRules>& tasks) {
  auto classifier = Classifier::compile(tasks);
  if (!classifier) throw std::runtime_error(classifier.error().message);
  return *classifier;
}

/// The score of a task with this rule alone.
double score(const TaskRule& one, const Prompt& prompt) {
  return compiled({{"task", {one}, 0}}).classify(prompt).scores.at(0).score;
}
double score(const TaskRule& one, std::string_view user) { return score(one, Prompt{.user = user}); }

std::string refusal(const std::vector<TaskRules>& tasks) {
  const auto classifier = Classifier::compile(tasks);
  return classifier ? "" : classifier.error().message;
}

TEST(Classifier, tells_the_task_with_the_highest_score) {
  const Classifier classifier = compiled(
      {{"translate", {rule(RuleKind::word, {"translate"}, 3)}, 2}, {"code", {rule(RuleKind::word, {"python"}, 4)}, 2}});
  const Classification verdict = classifier.classify({.user = "Translate this Python code"});
  EXPECT_EQ(verdict.task, "code");
  EXPECT_EQ(verdict.score, 4);
  EXPECT_EQ(verdict.rule, "word 'python'");
  ASSERT_EQ(verdict.scores.size(), 2u);
  EXPECT_EQ(verdict.scores[0].task, "translate");
  EXPECT_EQ(verdict.scores[0].score, 3);
  EXPECT_EQ(verdict.scores[1].threshold, 2);
}

TEST(Classifier, tells_no_task_below_every_threshold) {
  const Classifier classifier = compiled({{"translate", {rule(RuleKind::word, {"translate"}, 1.5)}, 2}});
  const Classification verdict = classifier.classify({.user = "translate"});
  EXPECT_EQ(verdict.task, "");
  EXPECT_EQ(verdict.rule, "");
  EXPECT_EQ(verdict.scores.at(0).score, 1.5);
}

TEST(Classifier, reaches_a_threshold_exactly) {
  const Classifier classifier = compiled({{"translate", {rule(RuleKind::word, {"translate"}, 2)}, 2}});
  EXPECT_EQ(classifier.classify({.user = "translate"}).task, "translate");
}

TEST(Classifier, prefers_the_first_among_equals) {
  const std::vector<TaskRule> same{rule(RuleKind::word, {"a"}, 2)};
  EXPECT_EQ(compiled({{"one", same, 1}, {"two", same, 1}}).classify({.user = "a"}).task, "one");
}

TEST(Classifier, gives_what_nothing_won_to_a_task_that_needs_nothing) {
  const Classifier classifier = compiled({{"code", {rule(RuleKind::word, {"python"}, 4)}, 2}, {"chat", {}, 0}});
  EXPECT_EQ(classifier.classify({.user = "hello"}).task, "chat");
  EXPECT_EQ(classifier.classify({}).task, "chat");
  EXPECT_EQ(classifier.classify({.user = "python"}).task, "code");
}

TEST(Classifier, without_tasks_tells_none) {
  const Classification verdict = compiled({}).classify({.user = "hello"});
  EXPECT_EQ(verdict.task, "");
  EXPECT_TRUE(verdict.scores.empty());
}

TEST(Classifier, counts_a_text_once_and_as_many_texts_as_it_may) {
  TaskRule words = rule(RuleKind::word, {"a", "b", "c"}, 2);
  EXPECT_EQ(score(words, "a a a a"), 2);
  EXPECT_EQ(score(words, "a b c"), 2);
  words.at_most = 2;
  EXPECT_EQ(score(words, "a b c"), 4);
  EXPECT_EQ(score(words, "c"), 2);
}

TEST(Classifier, takes_evidence_against) {
  const Classifier classifier = compiled({{"t", {rule(RuleKind::word, {"a"}, 3), rule(RuleKind::word, {"b"}, -2)}, 2}});
  EXPECT_EQ(classifier.classify({.user = "a"}).task, "t");
  const Classification verdict = classifier.classify({.user = "a b"});
  EXPECT_EQ(verdict.task, "");
  EXPECT_EQ(verdict.scores[0].score, 1);
}

TEST(Classifier, looks_where_a_rule_says) {
  TaskRule word = rule(RuleKind::word, {"json"});
  for (const auto& [part, in_system, in_user] :
       {std::tuple(PromptPart::both, 1, 1), std::tuple(PromptPart::system, 1, 0), std::tuple(PromptPart::user, 0, 1)}) {
    word.part = part;
    EXPECT_EQ(score(word, {.system = "json"}), in_system);
    EXPECT_EQ(score(word, {.user = "json"}), in_user);
    EXPECT_EQ(score(word, {.system = "json", .user = "json"}), 1);
  }
}

TEST(Classifier, finds_one_text_for_several_rules) {
  const Classifier classifier = compiled({{"one", {rule(RuleKind::word, {"a"}, 1)}, 1},
                                          {"two", {rule(RuleKind::word, {"a"}, 2), rule(RuleKind::phrase, {"a"}, 3)}}});
  EXPECT_EQ(classifier.classify({.user = "a"}).score, 5);
}

TEST(Classifier, finds_patterns_whatever_their_case) {
  const TaskRule pattern = rule(RuleKind::pattern, {R"(\bselect\b.+\bfrom\b)", "^total:"});
  EXPECT_EQ(score(pattern, "SELECT a FROM b"), 1);
  EXPECT_EQ(score(pattern, "Total: 7"), 1);
  EXPECT_EQ(score(pattern, "selected from"), 0);
}

TEST(Classifier, finds_patterns_of_many_states_too) {
  // Together they need more memory than they may have, so each is looked for alone.
  TaskRule patterns = rule(RuleKind::pattern, {});
  patterns.at_most = 100;
  for (int which = 0; which < 60; ++which)
    patterns.texts.push_back("(x" + std::to_string(which) + "[a-z ]{30,60}y.{50,90}z|q" + std::to_string(which) + "$)");
  std::string text;
  for (int at = 0; at < 8000; ++at) text += "x" + std::to_string(at * 37 % 60) + std::string(1 + at % 50, 'a') + "y ";
  EXPECT_EQ(score(patterns, text + "q7"), 1);
}

TEST(Classifier, finds_tools_by_name_and_by_prefix) {
  const std::vector<std::string> tools{"Read_File", "kubectl_get"};
  const auto with_tools = [&](std::vector<std::string> texts) {
    return score(rule(RuleKind::tool, std::move(texts)), {.user = "kubectl", .tool_names = tools});
  };
  EXPECT_EQ(with_tools({"read_file"}), 1);
  EXPECT_EQ(with_tools({"kubectl*"}), 1);
  EXPECT_EQ(with_tools({"kubectl"}), 0);
  EXPECT_EQ(with_tools({"kubectl_get_all*"}), 0);
}

TEST(Classifier, looks_at_so_many_tools) {
  std::vector<std::string> tools(most_tools, "other");
  tools.push_back("last");
  EXPECT_EQ(score(rule(RuleKind::tool, {"last"}), {.tool_names = tools}), 0);
  tools[most_tools - 1] = "last";
  EXPECT_EQ(score(rule(RuleKind::tool, {"last"}), {.tool_names = tools}), 1);
}

TEST(Classifier, finds_code_by_its_fences) {
  const std::string_view code = "Why?\n```SQL\nselect 1\n```\n";
  EXPECT_EQ(score(rule(RuleKind::code_fence, {}), code), 1);
  EXPECT_EQ(score(rule(RuleKind::code_fence, {"sql"}), code), 1);
  EXPECT_EQ(score(rule(RuleKind::code_fence, {"python"}), code), 0);
  EXPECT_EQ(score(rule(RuleKind::code_fence, {}), "no code"), 0);
}

TEST(Classifier, measures_the_turn_of_the_user) {
  const TaskRule least{.kind = RuleKind::min_length, .length = 4};
  const TaskRule most{.kind = RuleKind::max_length, .length = 4};
  EXPECT_EQ(score(least, "abc"), 0);
  EXPECT_EQ(score(least, "abcd"), 1);
  EXPECT_EQ(score(most, "abcd"), 1);
  EXPECT_EQ(score(most, "abcde"), 0);
  EXPECT_EQ(score(least, {.system = "a long system prompt", .user = "a"}), 0);
  EXPECT_EQ(score(least, {.user = "a", .user_length = 5}), 1) << "the turn was longer than what is left of it";
}

TEST(Classifier, tells_the_language_of_the_user) {
  const TaskRule german = rule(RuleKind::language, {"de", "zh"});
  EXPECT_EQ(score(german, "Wie kann ich das auf dem Rechner einrichten?"), 1);
  EXPECT_EQ(score(german, "What is the use of this?"), 0);
  EXPECT_EQ(score(german, {.system = "你好", .user = "x"}), 0);
}

TEST(Classifier, looks_at_both_ends_of_a_long_text) {
  const TaskRule word = rule(RuleKind::word, {"needle"});
  const std::string before(head_looked_at, '.'), after(tail_looked_at, '.');
  EXPECT_EQ(score(word, "needle" + before + after), 1);
  EXPECT_EQ(score(word, before + after + "needle"), 1);
  EXPECT_EQ(score(word, before + " needle " + after), 0);
  EXPECT_EQ(score(word, before.substr(8) + " needle " + after), 1) << "as long as is looked at";
}

TEST(Classifier, looks_for_patterns_nearer_to_the_ends) {
  const TaskRule pattern = rule(RuleKind::pattern, {"nee+dle"});
  const std::string before(head_matched, '.'), after(tail_matched, '.');
  EXPECT_EQ(score(pattern, "needle" + before + after), 1);
  EXPECT_EQ(score(pattern, before + after + "needle"), 1);
  EXPECT_EQ(score(pattern, before + "needle" + after), 0);
}

TEST(Classifier, joins_no_word_across_the_gap) {
  const TaskRule word = rule(RuleKind::word, {"needle"});
  const std::string text = std::string(head_looked_at - 3, '.') + "nee" + std::string(100, '.') + "dle" +
                           std::string(tail_looked_at - 3, '.');
  EXPECT_EQ(score(word, text), 0);
}

TEST(Classifier, explains_what_it_found) {
  TaskRule words = rule(RuleKind::word, {"a", "b"}, 2);
  const Classifier classifier = compiled({{"one", {words, {.kind = RuleKind::max_length, .length = 100}}, 1},
                                          {"two", {rule(RuleKind::pattern, {"c+"}, -1)}, 1}});
  const auto hits = classifier.explain({.user = "b a cc"});
  ASSERT_EQ(hits.size(), 4u);
  EXPECT_EQ(hits[0].rule, "word 'a'");
  EXPECT_EQ(hits[0].weight, 2);
  EXPECT_EQ(hits[1].rule, "word 'b'");
  EXPECT_EQ(hits[1].weight, 0) << "the rule counts one of its texts";
  EXPECT_EQ(hits[2].rule, "max_length 100");
  EXPECT_EQ(hits[3].task, "two");
  EXPECT_EQ(hits[3].rule, "pattern 'c+'");
  EXPECT_EQ(hits[3].weight, -1);
}

TEST(Classifier, takes_any_bytes_of_any_length) {
  const Classifier classifier =
      compiled({{"t",
                 {rule(RuleKind::word, {"a", "aa*", "aaa*"}), rule(RuleKind::pattern, {"(a*)*b", "(a|aa)+$"}),
                  rule(RuleKind::code_fence, {"a"}), rule(RuleKind::language, {"en"})},
                 0}});
  for (const std::string_view piece : {"a", "[", "```", "\xFF", "\xC3", "a ", "\xE4\xBD\xA0", "\n```a\n"}) {
    std::string text;
    while (text.size() < (std::size_t{1} << 20)) text += piece;
    EXPECT_EQ(classifier.classify({.system = text, .user = text}).task, "t") << piece;
  }
  EXPECT_EQ(classifier.classify({.user = std::string_view("\0\0", 2)}).task, "t");
}

TEST(Classifier, is_shared_by_threads) {
  const Classifier classifier = compiled(
      {{"code", {rule(RuleKind::word, {"python"}), rule(RuleKind::pattern, {R"(\bdef \w+\()"})}, 2}, {"chat", {}, 0}});
  std::vector<std::thread> threads;
  for (int which = 0; which < 4; ++which) {
    threads.emplace_back([copy = classifier] {
      for (int round = 0; round < 200; ++round) {
        EXPECT_EQ(copy.classify({.user = "python: def f(x)"}).task, "code");
        EXPECT_EQ(copy.classify({.user = "hello"}).task, "chat");
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

TEST(Classifier, refuses_rules_that_mean_nothing) {
  EXPECT_EQ(refusal({{"t", {rule(RuleKind::word, {"two words"})}}}),
            "task 't': word: 'two words': a word has no blanks: this is a phrase");
  EXPECT_EQ(refusal({{"t", {rule(RuleKind::word, {})}}}), "task 't': word: it has no text");
  EXPECT_EQ(refusal({{"t"}, {"t"}}), "task 't': a task needs a name of its own");
  EXPECT_EQ(refusal({{""}}), "task '': a task needs a name of its own");
  EXPECT_NE(refusal({{"t", {{.kind = RuleKind::min_length}}}}), "");
  EXPECT_NE(refusal({{"t", {{.kind = RuleKind::word, .texts = {"a"}, .length = 1}}}}), "");
  EXPECT_NE(refusal({{"t", {{.kind = RuleKind::min_length, .texts = {"a"}, .length = 1}}}}), "");
}

TEST(Classifier, refuses_more_than_it_has_room_for) {
  const auto named = [](int count) {
    std::vector<TaskRules> tasks;
    for (int which = 0; which < count; ++which) tasks.push_back({std::to_string(which)});
    return tasks;
  };
  EXPECT_EQ(refusal(named(256)), "");
  EXPECT_NE(refusal(named(257)), "");
  EXPECT_EQ(refusal({{"t", {rule(RuleKind::pattern, std::vector<std::string>(256, "a"))}}}), "");
  EXPECT_NE(refusal({{"t", {rule(RuleKind::pattern, std::vector<std::string>(257, "a"))}}}), "");
  EXPECT_NE(refusal({{"t", {rule(RuleKind::word, std::vector<std::string>(600, std::string(120, 'a')))}}}), "");
}

TEST(RuleTexts, are_checked_by_kind) {
  const auto fault = [](RuleKind kind, std::string_view text) { return fault_of(kind, text).value_or(""); };
  EXPECT_EQ(fault(RuleKind::word, "deploy*"), "");
  EXPECT_EQ(fault(RuleKind::phrase, "pull request"), "");
  EXPECT_EQ(fault(RuleKind::tool, "kubectl*"), "");
  EXPECT_EQ(fault(RuleKind::language, "de"), "");
  EXPECT_EQ(fault(RuleKind::pattern, R"(\d+ km)"), "");
  EXPECT_EQ(fault(RuleKind::word, ""), "an empty text is found nowhere");
  EXPECT_EQ(fault(RuleKind::word, "*"), "a '*' is only possible at the end of a text");
  EXPECT_EQ(fault(RuleKind::word, "a*b"), "a '*' is only possible at the end of a text");
  EXPECT_EQ(fault(RuleKind::phrase, " a"), "a blank at the beginning or the end is found nowhere");
  EXPECT_EQ(fault(RuleKind::code_fence, "py*"), "a '*' is not possible here");
  EXPECT_EQ(fault(RuleKind::language, "klingon"), "no language that can be told");
  EXPECT_EQ(fault(RuleKind::word, std::string(129, 'a')), "a text is at most 128 bytes long");
  EXPECT_EQ(fault(RuleKind::pattern, "(a"), "no regular expression that RE2 knows: missing ): (a");
  EXPECT_EQ(fault(RuleKind::pattern, "a*"), "a pattern that is found in an empty text is found everywhere");
  EXPECT_EQ(fault(RuleKind::pattern, std::string(1025, 'a')), "a pattern is at most 1024 bytes long");
  EXPECT_NE(fault(RuleKind::pattern, "((a{100}){100}){100}"), "");
  EXPECT_NE(fault(RuleKind::min_length, "1"), "");
}

}  // namespace
}  // namespace tollgate::policy
