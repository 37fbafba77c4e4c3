#pragma once
// What an answer with an error means for the next step: the table of docs/routing.md.
#include <cstdint>
#include <string_view>

namespace tollgate::policy {

/// What may help where an attempt has failed.
enum class Remedy : std::uint8_t {
  nothing,             ///< the request itself is at fault, or what it asks is refused: this is the answer
  repeat,              ///< the same target, after a wait, or any other
  another_target,      ///< any but this one
  larger_context,      ///< only a target that holds more
  another_credential,  ///< this credential is refused or has no money left: it is set aside
  cool_down            ///< this credential has used up its rate for now
};
std::string_view name_of(Remedy remedy);

/// What it says about the health of whoever answered.
enum class Blame : std::uint8_t { none, rate, failure };

struct Diagnosis {
  Remedy remedy = Remedy::nothing;
  Blame blame = Blame::none;
  bool operator==(const Diagnosis&) const = default;
};

/// Of a status of at least 400 and of what the body's `error` says in its type, code and message (each may be empty).
/// Sources: OpenAI's error tables, and the texts of vLLM, llama.cpp, Ollama, OpenRouter and Azure.
Diagnosis diagnose(unsigned status, std::string_view type, std::string_view code, std::string_view message);

/// Whether a 400 says that the request's content breaks the provider's rules: another one's may be others.
bool refuses_content(unsigned status, std::string_view type, std::string_view code);

/// Of an attempt without an answer: no connection, a reset, a broken answer, a timer that ran out.
inline constexpr Diagnosis no_answer{Remedy::repeat, Blame::failure};

}  // namespace tollgate::policy
