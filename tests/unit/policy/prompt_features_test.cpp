#include "policy/prompt_features.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace tollgate::policy {
namespace {

TEST(PromptLanguage, is_told_by_small_words) {
  EXPECT_EQ(language_of("What is the best way to peel an onion?"), "en");
  EXPECT_EQ(language_of("Wie kann ich das auf dem Rechner von meiner Mutter einrichten?"), "de");
  EXPECT_EQ(language_of("Quelle est la différence entre les deux pour un débutant ?"), "fr");
  EXPECT_EQ(language_of("¿Qué es lo más importante para el examen?"), "es");
  EXPECT_EQ(language_of("Che cosa è successo nel film di ieri?"), "it");
  EXPECT_EQ(language_of("O que é que você não gosta em uma praia?"), "pt");
  EXPECT_EQ(language_of("Wat zijn de regels voor het parkeren op zondag?"), "nl");
}

TEST(PromptLanguage, is_told_by_script) {
  EXPECT_EQ(language_of("我们明天下午三点见面"), "zh");
  EXPECT_EQ(language_of("日本語で説明してください"), "ja");
  EXPECT_EQ(language_of("안녕하세요"), "ko");
  EXPECT_EQ(language_of("Как дела?"), "ru");
  EXPECT_EQ(language_of("كيف حالك"), "ar");
  EXPECT_EQ(language_of("שלום"), "he");
  EXPECT_EQ(language_of("Τι κάνεις;"), "el");
  EXPECT_EQ(language_of("आप कैसे हैं"), "hi");
  EXPECT_EQ(language_of("สวัสดี"), "th");
  EXPECT_EQ(language_of("用Python写一个脚本，读取CSV文件并排序"), "zh");
}

TEST(PromptLanguage, is_left_open_where_it_cannot_be_told) {
  EXPECT_EQ(language_of(""), "");
  EXPECT_EQ(language_of("42 + 17 = ?"), "");
  EXPECT_EQ(language_of("kubectl logs"), "");
  EXPECT_EQ(language_of("\xE4\xBD"), "") << "half a character";
  EXPECT_EQ(language_of(std::string(10'000, '\xFF')), "");
}

TEST(PromptLanguage, looks_at_the_beginning_only) {
  const std::string numbers(language_sample, '1');
  EXPECT_EQ(language_of(numbers + " what is the use of this for you"), "");
}

std::vector<std::string> fences(std::string_view text) {
  std::vector<std::string> languages;
  for_each_fence(text, [&](std::string_view language) { languages.emplace_back(language); });
  return languages;
}

TEST(CodeFences, are_told_with_their_languages) {
  EXPECT_EQ(fences("a\n```Python\nx\n```\nb\n  ```\ny\n```\n~~~\n"), (std::vector<std::string>{"python", ""}));
  EXPECT_EQ(fences("```js {1,2}\nx```"), (std::vector<std::string>{"js"}));
  EXPECT_EQ(fences("````md\n```\n"), (std::vector<std::string>{"md"}));
}

TEST(CodeFences, begin_a_line) { EXPECT_EQ(fences("say ```x``` inline"), std::vector<std::string>{}); }

TEST(CodeFences, are_found_again_after_an_end_was_cut_out) {
  EXPECT_EQ(fences("```c\nx\n```sql\ny\n```\n"), (std::vector<std::string>{"c", "sql"}));
}

TEST(CodeFences, end_with_the_text) {
  EXPECT_EQ(fences("```"), (std::vector<std::string>{""}));
  EXPECT_EQ(fences("```py"), (std::vector<std::string>{"py"}));
  EXPECT_EQ(fences(std::string(1 << 20, '`')), (std::vector<std::string>{""}));
  EXPECT_EQ(fences("``"), std::vector<std::string>{});
}

}  // namespace
}  // namespace tollgate::policy
