#pragma once
// The rules that tell tasks apart: from the text of a file like config/tasks.yaml to a classifier, or to the list of
// everything that is wrong with it.
#include "tollgate/config/loader.hpp"
#include "tollgate/policy/classifier.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tollgate::config {

struct LoadedTaskRules {
  std::vector<policy::TaskRules> tasks;          ///< as written, in the order of the file
  std::optional<policy::Classifier> classifier;  ///< nothing exactly when there are faults
  std::vector<Fault> faults;                     ///< all of them, by line and column
};

/// Reads the file at `path`. As strict as the loader, with its bounds, and its references work too.
LoadedTaskRules load_task_rules(const std::string& path, const Sources& sources);

/// The text of config/tasks.yaml as it was when this was built, so that a gateway needs no second file.
std::string_view default_task_rules_text();
/// The classifier of that. Compiles anew at each call.
LoadedTaskRules default_task_rules();

}  // namespace tollgate::config
