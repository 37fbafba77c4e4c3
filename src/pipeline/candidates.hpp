#pragma once
// Who may answer a request: the targets of its primary model and of its fallbacks, each with each credential, and how
// they are at the moment.
#include "tollgate/pipeline/exchange.hpp"
#include "tollgate/pipeline/health.hpp"
#include "tollgate/policy/attempt_plan.hpp"
#include "tollgate/protocol/openai/needs.hpp"

#include <boost/container/small_vector.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

namespace tollgate::pipeline {

/// One target with one of its credentials: what is behind an option of the plan.
struct Candidate {
  const config::Model* model;
  const config::Target* target;
  std::string_view part;  ///< what the model's "*" stands for
  const TargetHealth* health;
  std::uint16_t rank, number;
  std::uint16_t circuit;                            ///< of the target
  const config::Credential* credential;             ///< null: the provider has none, or the caller its own
  std::shared_ptr<CredentialHealth> of_credential;  ///< the same
};

using Options = boost::container::small_vector<policy::Option, 2>;

/// What the route, its task or the defaults say of a request's effort.
const config::Effort& effort_of(const Exchange& exchange);

/// One request's, after it was resolved. Leaves out what its caller may not use, and what cannot do what the request
/// needs.
class Candidates {
 public:
  explicit Candidates(const Exchange& exchange);

  std::size_t size() const { return list_.size(); }
  const Candidate& operator[](std::size_t index) const { return list_[index]; }
  /// One that stands alone needs no comparing.
  bool several() const { return list_.size() > 1; }

  /// How they are at the moment, in their order; `begins`: nobody was asked yet, so the conversation has a say.
  void look(Options& options, SteadyTime now, bool begins) const;
  policy::Option option(const Candidate& candidate, SteadyTime now) const;
  /// What the request needs and nobody can do, for the client; empty: somebody can.
  std::string_view lacking() const { return list_.empty() ? lacking_ : std::string_view(); }

 private:
  void add(const config::ModelName& name, std::uint16_t rank);
  void add_model(const config::Model& model, std::string_view part, std::uint16_t rank);
  void add_target(const config::Model& model, std::size_t index, std::string_view part, std::uint16_t rank);
  bool may_ask(const config::Model& model, std::string_view part) const;
  bool is_able(const config::Model& model);
  bool fits(const config::Model& model) const;
  void bind(Options& options) const;

  const Exchange& exchange_;
  boost::container::small_vector<Candidate, 2> list_;
  std::string_view lacking_;
  // Both are a look through the whole body, which may be gone once an answer has begun: once, and only where they
  // count.
  std::optional<protocol::openai::Needs> needs_;
  mutable std::optional<std::uint64_t> expected_tokens_;
};

}  // namespace tollgate::pipeline
