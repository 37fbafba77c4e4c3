#pragma once
#include "tollgate/simulator/truth.hpp"

#include "simulator/allowance.hpp"
#include "simulator/answers.hpp"
#include "simulator/plan.hpp"
#include "simulator/prompt_cache.hpp"

#include <boost/beast/http/message.hpp>
#include <boost/beast/http/string_body.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tollgate::simulator {

using Request = boost::beast::http::request<boost::beast::http::string_body>;

/// An answer and how it is to be sent.
struct Prepared {
  Plan plan;
  Answer answer;
  Voice voice;
};

/// The path of a request target, without its query.
std::string_view path_of(std::string_view target);

/// Anthropic's where the path is one of its own, or where nobody else's is and `anthropic-version` is sent.
Dialect dialect_of(const Request& request);
/// What an answer calls the request by.
std::string request_id_of(std::uint64_t ordinal);

/// Which credential a request came with, without giving it away: "none", or the first 8 hex digits of its SHA-256.
std::string credential_of(const Request& request);

/// What holds at a moment, for those who watch.
struct Moment {
  Micros since_start{0};
  Conditions conditions;
};

/// Decides what a request gets: whether its credential is known and may, then what chance has in store. Remembers when
/// the day began and what each credential has used. One thread.
class Responder {
 public:
  Responder(const config::SimulatorSettings& settings, std::vector<std::string> models);

  /// Notes in `entry` what it read on the way: model, stream, prompt tokens, fault. Goes by the entry's times and
  /// credential.
  Prepared respond(const Request& request, const Steering& scripted, TruthEntry& entry);
  /// Nothing before the first request that counts.
  std::optional<Moment> moment(SteadyTime now) const;

 private:
  bool accepts(std::string_view key) const;
  Prepared prepare(const Request& request, const Voice& voice, const Steering& scripted, TruthEntry& entry);
  Prepared respond_to_call(const Call& call, const Voice& voice, Steering steering, TruthEntry& entry);
  void use_cache(const Call& call, Plan& plan, TruthEntry& entry);
  Answer answer_without_call(const Request& request, const Voice& voice, std::string_view path) const;

  Planner planner_;
  Allowances allowances_;
  PromptCache cache_;
  std::vector<config::Secret> accepted_;
  std::vector<std::string> models_;
  std::optional<SteadyTime> began_;
};

}  // namespace tollgate::simulator
