#include "protocol/anthropic/request/chat_fields.hpp"

#include "support/paths.hpp"

#include <gmock/gmock.h>

#include <fstream>
#include <string>
#include <vector>

namespace tollgate::protocol::anthropic::request {
namespace {

/// The rows of the table under the heading, without the table's head.
std::vector<std::string> rows_below(const std::string& heading) {
  std::ifstream page(test::in_project("docs/claude.md"));
  std::vector<std::string> rows;
  bool below = false;
  for (std::string line; std::getline(page, line);) {
    if (line.starts_with("#")) below = line == heading;
    if (below && line.starts_with("| `")) rows.push_back(line);
  }
  return rows;
}

TEST(ChatFields, are_the_rows_that_the_page_prints) {
  std::vector<std::string> rows;
  for (const ChatField& row : chat_fields)
    rows.push_back("| `" + std::string(row.name) + "` | " + std::string(name_of(row.fate)) + " | " +
                   std::string(row.how) + " |");
  EXPECT_THAT(rows_below("## Chat completions to Claude"), testing::ElementsAreArray(rows));
}

TEST(ChatFields, of_the_top_level_that_are_not_mapped_say_which_value_is_none) {
  for (const ChatField& row : chat_fields) {
    const bool is_judged = row.fate != Fate::mapped && row.name.find('.') == std::string_view::npos;
    EXPECT_TRUE(!is_judged || row.idle != nullptr) << row.name;
    EXPECT_FALSE(row.how.empty()) << row.name;
  }
}

}  // namespace
}  // namespace tollgate::protocol::anthropic::request
