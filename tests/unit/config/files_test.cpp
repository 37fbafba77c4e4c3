// The files that are shipped and the pages that are read: what they show must be accepted, or the first thing that
// anybody tries fails.
#include "tollgate/config/prices.hpp"
#include "tollgate/config/simulator_faults.hpp"
#include "tollgate/config/task_rules.hpp"
#include "tollgate/protocol/http/crossing.hpp"
#include "tollgate/simulator/fault.hpp"

#include "support/paths.hpp"
#include "unit/config/sources.hpp"

#include <gtest/gtest.h>

#include <filesystem>

namespace tollgate::config {
namespace {

const std::filesystem::path root = tollgate::test::in_project("");

TEST(ShippedFiles, smallest_one_needs_nothing_from_outside) {
  const Loaded loaded = load((root / "config/routes.yaml").string(), test::disk_sources());
  ASSERT_TRUE(loaded.snapshot) << test::all_text(loaded);
  EXPECT_TRUE(loaded.notes.empty()) << test::all_text(loaded);
  for (const char* name :
       {"auto", "gpt-4o-mini", "gpt-5.5", "claude-opus-4.7", "text-embedding-3-small", "sim/anything"})
    EXPECT_TRUE(loaded.snapshot->resolve(name).model) << name;
}

TEST(ShippedFiles, all_are_valid_without_secrets) {
  std::vector<std::filesystem::path> files{root / "config/routes.yaml", root / "config/routes.full.yaml"};
  for (const auto& entry : std::filesystem::directory_iterator(root / "config/examples")) {
    if (entry.path().extension() == ".yaml") files.push_back(entry.path());
  }
  EXPECT_GE(files.size(), 6u);
  for (const auto& file : files) {
    const Loaded loaded = load(file.string(), test::disk_sources(), {.allow_unset = true});
    EXPECT_TRUE(loaded.snapshot) << test::all_text(loaded);
  }
}

struct Block {
  int line;
  std::string text;
};

/// What stands between "```yaml" and "```" in a page.
std::vector<Block> yaml_blocks(const std::string& page) {
  std::vector<Block> blocks;
  std::istringstream lines(page);
  bool inside = false;
  int number = 0;
  for (std::string line; std::getline(lines, line);) {
    ++number;
    if (inside && line == "```")
      inside = false;
    else if (inside)
      blocks.back().text += line + "\n";
    else if (line == "```yaml") {
      inside = true;
      blocks.push_back({number, ""});
    }
  }
  return blocks;
}

std::vector<std::filesystem::path> pages() {
  std::vector<std::filesystem::path> found;
  if (std::filesystem::exists(root / "README.md")) found.push_back(root / "README.md");
  for (const auto& entry : std::filesystem::recursive_directory_iterator(root / "docs")) {
    if (entry.path().extension() == ".md") found.push_back(entry.path());
  }
  return found;
}

TEST(Docs, every_yaml_block_is_a_valid_configuration) {
  std::size_t checked = 0;
  for (const auto& page : pages()) {
    // Their blocks are task rules and prices, see below.
    if (page.filename() == "classifier.md" || page.filename() == "prices.md") continue;
    for (const Block& block : yaml_blocks(*test::disk_sources().read_file(page.string()))) {
      test::Memory memory;
      const Loaded loaded = memory.load(block.text, {.allow_unset = true});
      EXPECT_TRUE(loaded.snapshot) << page << ", block at line " << block.line << ":\n" << test::all_text(loaded);
      ++checked;
    }
  }
  EXPECT_GE(checked, 5u);
}

TEST(Docs, every_yaml_block_of_task_rules_is_valid) {
  const auto blocks = yaml_blocks(*test::disk_sources().read_file((root / "docs/classifier.md").string()));
  ASSERT_FALSE(blocks.empty());
  for (const Block& block : blocks) {
    test::Memory memory;
    memory.files["/tasks.yaml"] = block.text;
    const LoadedTaskRules loaded = load_task_rules("/tasks.yaml", memory.sources());
    EXPECT_TRUE(loaded.classifier) << "block at line " << block.line << ": " << to_text(loaded.faults.at(0));
  }
}

TEST(Docs, every_yaml_block_of_prices_is_valid) {
  const auto blocks = yaml_blocks(*test::disk_sources().read_file((root / "docs/prices.md").string()));
  ASSERT_FALSE(blocks.empty());
  for (const Block& block : blocks) {
    test::Memory memory;
    memory.files["/prices.yaml"] = block.text;
    const LoadedPrices loaded = load_prices("/prices.yaml", memory.sources());
    EXPECT_TRUE(loaded.book) << "block at line " << block.line << ": " << to_text(loaded.faults.at(0));
  }
}

TEST(Docs, print_the_lists_of_header_fields_that_cross) {
  const std::string page = *test::disk_sources().read_file((root / "docs/configuration.md").string());
  const std::string section = page.substr(page.find("## Header fields"));
  for (const auto name : protocol::http::request_allow_list())
    EXPECT_NE(section.find("`" + std::string(name) + "`"), page.npos) << name;
  for (const auto name : protocol::http::response_allow_list())
    EXPECT_NE(section.find("`" + std::string(name) + "`"), page.npos) << name;
}

TEST(SimulatorFaults, are_the_names_that_the_simulator_knows) {
  std::vector<std::string_view> known;
  for (const auto fault : simulator::all_faults()) known.push_back(simulator::name_of(fault));
  EXPECT_EQ(known, std::vector<std::string_view>(simulator_faults.begin(), simulator_faults.end()));
}

}  // namespace
}  // namespace tollgate::config
