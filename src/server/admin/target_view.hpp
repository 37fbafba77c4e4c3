#pragma once
#include "tollgate/pipeline/health.hpp"

#include "strict_json.hpp"

#include <memory>
#include <optional>
#include <string_view>
#include <vector>

namespace tollgate::server::admin {

/// Health goes by the steady clock, people by the other one.
class Clocks {
 public:
  Clocks(SteadyTime steady, SystemTime system) : steady_(steady), system_(system) {}
  SteadyTime steady() const { return steady_; }
  Json show(std::optional<SteadyTime> time) const;

 private:
  SteadyTime steady_;
  SystemTime system_;
};

/// Adds a target with each of its credentials. `credentials`: those of its provider.
void add_views(Json& list, const pipeline::TargetHealth& target,
               const std::vector<std::shared_ptr<pipeline::CredentialHealth>>& credentials, const Clocks& clocks);

}  // namespace tollgate::server::admin
