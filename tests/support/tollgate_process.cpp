// The gateway as a process of its own: started, signalled and looked at from outside, for what a test in the same
// process cannot see (memory, descriptors, exit codes).
#include "support/tollgate_process.hpp"

#include "support/waiting.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace tollgate::test {

namespace {

std::string text_of(const std::filesystem::path& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// The number of a line "Name:   123 kB", in bytes.
std::uint64_t kibibytes(const std::string& text, const std::string& name) {
  const std::size_t at = text.find(name + ":");
  return at == std::string::npos ? 0 : std::stoull(text.substr(at + name.size() + 1)) * 1024;
}

/// The child's side of the fork: only what is safe between fork() and exec().
[[noreturn]] void become(const char* binary, const char* config, const char* log) {
  const int errors = ::open(log, O_WRONLY | O_CREAT | O_APPEND, 0600);
  ::dup2(errors, STDERR_FILENO);
  ::close(errors);
  ::execl(binary, binary, "serve", "--config", config, nullptr);
  ::_exit(127);
}

}  // namespace

TollgateProcess::TollgateProcess(const std::string& binary, const std::string& config, const std::string& server_keys)
    : server_keys_(server_keys) {
  rewrite_config(config);
  start(binary);
}

TollgateProcess::TollgateProcess(const std::string& binary, const GatewayUnderTest::WholeConfig& whole) {
  folder_.write("routes.yaml", whole(folder_.path()));
  start(binary);
}

void TollgateProcess::start(const std::string& binary) {
  std::signal(SIGPIPE, SIG_IGN);
  const std::string file = (folder_.path() / "routes.yaml").string(),
                    log_file = (folder_.path() / "diagnostics.log").string();
  pid_ = ::fork();
  if (pid_ == 0) become(binary.c_str(), file.c_str(), log_file.c_str());
  if (!wait_for_log("\"event\":\"ready\"")) ADD_FAILURE() << "the gateway did not come up: " << log();
  address_ = announced_address("data");
  admin_address_ = announced_address("admin");
  metrics_address_ = announced_address("metrics");
}

TollgateProcess::~TollgateProcess() {
  if (pid_ <= 0) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
}

void TollgateProcess::rewrite_config(const std::string& config) const {
  folder_.write("routes.yaml", framed_config(config, server_keys_, "off", "info"));
}

std::string TollgateProcess::announced_address(const std::string& plane) const {
  const std::string text = log(), mark = "\"plane\":\"" + plane + "\",\"address\":\"";
  const std::size_t at = text.find(mark);
  if (at == std::string::npos) return {};
  return text.substr(at + mark.size(), text.find('"', at + mark.size()) - at - mark.size());
}

void TollgateProcess::signal(int number) const { ::kill(pid_, number); }

std::optional<int> TollgateProcess::exit_code() {
  int status = 0;
  if (!eventually([&] { return ::waitpid(pid_, &status, WNOHANG) == pid_; })) return std::nullopt;
  pid_ = -1;
  return WIFEXITED(status) ? std::optional(WEXITSTATUS(status)) : std::nullopt;
}

std::string TollgateProcess::log() const { return text_of(folder_.path() / "diagnostics.log"); }

bool TollgateProcess::wait_for_log(const std::string& text) const {
  return eventually([&] { return log().find(text) != std::string::npos; });
}

std::string TollgateProcess::proc_file(const std::string& name) const {
  return "/proc/" + std::to_string(pid_) + "/" + name;
}

std::uint64_t TollgateProcess::memory(const std::string& line) const {
  return kibibytes(text_of(proc_file("status")), line);
}

std::uint64_t TollgateProcess::anonymous_memory() const {
  return kibibytes(text_of(proc_file("smaps_rollup")), "Anonymous");
}

void TollgateProcess::reset_peak() const { std::ofstream(proc_file("clear_refs")) << "5"; }

double TollgateProcess::cpu_seconds() const {
  const std::string text = text_of(proc_file("stat"));
  std::istringstream fields(text.substr(text.rfind(')') + 2));
  std::string field;
  for (int i = 3; i < 14; ++i) fields >> field;  // proc(5): utime is field 14, stime 15
  double user = 0, system = 0;
  fields >> user >> system;
  return (user + system) / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

std::size_t TollgateProcess::open_descriptors() const {
  std::error_code ignored;
  std::size_t count = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(proc_file("fd"), ignored)) ++count;
  return count;
}

void TollgateProcess::limit_descriptors(std::size_t most) const {
  rlimit limit{};
  ::prlimit(pid_, RLIMIT_NOFILE, nullptr, &limit);
  limit.rlim_cur = most;
  EXPECT_EQ(::prlimit(pid_, RLIMIT_NOFILE, &limit, nullptr), 0);
}

}  // namespace tollgate::test
