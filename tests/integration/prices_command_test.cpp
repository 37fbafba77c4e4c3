// `tollgate prices` as a person or a script runs it: the real program, its two outputs and its exit code, on files that
// are good, broken, and taken over from elsewhere.
#include "support/gateway_under_test.hpp"
#include "support/paths.hpp"
#include "support/program.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

namespace tollgate::test {
namespace {

std::string text_of(const std::filesystem::path& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

Outcome tollgate(const std::string& arguments) { return run_program(test::tollgate_binary(), arguments); }

class PricesCommand : public testing::Test {
 protected:
  std::string path(const std::string& name) const { return (folder_.path() / name).string(); }
  std::string write(const std::string& models) const {
    folder_.write("prices.yaml",
                  "version: 1\nproviders:\n  sim:\n    small: {source: a list of today, input: 2.50, output: 10}\n"
                  "    sold-out: {source: a list, input: 1, output: 1, valid: {until: 2020-01-01}}\n");
    folder_.write("routes.yaml",
                  "version: 1\nprices: prices.yaml\nproviders: {sim: {simulator: {}}}\nmodels:\n" + models);
    return path("routes.yaml");
  }
  const TemporaryFolder folder_;
};

TEST_F(PricesCommand, check_shows_what_each_target_costs_and_why) {
  const Outcome run =
      tollgate("prices check --config " + write("  small: {provider: sim}\n  own: {provider: sim, free: true}\n"
                                                "  \"sim/*\": {provider: sim, name: \"*\"}\n"));
  EXPECT_EQ(run.code, 0) << run.errors;
  EXPECT_EQ(run.errors, "");
  EXPECT_EQ(run.out,
            "MODEL  TARGET     INPUT    CACHED  OUTPUT  PRICE      SOURCE\n"
            "small  sim/small  2.5      -       10      sim/small  a list of today\n"
            "own    sim/own    free                     free       routes.yaml\n"
            "sim/*  sim/*      by name\n");
}

TEST_F(PricesCommand, check_fails_where_a_target_has_no_price_now) {
  const std::string file = write("  small: {provider: sim}\n  other: {provider: sim}\n  sold-out: {provider: sim}\n");
  const Outcome run = tollgate("prices check --config " + file);
  EXPECT_EQ(run.code, 1);
  EXPECT_NE(run.out.find("other     sim/other     UNPRICED\n"), std::string::npos) << run.out;
  EXPECT_EQ(run.errors,
            "2 targets without a price; add it to " + path("prices.yaml") + ", or say free: true at the model\n");
  const Outcome checked = tollgate("check " + file);
  EXPECT_EQ(checked.code, 0);
  EXPECT_EQ(checked.errors, "warning: other: sim/other has no price\nwarning: sold-out: sim/sold-out has no price\n");
}

TEST_F(PricesCommand, check_tells_the_faults_of_the_files) {
  folder_.write("routes.yaml", "version: 1\nprices: prices.yaml\n");
  const Outcome run = tollgate("prices check --config " + path("routes.yaml"));
  folder_.write("prices.yaml", "version: 1\nproviders: {sim: {small: {source: s, input: 1}}}\n");
  const Outcome faulty = tollgate("prices check --config " + path("routes.yaml"));
  EXPECT_EQ(run.code, 0) << "a file that is not there is forgiven, as secrets are: " << run.errors;
  EXPECT_EQ(faulty.code, 1);
  EXPECT_NE(faulty.errors.find("prices.yaml:2:26: providers.sim.small.output: "), std::string::npos) << faulty.errors;
}

TEST_F(PricesCommand, import_makes_a_file_that_check_takes) {
  const std::string map = test::in_project("tests/data/litellm_prices.json");
  const Outcome run = tollgate("prices import " + map + " --provider xai --provider cohere");
  EXPECT_EQ(run.code, 0);
  EXPECT_EQ(run.errors, "xai/grok-4.6: its flex prices are not one share of its list prices\n2 models, 1 findings\n");
  const Outcome written =
      tollgate("prices import " + map + " --provider xai --provider cohere -o " + path("prices.yaml"));
  EXPECT_EQ(written.code, 0);
  EXPECT_EQ(written.out, "");
  EXPECT_EQ(text_of(path("prices.yaml")), run.out);
  folder_.write(
      "routes.yaml",
      "version: 1\nprices: prices.yaml\nproviders: {xai: {simulator: {}}}\nmodels: {grok-4.6: {provider: xai}}\n");
  EXPECT_EQ(tollgate("prices check --config " + path("routes.yaml")).code, 0);
}

TEST_F(PricesCommand, import_fails_without_a_file_that_it_knows) {
  EXPECT_EQ(tollgate("prices import " + path("missing.json")).code, 1);
  folder_.write("list.json", "[1]");
  const Outcome run = tollgate("prices import " + path("list.json"));
  EXPECT_EQ(run.code, 1);
  EXPECT_NE(run.errors.find("list.json: this is no JSON object"), std::string::npos) << run.errors;
  EXPECT_EQ(
      tollgate("prices import " + test::in_project("tests/data/litellm_prices.json") + " -o " + path("no/folder")).code,
      1);
  EXPECT_EQ(tollgate("prices").code, 2);
}

}  // namespace
}  // namespace tollgate::test
