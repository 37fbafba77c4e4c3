// Says how often the task rules are right about a file of labelled prompts, and what a prompt costs. While rules are
// tuned, --errors belongs to the tuning half alone: who has seen the held-out errors cannot measure with them any more.
#include "tollgate/config/task_rules.hpp"

#include "support/labelled_prompts.hpp"

#include <cstdio>
#include <ctime>
#include <fstream>
#include <iterator>
#include <map>
#include <sstream>
#include <string>

namespace {

using namespace tollgate;
using test::LabelledPrompt;

constexpr char usage[] =
    "usage: classify [--rules FILE] [--errors] [--speed] [PROMPTS.jsonl]\n"
    "  --rules FILE  instead of the rules that are built in\n"
    "  --errors      every prompt that is told wrong, and what was found in it\n"
    "  --speed       what a prompt of 1 KB and of 100 KB costs\n";

struct Arguments {
  std::string rules, prompts;
  bool errors = false, speed = false, wrong = false;
};

Arguments read_arguments(int count, char** values) {
  Arguments arguments;
  for (int at = 1; at < count; ++at) {
    const std::string value = values[at];
    if (value == "--rules" && at + 1 < count)
      arguments.rules = values[++at];
    else if (value == "--errors")
      arguments.errors = true;
    else if (value == "--speed")
      arguments.speed = true;
    else if (value.starts_with("--") || !arguments.prompts.empty())
      arguments.wrong = true;
    else
      arguments.prompts = value;
  }
  arguments.wrong |= arguments.prompts.empty() && !arguments.speed;
  return arguments;
}

config::LoadedTaskRules load_rules(const std::string& path) {
  if (path.empty()) return config::default_task_rules();
  return config::load_task_rules(path, {[](const std::string& wanted) -> Result<std::string> {
                                          std::ifstream file(wanted, std::ios::binary);
                                          if (!file) return Failure{.message = "no such file"};
                                          return std::string(std::istreambuf_iterator<char>(file), {});
                                        },
                                        [](const std::string&) { return std::vector<std::string>(); },
                                        [](const std::string&) -> std::optional<std::string> { return std::nullopt; }});
}

void print_error(const policy::Classifier& classifier, const LabelledPrompt& prompt,
                 const policy::Classification& verdict) {
  std::printf("%s told as %s: %.100s\n", prompt.task.c_str(), std::string(verdict.task).c_str(), prompt.text.c_str());
  for (const policy::RuleHit& hit : classifier.explain(prompt.view())) {
    std::printf("    %-10s %+5.1f  %s\n", std::string(hit.task).c_str(), hit.weight, std::string(hit.rule).c_str());
  }
}

/// By true task and told task.
using Confusion = std::map<std::string, std::map<std::string, unsigned>>;

void print(const Confusion& confusion) {
  std::printf("%-12s", "is \\ told");
  for (const auto& [task, told] : confusion) std::printf("%10s", task.c_str());
  std::printf("%10s%10s\n", "recall", "precision");
  unsigned right = 0, all = 0;
  for (const auto& [task, told] : confusion) {
    std::printf("%-12s", task.c_str());
    unsigned own = 0, as_this = 0;
    for (const auto& [other, counts] : confusion) {
      const auto found = told.find(other);
      const unsigned count = found == told.end() ? 0 : found->second;
      std::printf("%10u", count);
      own += count;
      const auto taken = counts.find(task);
      as_this += taken == counts.end() ? 0 : taken->second;
    }
    const auto found = told.find(task);
    const unsigned hits = found == told.end() ? 0 : found->second;
    std::printf("%9.1f%%%9.1f%%\n", own == 0 ? 0 : 100.0 * hits / own, as_this == 0 ? 0 : 100.0 * hits / as_this);
    right += hits;
    all += own;
  }
  std::printf("%u of %u right: %.1f%%\n", right, all, all == 0 ? 0 : 100.0 * right / all);
}

/// Nanoseconds of processor time that this program has used: what others do on the machine does not count.
double processor_time() {
  timespec time{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) * 1e9 + static_cast<double>(time.tv_nsec);
}

void measure(const policy::Classifier& classifier, const std::string& name, const std::string& text) {
  const policy::Prompt prompt{.system = "You are a helpful assistant.", .user = text};
  constexpr double least = 3e8;
  std::size_t calls = 0, found = 0;
  const double begin = processor_time();
  double used = 0;
  for (; used < least; used = processor_time() - begin) {
    for (int again = 0; again < 20; ++again) found += classifier.classify(prompt).scores.size();
    calls += 20;
  }
  std::printf("%-8s %8zu bytes %10.0f ns a prompt%s\n", name.c_str(), text.size(), used / static_cast<double>(calls),
              found == 0 ? " (no tasks)" : "");
}

void measure_speed(const policy::Classifier& classifier) {
  const std::string prose =
      "The committee met on Tuesday and went through the plan for the new harbour, which the mayor had asked for in "
      "spring; nobody was quite sure what it would cost, but all agreed that the old quay could not wait. ";
  const std::string code = "for (std::size_t at = 0; at < items.size(); ++at) { total += items[at].price(); }\n";
  for (const auto& [name, piece] : {std::pair("prose", prose), std::pair("code", code)}) {
    for (const std::size_t size : {std::size_t{1000}, std::size_t{100'000}}) {
      std::string text;
      while (text.size() < size) text += piece;
      text.resize(size);
      measure(classifier, name, text);
    }
  }
  measure(classifier, "a's", std::string(1'000'000, 'a'));
}

}  // namespace

int main(int count, char** values) {
  const Arguments arguments = read_arguments(count, values);
  if (arguments.wrong) return std::fputs(usage, stderr), 2;
  const config::LoadedTaskRules loaded = load_rules(arguments.rules);
  for (const config::Fault& fault : loaded.faults) std::fprintf(stderr, "%s\n", to_text(fault).c_str());
  if (!loaded.classifier) return 1;
  Confusion confusion;
  for (const policy::TaskRules& task : loaded.tasks) confusion[task.task];
  if (!arguments.prompts.empty()) {
    for (const LabelledPrompt& prompt : test::read_labelled_prompts(arguments.prompts)) {
      const policy::Classification verdict = loaded.classifier->classify(prompt.view());
      ++confusion[prompt.task][verdict.task.empty() ? "none" : std::string(verdict.task)];
      if (arguments.errors && verdict.task != prompt.task) print_error(*loaded.classifier, prompt, verdict);
    }
    print(confusion);
  }
  if (arguments.speed) measure_speed(*loaded.classifier);
  return 0;
}
