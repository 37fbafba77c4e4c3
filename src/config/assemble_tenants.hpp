#pragma once
#include "tollgate/config/snapshot.hpp"

#include "config/document.hpp"

namespace tollgate::config {

/// The part of assemble() that is about who may call. Providers, models and routes of the snapshot are complete.
void assemble_tenants(Document& document, Snapshot& snapshot, Report& report);

/// The way back, for showing. Keys are shown without their secrets.
void add_tenants(const Snapshot& snapshot, Document& document);

}  // namespace tollgate::config
