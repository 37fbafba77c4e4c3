#include "attempt.hpp"
#include "stages.hpp"

namespace tollgate::pipeline {

Task<Result<void>> dispatch(Exchange& exchange) {
  // One attempt is the whole plan until fallbacks are configurable.
  Attempt attempt(exchange);
  co_return co_await attempt.run();
}

}  // namespace tollgate::pipeline
