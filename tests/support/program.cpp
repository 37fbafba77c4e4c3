#include "support/program.hpp"

#include "support/gateway_under_test.hpp"

#include <sys/wait.h>

#include <cstdio>
#include <fstream>
#include <iterator>

namespace tollgate::test {

Outcome run_program(const std::string& program, const std::string& arguments, const std::string& environment) {
  const TemporaryFolder folder;
  const std::string errors = (folder.path() / "errors").string();
  const std::string command = environment + " " + program + " " + arguments + " 2>" + errors;
  Outcome run;
  FILE* pipe = ::popen(command.c_str(), "r");
  char block[4096];
  while (const std::size_t got = std::fread(block, 1, sizeof block, pipe)) run.out.append(block, got);
  const int status = ::pclose(pipe);
  run.code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  std::ifstream file(errors);
  run.errors.assign(std::istreambuf_iterator<char>(file), {});
  return run;
}

}  // namespace tollgate::test
