#pragma once
// Between the plan, which only thinks, and the attempts, which only do: shows the plan what there is to choose from,
// aims the exchange at what it says, and tells health and plan how it went.
#include "tollgate/pipeline/exchange.hpp"
#include "tollgate/pipeline/health.hpp"
#include "tollgate/policy/attempt_plan.hpp"

#include <boost/container/small_vector.hpp>

#include <memory>
#include <optional>

namespace tollgate::pipeline {

/// How an attempt ended that brought no answer.
struct AttemptEnd {
  policy::Diagnosis diagnosis;
  bool timeout = false;
  std::optional<Millis> retry_after;
  bool had_content = false;  ///< its first content has come, and the target's load was told
};

class Dispatcher {
 public:
  explicit Dispatcher(Exchange& exchange);
  ~Dispatcher();

  /// When to begin the next attempt; nothing: there is none.
  std::optional<SteadyTime> next();
  /// Takes what the attempt needs and aims the exchange at it. False: it cannot be had any more; ask for the next. That
  /// happens where others were faster, or the retry budget is spent.
  bool begin();
  /// The attempt has brought the client its answer.
  void answered();
  /// It has brought none that counts.
  void failed(const AttemptEnd& end);
  /// It was broken off by the client or by the gateway.
  void abandoned(bool had_content);

  std::size_t attempts() const { return plan_.attempts(); }
  /// More than one attempt may be made for a request.
  bool repeats() const { return plan_.settings().attempts > 1; }
  /// Why nobody is asked, where nobody could be.
  Failure none_usable() const;

 private:
  /// One target with one of its credentials: what is behind an option of the plan.
  struct Candidate {
    const config::Model* model;
    const config::Target* target;
    std::string_view part;
    const TargetHealth* health;
    std::uint16_t rank, number;
    std::uint16_t circuit;                            ///< of the target
    const config::Credential* credential;             ///< null: the provider has none, or the caller its own
    std::shared_ptr<CredentialHealth> of_credential;  ///< the same
  };

  void add(const config::ModelName& name, std::uint16_t rank);
  void add_model(const config::Model& model, std::string_view part, std::uint16_t rank);
  void add_target(const config::Model& model, std::size_t index, std::string_view part, std::uint16_t rank);
  bool may_ask(const config::Model& model, std::string_view part) const;
  policy::Option option_of(const Candidate& candidate, SteadyTime now) const;
  bool is_plain(SteadyTime now) const;
  void look(SteadyTime now);
  void report(policy::Verdict verdict);
  void set_aside(const Candidate& candidate, SteadyTime now);

  Exchange& exchange_;
  policy::AttemptPlan plan_;
  boost::container::small_vector<Candidate, 2> candidates_;
  boost::container::small_vector<policy::Option, 2> options_;
  std::size_t chosen_ = 0;
  bool repeat_ = false;
  bool denied_ = false;           ///< by the circuit, when it was last asked
  policy::Load* load_ = nullptr;  ///< of the attempt at hand; null: nothing is compared
  policy::Reason reason_ = policy::Reason::primary;
  std::optional<policy::Circuit::Permit> permit_;
};

}  // namespace tollgate::pipeline
