#pragma once
#include <string>

namespace tollgate::test {

/// How a run of the program ended and what it wrote.
struct Outcome {
  int code = -1;  ///< -1: it was killed
  std::string out, errors;
};

/// Runs `ENVIRONMENT PROGRAM ARGUMENTS` in a shell, to its end; `environment` is what stands before a command there.
Outcome run_program(const std::string& program, const std::string& arguments, const std::string& environment = {});

}  // namespace tollgate::test
