#pragma once
#include <functional>

namespace tollgate::test {

/// Looks again and again until it holds, for what has no event to wait on: a file, another thread's counters, a
/// process. False once the usual patience is over.
bool eventually(const std::function<bool()>& holds);

}  // namespace tollgate::test
