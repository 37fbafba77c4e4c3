#pragma once
#include <cstddef>

namespace tollgate::app {

/// How many event loops `threads: auto` means: the cores this process may use, by CPU affinity and by the cgroup's
/// quota (version 2, cpu.max), whichever is less, and at least one.
std::size_t usable_cpus();

}  // namespace tollgate::app
