#include "tollgate/protocol/redactor.hpp"

#include "tollgate/base/ascii.hpp"

#include "protocol/key_shapes.hpp"
#include "protocol/plain_text.hpp"

#include <algorithm>

namespace tollgate::protocol {
namespace {

/// The digit to overwrite its digits with, where the secret could stand in JSON outside strings; else 0. One that it
/// has not, lest what stands beside it make it whole again, and no zero, which must not lead.
char overwriting_digit(std::string_view secret) {
  if (secret.find_first_not_of("0123456789+-.eE,:[]{} ") != std::string_view::npos) return 0;
  for (const char digit : std::string_view("987654321"))
    if (secret.find(digit) == std::string_view::npos) return digit;
  return '1';
}

bool is_letter_or_digit(char byte) { return is_digit(byte) || is_letter(byte); }

}  // namespace

Redactor::Needle::Needle(std::string wanted) : text(std::move(wanted)), shorter(text.size() + 1, 0) {
  for (std::size_t at = 1; at < text.size(); ++at) {
    std::uint32_t length = shorter[at];
    while (length > 0 && text[length] != text[at]) length = shorter[length];
    shorter[at + 1] = text[length] == text[at] ? length + 1 : 0;
  }
}

Redactor::Redactor(const std::vector<std::string_view>& secrets) {
  for (const std::string_view secret : secrets) {
    if (secret.size() < shortest_secret || mark.find(secret) != std::string_view::npos) continue;
    if (std::ranges::none_of(secret, is_letter_or_digit)) continue;
    secrets_.push_back(
        {Needle(std::string(secret)), Needle(PlainText(secret, PlainText::Of::text).bytes), overwriting_digit(secret)});
  }
}

/// One text in work: collects the runs that must go, then writes the rest.
class Redaction {
 public:
  explicit Redaction(std::string_view text) : text_(text), kind_(PlainText::kind_of(text)), plain_(text, kind_) {}

  void find(const Redactor::Secret& secret) {
    find(secret.as_read, plain_.bytes, [&](Run run) { add(run, secret.digit); });
    // A secret that holds an escape itself reads as it is where only its own bytes were escaped once more.
    if (secret.as_is.text != secret.as_read.text)
      find(secret.as_is, plain_.bytes, [&](Run run) { add(run, secret.digit); });
    // Undoing escapes can eat into a secret that merely follows a backslash or a percent sign. In JSON a quote of the
    // secret's cannot stand unescaped.
    if (kind_ == PlainText::Of::json && secret.as_is.text.find('"') != std::string::npos) return;
    find(secret.as_is, text_, [&](Run run) { add(read(run), secret.digit); });
  }
  void find_shapes() {
    for (const Run run : find_key_shapes(plain_))
      add(run, overwriting_digit(std::string_view(plain_.bytes).substr(run.begin, run.end - run.begin)));
  }

  std::optional<std::string> result() {
    if (hits_.empty()) return std::nullopt;
    std::ranges::sort(hits_, {}, [](const Hit& hit) { return hit.run.begin; });
    std::string out;
    std::size_t kept = 0;
    for (std::size_t index = 0; index < hits_.size();) {
      const Hit hit = merged(index);
      const std::size_t begin = plain_.offsets[hit.run.begin], end = plain_.offsets[hit.run.end];
      out.append(text_.substr(kept, begin - kept));
      if (hit.digit == 0) {
        out += Redactor::mark;
      } else {
        for (const char byte : text_.substr(begin, end - begin)) out += is_digit(byte) ? hit.digit : byte;
      }
      kept = end;
    }
    return out.append(text_.substr(kept));
  }

 private:
  struct Hit {
    Run run;  ///< of plain_.bytes
    char digit;
  };

  void add(Run run, char digit) { hits_.push_back({run, digit}); }

  /// The bytes as read that were written in that run, whole escapes only.
  Run read(Run written) const {
    const auto& offsets = plain_.offsets;
    const auto begin = std::ranges::upper_bound(offsets, written.begin) - offsets.begin() - 1;
    const auto end = std::ranges::lower_bound(offsets, written.end) - offsets.begin();
    return {static_cast<std::size_t>(begin), static_cast<std::size_t>(end)};
  }

  template <class Found>
  static void find(const Redactor::Needle& needle, std::string_view text, Found found) {
    if (needle.text.empty()) return;
    std::uint32_t length = 0;
    for (std::size_t at = 0; at < text.size(); ++at) {
      while (length > 0 && (length == needle.text.size() || needle.text[length] != text[at]))
        length = needle.shorter[length];
      if (needle.text[length] == text[at]) ++length;
      if (length == needle.text.size()) found(Run{at + 1 - length, at + 1});
    }
  }

  /// The hit at `index` and all that overlap it; `index` moves behind them.
  Hit merged(std::size_t& index) const {
    Hit whole = hits_[index++];
    for (; index < hits_.size() && hits_[index].run.begin < whole.run.end; ++index) {
      whole.run.end = std::max(whole.run.end, hits_[index].run.end);
      if (hits_[index].digit == 0) whole.digit = 0;
    }
    return whole;
  }

  std::string_view text_;
  PlainText::Of kind_;
  PlainText plain_;
  std::vector<Hit> hits_;
};

std::optional<std::string> Redactor::redact(std::string_view text) const {
  Redaction redaction(text);
  for (const Secret& secret : secrets_) redaction.find(secret);
  redaction.find_shapes();
  return redaction.result();
}

}  // namespace tollgate::protocol
