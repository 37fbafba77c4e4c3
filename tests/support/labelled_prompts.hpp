#pragma once
#include "tollgate/policy/classifier.hpp"

#include <nlohmann/json.hpp>

#include <fstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace tollgate::test {

/// A prompt, and the task that it is.
struct LabelledPrompt {
  std::string task, text, system;
  std::vector<std::string> tools;

  policy::Prompt view() const { return {.system = system, .user = text, .tool_names = tools}; }
};

/// One prompt a line, {"task", "text", "system"?, "tools"?}, as in tests/data/prompts. Throws where a line is none.
inline std::vector<LabelledPrompt> read_labelled_prompts(const std::string& path) {
  std::ifstream file(path);
  if (!file) throw std::runtime_error("cannot read " + path);
  std::vector<LabelledPrompt> prompts;
  for (std::string line; std::getline(file, line);) {
    const auto json = nlohmann::json::parse(line);
    prompts.push_back({json.at("task"), json.at("text"), json.value("system", std::string()),
                       json.value("tools", std::vector<std::string>())});
  }
  return prompts;
}

}  // namespace tollgate::test
