#pragma once
// What would become of a request that came now, and why: the same steps as serve() takes, up to where somebody would be
// asked. For operators.
#include "tollgate/pipeline/exchange.hpp"
#include "tollgate/pipeline/health.hpp"

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tollgate::pipeline {

struct Question {
  std::string_view body;
  Inbound inbound;                         ///< of a client's head: path, task, timeout
  const config::Tenant* tenant = nullptr;  ///< of the world's configuration; null: rights are not looked at
};

/// Views are into the world's configuration and health, which are to be kept, or literals; an empty one: there is none.
/// Holds no text of the prompt.
struct Explanation {
  struct Candidate {
    std::uint16_t rank;  ///< 0: of the primary, then the fallbacks
    const config::Model* model;
    const config::Target* target;
    std::string_view credential;
    policy::Option::State state;
    SteadyTime usable_at;  ///< where it is not usable; never: when an operator lets it
    policy::Circuit::View circuit;
    Micros first_token;  ///< the estimate by which targets are compared
    std::uint64_t pending;
  };
  struct First {
    std::size_t candidate;    ///< index
    std::string_view reason;  ///< as in x-tollgate-reason
    bool by_chance;           ///< others of its rank might have been drawn
    Millis wait;
  };

  std::string requested;     ///< the name in `model`, at most 128 bytes
  std::string_view name_is;  ///< route, match (another name of a route), model, wildcard, or route_and_task
  std::string_view route, model;
  std::string_view task;
  std::string_view task_source;                          ///< header, model_name, metadata or classifier
  std::optional<policy::Classification> classification;  ///< where that was asked
  std::string_view warning;
  std::optional<Millis> deadline;     ///< over all attempts
  std::size_t attempts = 0;           ///< at most
  std::vector<Candidate> candidates;  ///< in the order of their ranks
  std::optional<First> first;
  std::optional<Failure> failure;  ///< what the client would be told instead
};

/// Limits are not looked at, and nothing is taken of them, of circuits or of budgets. `random`: where equal targets are
/// drawn. The control thread's or any other.
Explanation explain(const Question& question, const std::shared_ptr<const World>& world, SteadyTime now,
                    Random& random);

}  // namespace tollgate::pipeline
