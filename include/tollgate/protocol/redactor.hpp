#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tollgate::protocol {

/// Takes secrets out of text that others wrote, such as the error of a provider that echoes what it was sent.
/// Immutable; any thread.
///
/// Looked for are the known secrets, as they are and as they read in JSON strings and percent-encoded (both any number
/// of times over and mixed); then what has the shape of a provider's key: sk-, sk-ant-, AIza, gsk_ and the like, the
/// token after `Bearer`, the value of an api-key. Only the secret's own bytes go: `mark` stands for each run of them,
/// and every other byte is kept, so JSON stays JSON. A secret that might be a number there has its digits overwritten
/// instead. Time and memory are linear in the text.
class Redactor {
 public:
  static constexpr std::string_view mark = "[redacted]";
  /// A shorter secret would hit ordinary words ("none", "ollama") and is not looked for, nor is one without a letter or
  /// digit.
  static constexpr std::size_t shortest_secret = 8;

  explicit Redactor(const std::vector<std::string_view>& secrets = {});

  /// The text without its secrets, or nothing where it has none.
  std::optional<std::string> redact(std::string_view text) const;

 private:
  /// A text to find, with the table of Knuth, Morris and Pratt: at each length, that of the longest true prefix of the
  /// text which ends there too.
  struct Needle {
    explicit Needle(std::string text);
    std::string text;
    std::vector<std::uint32_t> shorter;
  };
  struct Secret {
    Needle as_is, as_read;
    char digit;  ///< to overwrite its digits with, where it might be a number; else 0
  };
  std::vector<Secret> secrets_;

  friend class Redaction;
};

}  // namespace tollgate::protocol
