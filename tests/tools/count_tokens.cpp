// Says how near the token counter is to the reference's counts, language by language, and how fast it is. With --each
// it is what tests/tools/reference_tokens.py compares the reference with.
#include "tollgate/policy/token_counter.hpp"

#include "support/token_corpus.hpp"

#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <iostream>
#include <iterator>
#include <map>
#include <string>
#include <string_view>

namespace {

using namespace tollgate;
using policy::TokenEncoding;

constexpr char usage[] =
    "usage: count_tokens [--speed] CORPUS.jsonl   error by language; with --speed what a megabyte takes too\n"
    "       count_tokens --file TEXT               tokens of a file, and MB/s over it\n"
    "       count_tokens --each ENCODING          a count for each line of stdin, which holds a JSON string\n";

/// Seconds of processor time that this program has used: what others do on the machine does not count.
double processor_time() {
  timespec time{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

double megabytes_per_second(const std::string& text, TokenEncoding encoding) {
  constexpr double least = 0.1;
  const double begin = processor_time();
  double used = 0, bytes = 0;
  std::size_t tokens = 0;
  for (; used < least; used = processor_time() - begin) {
    tokens += policy::count_tokens(text, encoding);
    bytes += static_cast<double>(text.size());
  }
  return tokens == 0 ? 0 : bytes / used / 1e6;
}

struct Sums {
  std::size_t expected = 0, counted = 0, wrong = 0, texts = 0;

  void add(std::size_t right, std::size_t got) {
    expected += right;
    counted += got;
    wrong += right != got;
    ++texts;
  }
  double error() const {
    return expected == 0 ? 0 : 100.0 * (static_cast<double>(counted) / static_cast<double>(expected) - 1);
  }
};

struct Language {
  Sums sums[2];
  std::string text;  ///< all of them
};

constexpr TokenEncoding encodings[] = {TokenEncoding::o200k_base, TokenEncoding::cl100k_base};

/// What prose never is: nothing may take long however the text is made.
std::map<std::string, Language> worst_cases() {
  const std::pair<const char*, const char*> made_of[] = {{"one letter", "a"},       {"blanks", " "},
                                                         {"digits", "7"},           {"one emoji", "\U0001F600"},
                                                         {"not UTF-8", "\xFF\xC3"}, {"letters", "qxzjvkw"}};
  std::map<std::string, Language> cases;
  for (const auto& [name, piece] : made_of) {
    std::string& text = cases[name].text;
    while (text.size() < 1'000'000) text += piece;
  }
  return cases;
}

/// A megabyte of a language's texts, so that the tables' pages are as warm as a busy gateway's.
void print_speed(const std::string& name, const std::string& text) {
  std::string much;
  while (much.size() < 1'000'000) much += text;
  std::printf("%-12s %10.0f %10.0f\n", name.c_str(), megabytes_per_second(much, encodings[0]),
              megabytes_per_second(much, encodings[1]));
}

int judge(const std::string& path, bool speed) {
  std::map<std::string, Language> languages;
  Sums all[2];
  for (const test::CountedText& text : test::read_token_corpus(path)) {
    Language& language = languages[text.language];
    language.text += text.text + '\n';
    for (const std::size_t at : {0, 1}) {
      const std::size_t counted = policy::count_tokens(text.text, encodings[at]);
      language.sums[at].add(text.tokens(encodings[at]), counted);
      all[at].add(text.tokens(encodings[at]), counted);
    }
  }
  std::printf("%-12s %10s %10s %10s %10s\n", "", "o200k_base", "error", "cl100k_base", "error");
  for (const auto& [name, language] : languages)
    std::printf("%-12s %10zu %9.2f%% %10zu %9.2f%%\n", name.c_str(), language.sums[0].expected,
                language.sums[0].error(), language.sums[1].expected, language.sums[1].error());
  for (const std::size_t at : {0, 1})
    std::printf("%s: %zu of %zu texts exact, error %.3f%%\n", at == 0 ? "o200k_base" : "cl100k_base",
                all[at].texts - all[at].wrong, all[at].texts, all[at].error());
  if (!speed) return 0;
  std::printf("\nMB/s         o200k_base cl100k_base\n");
  for (const auto& [name, language] : languages) print_speed(name, language.text);
  for (const auto& [name, language] : worst_cases()) print_speed(name, language.text);
  return 0;
}

/// A long text that does not repeat itself finds less of the tables in the processor's caches.
int measure_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return std::fprintf(stderr, "count_tokens: cannot read %s\n", path.c_str()), 1;
  const std::string text(std::istreambuf_iterator<char>(file), {});
  for (const std::size_t at : {0, 1})
    std::printf("%s: %zu bytes, %zu tokens, %.0f MB/s\n", at == 0 ? "o200k_base" : "cl100k_base", text.size(),
                policy::count_tokens(text, encodings[at]), megabytes_per_second(text, encodings[at]));
  return 0;
}

int count_each(TokenEncoding encoding) {
  std::string out;
  for (std::string line; std::getline(std::cin, line);)
    out += std::to_string(policy::count_tokens(nlohmann::json::parse(line).get<std::string>(), encoding)) + '\n';
  std::fputs(out.c_str(), stdout);
  return 0;
}

}  // namespace

int main(int count, char** values) {
  const std::string_view first = count > 1 ? values[1] : "", second = count > 2 ? values[2] : "";
  if (first == "--each" && second == "o200k_base") return count_each(TokenEncoding::o200k_base);
  if (first == "--each" && second == "cl100k_base") return count_each(TokenEncoding::cl100k_base);
  if (first == "--file" && !second.empty()) return measure_file(std::string(second));
  if (first == "--speed" && !second.empty()) return judge(std::string(second), true);
  if (!first.empty() && !first.starts_with("--")) return judge(std::string(first), false);
  return std::fputs(usage, stderr), 2;
}
