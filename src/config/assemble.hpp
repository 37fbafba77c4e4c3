#pragma once
#include "tollgate/config/snapshot.hpp"

#include "config/document.hpp"
#include "config/problem.hpp"

namespace tollgate::config {

/// Joins the document's names to what they name and fills the snapshot's indexes. Names that point at nothing go to the
/// report.
void assemble(Document document, Snapshot& snapshot, Report& report);

/// The way back, for showing: the document that would give this snapshot.
Document to_document(const Snapshot& snapshot);

}  // namespace tollgate::config
