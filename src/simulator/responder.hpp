#pragma once
#include "tollgate/simulator/truth.hpp"

#include "simulator/answers.hpp"
#include "simulator/plan.hpp"

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
};

/// The path of a request target, without its query.
std::string_view path_of(std::string_view target);

/// Decides what a request gets. Notes in `entry` what it read on the way: model, stream, prompt tokens, fault.
class Responder {
 public:
  Responder(config::SimulatorSettings settings, std::vector<std::string> models)
      : planner_(std::move(settings)), models_(std::move(models)) {}

  Prepared respond(const Request& request, const Steering& scripted, TruthEntry& entry) const;

 private:
  Prepared respond_to_call(const Call& call, Steering steering, TruthEntry& entry) const;
  Answer answer_without_call(const Request& request, std::string_view path) const;

  Planner planner_;
  std::vector<std::string> models_;
};

}  // namespace tollgate::simulator
