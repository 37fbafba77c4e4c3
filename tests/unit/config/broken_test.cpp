#include "support/paths.hpp"
#include "unit/config/sources.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

namespace tollgate::config {
namespace {

const std::filesystem::path folder = tollgate::test::in_project("tests/unit/config/broken");

std::vector<std::string> broken_files() {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() == ".yaml") names.push_back(entry.path().stem().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

/// The lines "# expect: [FILE:]LINE:COLUMN KEY: MESSAGE" that such a file begins with, in the order of the faults.
std::vector<std::string> expected_faults(const std::filesystem::path& file) {
  constexpr std::string_view mark = "# expect: ";
  std::ifstream text(file);
  std::vector<std::string> expected;
  for (std::string line; std::getline(text, line) && line.starts_with(mark);)
    expected.push_back(line.substr(mark.size()));
  return expected;
}

/// A fault as those lines write it: the file only where it is another one.
std::string shown(Fault fault, const std::filesystem::path& file) {
  const bool own = fault.file == file.string();
  fault.file = std::filesystem::path(fault.file).filename().string();
  std::string text = to_text(fault);
  if (own) text.erase(0, fault.file.size() + 1);
  return text.replace(text.find(": "), 2, " ");
}

class BrokenFile : public testing::TestWithParam<std::string> {};

TEST_P(BrokenFile, is_refused_with_exactly_its_faults) {
  const auto file = folder / (GetParam() + ".yaml");
  const auto expected = expected_faults(file);
  const Loaded loaded = load(
      file.string(),
      test::disk_sources({{"TOKEN", "test-token"}, {"EMPTY", ""}, {"TWO_LINES", "one\ntwo"}, {"LONG", "10 parsecs"}}));
  ASSERT_FALSE(expected.empty()) << "the file says no fault to expect";
  EXPECT_FALSE(loaded.snapshot);
  ASSERT_EQ(loaded.faults.size(), expected.size()) << test::all_text(loaded);
  for (std::size_t i = 0; i < expected.size(); ++i)
    EXPECT_TRUE(shown(loaded.faults[i], file).starts_with(expected[i]))
        << "got " << shown(loaded.faults[i], file) << "\nnot " << expected[i];
}

INSTANTIATE_TEST_SUITE_P(Config, BrokenFile, testing::ValuesIn(broken_files()),
                         [](const auto& test) { return test.param; });

TEST(BrokenFiles, are_at_least_sixty) { EXPECT_GE(broken_files().size(), 60u); }

}  // namespace
}  // namespace tollgate::config
