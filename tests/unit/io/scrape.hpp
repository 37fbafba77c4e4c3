#pragma once
// What a metrics page says, read by a small strict parser of Prometheus' text format, and the request that most tests
// count.
#include "tollgate/pipeline/record.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <map>
#include <regex>
#include <sstream>
#include <string>

namespace tollgate::test {

/// One scrape: samples by "name{labels}" exactly as printed, types by family. A line it cannot read fails the test.
struct Scrape {
  std::map<std::string, double> samples;
  std::map<std::string, std::string> types;

  explicit Scrape(const std::string& text) {
    static const std::regex sample(
        R"re(([a-zA-Z_:][a-zA-Z0-9_:]*(?:\{[a-zA-Z_]\w*="(?:[^"\\\n]|\\["\\n])*"(?:,[a-zA-Z_]\w*="(?:[^"\\\n]|\\["\\n])*")*\})?) (\S+))re");
    static const std::regex comment(R"(# (HELP|TYPE) ([a-zA-Z_:][a-zA-Z0-9_:]*) (.+))");
    EXPECT_TRUE(text.ends_with('\n'));
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
      std::smatch match;
      if (std::regex_match(line, match, comment)) {
        const bool first = match[1] != "TYPE" || types.emplace(match[2], match[3]).second;
        EXPECT_TRUE(first) << "typed twice: " << line;
      } else if (std::regex_match(line, match, sample)) {
        const double value = match[2] == "+Inf" ? std::numeric_limits<double>::infinity() : std::stod(match[2]);
        EXPECT_TRUE(samples.emplace(match[1], value).second) << "printed twice: " << line;
      } else {
        ADD_FAILURE() << "not the text format: " << line;
      }
    }
  }
  double at(const std::string& series) const {
    const auto found = samples.find(series);
    EXPECT_NE(found, samples.end()) << series;
    return found == samples.end() ? -1 : found->second;
  }
  std::size_t series_of(const std::string& name) const {
    return static_cast<std::size_t>(std::count_if(
        samples.begin(), samples.end(), [&](const auto& sample) { return sample.first.starts_with(name + "{"); }));
  }
};

inline pipeline::RequestRecord answered() {
  using namespace std::chrono_literals;
  pipeline::RequestRecord record;
  record.tenant = "default";
  record.route = "default";
  record.task = "chat";
  record.model = "small";
  record.duration = 300ms;
  record.waited_for_upstream = 299'900us;
  auto& attempt = record.attempts.emplace_back();
  attempt.model = "small";
  attempt.target = "openai/gpt-small";
  attempt.credential = "main";
  return record;
}

}  // namespace tollgate::test
