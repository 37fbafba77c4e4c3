#pragma once
// Hedging: a second attempt beside a first one that takes long. The first content wins, the other one is cut off.
#include "tollgate/base/task.hpp"

#include "attempt.hpp"
#include "dispatcher.hpp"

#include <memory>

namespace tollgate::pipeline {

/// Goes on with `first`, which has brought no content yet, and with a second attempt at another target if the
/// dispatcher gives one, until one of them is over that is not followed by the other: that one, where it is the second,
/// else null. The dispatcher has been told of the other, and stands at the one that is left.
Task<std::unique_ptr<Attempt>> race(Exchange& exchange, Dispatcher& dispatcher, Attempt& first);

}  // namespace tollgate::pipeline
