#pragma once
#include "tollgate/policy/token_counter.hpp"

#include <nlohmann/json.hpp>

#include <fstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace tollgate::test {

/// A text, and how many tokens it is by the reference (tests/tools/reference_tokens.py).
struct CountedText {
  std::string language, text;
  std::size_t o200k_base = 0, cl100k_base = 0;

  std::size_t tokens(policy::TokenEncoding encoding) const {
    return encoding == policy::TokenEncoding::o200k_base ? o200k_base : cl100k_base;
  }
};

/// The texts of tests/data/tokens. Throws where a line is none.
inline std::vector<CountedText> read_token_corpus(const std::string& path) {
  std::ifstream file(path);
  if (!file) throw std::runtime_error("cannot read " + path);
  std::vector<CountedText> texts;
  for (std::string line; std::getline(file, line);) {
    const auto json = nlohmann::json::parse(line);
    texts.push_back({json.at("language"), json.at("text"), json.at("o200k_base"), json.at("cl100k_base")});
  }
  return texts;
}

}  // namespace tollgate::test
