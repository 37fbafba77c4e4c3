#pragma once
#include <string>
#include <string_view>

namespace tollgate::test {

/// Where "docs/metrics.md" lies on the machine that has built the test.
std::string in_project(std::string_view path);

/// The program that a user runs, built beside the test.
std::string tollgate_binary();

}  // namespace tollgate::test
