#pragma once
#include "config/document.hpp"

namespace tollgate::config {

/// Budgets of everything that has some, with the models and the alerts that they name. After all else of the snapshot.
void assemble_budgets(Document& document, Snapshot& snapshot, Report& report);

/// The same back, into a document that has everything else.
void add_budgets(const Snapshot& snapshot, Document& document);

}  // namespace tollgate::config
