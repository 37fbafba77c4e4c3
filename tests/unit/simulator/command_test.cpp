// The simulate subcommand: what each option sets, which ones are refused before anything starts, and a server that runs
// until a signal.
#include "tollgate/simulator/command.hpp"

#include "client.hpp"

#include <CLI/CLI.hpp>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <optional>

namespace tollgate::simulator {
namespace {

/// What the command would run with; nothing if the arguments were refused.
std::optional<CommandOptions> parsed(const std::string& arguments) {
  CLI::App app;
  std::function<int()> chosen;
  std::optional<CommandOptions> options;
  add_simulate_command(app, chosen, [&](const CommandOptions& given) {
    options = given;
    return 7;
  });
  try {
    app.parse("simulate " + arguments);
  } catch (const CLI::ParseError&) {
    return std::nullopt;
  }
  EXPECT_EQ(chosen(), 7);
  return options;
}

TEST(SimulateCommand, has_defaults_that_run) {
  const auto options = parsed("");
  ASSERT_TRUE(options);
  EXPECT_EQ(options->host, "127.0.0.1");
  EXPECT_EQ(options->port, 9000);
  EXPECT_EQ(options->settings, config::SimulatorSettings());
}

TEST(SimulateCommand, reads_every_option_in_peoples_units) {
  const auto options = parsed(
      "--listen [::1]:0 --failure-rate 25% --first-token 1.5s --jitter 0.1 --tokens-per-second 12.5 --answer-tokens 9 "
      "--seed 42 --truth t.jsonl --fault quota=2 --fault error_500");
  ASSERT_TRUE(options);
  EXPECT_EQ(options->host, "::1");
  EXPECT_EQ(options->port, 0);
  EXPECT_EQ(options->truth_file, "t.jsonl");
  const config::SimulatorSettings& settings = options->settings;
  EXPECT_EQ(settings.failure_rate, 0.25);
  EXPECT_EQ(settings.first_token, Millis{1500});
  EXPECT_EQ(settings.jitter, 0.1);
  EXPECT_EQ(settings.tokens_per_second, 12.5);
  EXPECT_EQ(settings.answer_tokens, 9u);
  EXPECT_EQ(settings.seed, 42u);
  EXPECT_EQ(settings.faults, (std::map<std::string, double>{{"quota", 2}, {"error_500", 1}}));
}

TEST(SimulateCommand, reads_phases_and_limits) {
  const auto options = parsed(
      "--slow 2 --requests-per-minute 60 --tokens-per-minute 5000 "
      "--phase from=10s,to=70s,failure_rate=100%,faults=error_503:2+quota,slow=10 "
      "--phase from=90s,to=150s,every=10s,for=3s,failure_rate=0.5 --phase to=1m,ramp=10%:80%");
  ASSERT_TRUE(options);
  const config::SimulatorSettings& settings = options->settings;
  EXPECT_EQ(settings.slow, 2);
  EXPECT_EQ(settings.limits, (config::SimulatorLimits{60, 5000}));
  ASSERT_EQ(settings.schedule.size(), 3u);
  EXPECT_EQ(settings.schedule[0].from, seconds(10));
  EXPECT_EQ(settings.schedule[0].to, seconds(70));
  EXPECT_EQ(settings.schedule[0].failure_rate, 1);
  EXPECT_EQ(settings.schedule[0].faults, (std::map<std::string, double>{{"error_503", 2}, {"quota", 1}}));
  EXPECT_EQ(settings.schedule[0].slow, 10);
  EXPECT_EQ(settings.schedule[1].every, seconds(10));
  EXPECT_EQ(settings.schedule[1].lasts, seconds(3));
  EXPECT_EQ(settings.schedule[2].ramp, (config::SimulatorRamp{0.1, 0.8}));
  EXPECT_EQ(settings.schedule[2].to, seconds(60));
}

TEST(SimulateCommand, refuses_what_it_does_not_understand) {
  for (const char* wrong : {"--listen 9000",
                            "--listen 0.0.0.0:9000",
                            "--listen 127.0.0.1:99999",
                            "--failure-rate 150%",
                            "--failure-rate much",
                            "--first-token 5",
                            "--tokens-per-second -1",
                            "--fault no_such",
                            "--fault quota=x",
                            "--fault quota=0",
                            "--seed x",
                            "--unknown",
                            "--slow 0.5",
                            "--slow nan",
                            "--requests-per-minute 0",
                            "--tokens-per-minute many",
                            "--phase from=soon",
                            "--phase until=5s",
                            "--phase slow",
                            "--phase faults=no_such",
                            "--phase faults=quota:x",
                            "--phase ramp=50%",
                            "--phase failure_rate=150%",
                            "--phase to=1s,every=1s,slow=2",
                            "--phase from=2s,to=1s,slow=2"}) {
    EXPECT_FALSE(parsed(wrong)) << wrong;
  }
}

TEST(SimulateCommand, serves_until_a_signal) {
  int output[2];
  ASSERT_EQ(::pipe(output), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    ::dup2(output[1], STDOUT_FILENO);
    CommandOptions options;
    options.port = 0;
    options.settings = test::fast();
    ::_exit(run(options));
  }
  ::close(output[1]);
  std::string line;
  for (char byte = 0; ::read(output[0], &byte, 1) == 1 && byte != '\n';) line += byte;
  ::close(output[0]);
  ASSERT_TRUE(line.starts_with("simulator: http://127.0.0.1:")) << line;
  const auto port = static_cast<std::uint16_t>(std::stoi(line.substr(line.rfind(':') + 1)));
  {
    test::Client client(port);
    client.get("/v1/models");
    EXPECT_EQ(client.read().status, 200);
  }
  ::kill(child, SIGTERM);
  int status = -1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

}  // namespace
}  // namespace tollgate::simulator
