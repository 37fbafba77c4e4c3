#pragma once
#include "tollgate/config/loader.hpp"

#include <boost/system/result.hpp>

#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace tollgate::config {

/// What is wrong with a value, before it is known where the value stands.
struct Problem {
  std::string message;
  std::string suggestion{};
  bool missing = false;  ///< only the world lacks something: forgiven under LoadOptions::allow_unset
};

[[noreturn]] inline void throw_exception_from_error(const Problem& problem, const boost::source_location&) {
  throw std::logic_error("a refused value was read: " + problem.message);
}

template <class T>
using Parsed = boost::system::result<T, Problem>;

/// A place in a file, and the path of the key that stands there.
struct Spot {
  std::string file;
  int line = 1;
  int column = 1;
  std::string key{};

  /// The same place, one key or one list item further in.
  Spot inside(const std::string& name) const { return {file, line, column, key.empty() ? name : key + "." + name}; }
  Spot item(std::size_t index) const { return {file, line, column, key + "[" + std::to_string(index) + "]"}; }
};

/// Collects everything there is to say about one configuration.
class Report {
 public:
  void fault(const Spot& spot, Problem problem) {
    faults.push_back(
        {spot.file, spot.line, spot.column, spot.key, std::move(problem.message), std::move(problem.suggestion)});
  }
  void note(const Spot& spot, const std::string& message) {
    notes.push_back(to_text({spot.file, spot.line, spot.column, spot.key, message, ""}));
  }

  std::vector<Fault> faults;
  std::vector<std::string> notes;
};

}  // namespace tollgate::config
