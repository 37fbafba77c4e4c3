#include "config/tree.hpp"

#include "unit/config/sources.hpp"

#include <gtest/gtest.h>

// YAML's own traps: duplicate keys, merge keys, aliases that multiply, bytes that end the text early. What the values
// mean is no matter here.

namespace tollgate::config {
namespace {

struct Parse {
  explicit Parse(const std::string& text) : tree(parse_tree(text, "routes.yaml", report)) {}
  const Node* at(const std::string& key) const {
    for (const Node::Entry& entry : tree.root->entries) {
      if (entry.key == key) return entry.value;
    }
    return nullptr;
  }
  Report report;
  Tree tree;
};

std::map<std::string, std::string> flat(const Node& mapping) {
  std::map<std::string, std::string> result;
  for (const Node::Entry& entry : mapping.entries) result[entry.key] = entry.value->text;
  return result;
}

TEST(Tree, keeps_kinds_texts_and_places) {
  const Parse parse("a: 'x'\nb:\n  - 1\n  - {c: }\n");
  ASSERT_TRUE(parse.tree.root);
  EXPECT_EQ(parse.at("a")->text, "x");
  const Node& list = *parse.at("b");
  ASSERT_EQ(list.items.size(), 2u);
  EXPECT_EQ(std::pair(list.items[0]->line, list.items[0]->column), std::pair(3, 5));
  EXPECT_EQ(list.items[1]->entries[0].value->kind, Node::Kind::nothing);
}

TEST(Tree, duplicate_keys_are_found_at_any_depth_and_all_of_them) {
  const Parse parse("a: 1\na: 2\nb:\n  - c: {d: 1, d: 2, d: 3}\n");
  ASSERT_EQ(parse.report.faults.size(), 3u);
  EXPECT_EQ(to_text(parse.report.faults[0]), "routes.yaml:2:1: a: duplicate key");
  EXPECT_EQ(to_text(parse.report.faults[1]), "routes.yaml:4:15: b[0].c.d: duplicate key");
  EXPECT_EQ(parse.report.faults[2].column, 21);
}

TEST(Tree, aliases_repeat_their_anchor) {
  const Parse parse("a: &x {b: 1}\nc: *x\n");
  EXPECT_EQ(flat(*parse.at("c")), (std::map<std::string, std::string>{{"b", "1"}}));
}

TEST(Tree, merge_keys_fill_in_what_is_not_there) {
  const Parse parse("x: &x {a: 1, b: 1}\ny: &y {b: 2, c: 2}\none: {<<: *x, a: 3}\ntwo: {c: 3, <<: [*y, *x]}\n");
  EXPECT_TRUE(parse.report.faults.empty());
  EXPECT_EQ(flat(*parse.at("one")), (std::map<std::string, std::string>{{"a", "3"}, {"b", "1"}}));
  EXPECT_EQ(flat(*parse.at("two")), (std::map<std::string, std::string>{{"a", "1"}, {"b", "2"}, {"c", "3"}}));
}

TEST(Tree, merge_keys_reach_through_merge_keys) {
  const Parse parse("x: &x {a: 1}\ny: &y {<<: *x, b: 2}\nz: {<<: *y}\n");
  EXPECT_EQ(flat(*parse.at("z")), (std::map<std::string, std::string>{{"a", "1"}, {"b", "2"}}));
}

TEST(Tree, quoted_merge_key_is_a_plain_key) {
  const Parse parse("a: {\"<<\": b}\n");
  EXPECT_TRUE(parse.report.faults.empty());
  EXPECT_EQ(flat(*parse.at("a")), (std::map<std::string, std::string>{{"<<", "b"}}));
}

std::string only_fault(const std::string& text) {
  const Parse parse(text);
  EXPECT_FALSE(parse.tree.root);
  return parse.report.faults.size() == 1 ? parse.report.faults[0].message : "not one fault";
}

TEST(Tree, alias_bombs_are_counted_not_built) {
  std::string bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 30; ++i) {
    const std::string before = "*a" + std::to_string(i - 1);
    bomb += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + before + ", " + before + "]\n";
  }
  EXPECT_EQ(only_fault(bomb), "more than 100000 values, aliases counted each time");
}

TEST(Tree, too_many_values_are_refused) {
  std::string many = "a: [";
  for (int i = 0; i < 100'001; ++i) many += "1,";
  EXPECT_EQ(only_fault(many + "]"), "more than 100000 values, aliases counted each time");
}

TEST(Tree, size_and_depth_are_bounded) {
  EXPECT_EQ(only_fault("a: " + std::string(4 * 1024 * 1024, 'x')), "the file is larger than 4 MiB");
  EXPECT_EQ(only_fault(std::string(65, '[') + std::string(65, ']')), "nested deeper than 64 levels");
  EXPECT_FALSE(Parse(std::string(100'000, '[')).tree.root);
  EXPECT_FALSE(Parse(std::string(100'000, '{')).tree.root);
  EXPECT_TRUE(Parse(std::string(64, '[') + std::string(64, ']')).tree.root);
}

TEST(Tree, bytes_that_would_hide_text_are_refused) {
  EXPECT_EQ(only_fault("a: 1\n\x04 b: 2\n"), "the text holds a control character");
  EXPECT_EQ(only_fault(std::string("a: 1\n\0b: 2\n", 11)), "the text holds a control character");
  EXPECT_EQ(only_fault("a: \xC0\xAF\n"), "the text is not valid UTF-8");
  EXPECT_EQ(only_fault("a: \xED\xA0\x80\n"), "the text is not valid UTF-8");
  EXPECT_EQ(only_fault("a: \xF0\x9F\x98"), "the text is not valid UTF-8");
  EXPECT_TRUE(Parse("\xEF\xBB\xBF"
                    "a: \xF0\x9F\x98\x80\r\nb: 1\r\n")
                  .tree.root);
}

}  // namespace
}  // namespace tollgate::config
