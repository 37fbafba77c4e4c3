#pragma once
// Places where a test lets this process die as if by `kill -9`. In the code: TOLLGATE_FAILPOINT("journal.reserved");
// from outside: TOLLGATE_FAILPOINT=journal.reserved:3 dies when that place is passed the third time. Compiled in with
// the CMake option TOLLGATE_FAILPOINTS only; without it, nothing is left of them.
#if defined(TOLLGATE_FAILPOINTS)

#include <string_view>

namespace tollgate::failpoint {

/// Dies here where this is the pass that was asked for. Any thread.
void pass(std::string_view name);

/// What the environment variable says, said by a test after fork(2). An empty plan: nowhere. Before other threads run.
void arm(std::string_view plan);

}  // namespace tollgate::failpoint

#define TOLLGATE_FAILPOINT(name) ::tollgate::failpoint::pass(name)
#else
#define TOLLGATE_FAILPOINT(name) static_cast<void>(0)
#endif
