#pragma once
#include "tollgate/config/snapshot.hpp"

#include "config/document.hpp"
#include "config/problem.hpp"

namespace tollgate::config {

/// The part of assemble() that is about prices: one book of the file's prices and of the models' own, and each target's
/// price in it. Providers and models are in the snapshot already.
void assemble_prices(Document& document, Snapshot& snapshot, Report& report);

/// The way back.
void add_prices(const Snapshot& snapshot, Document& document);

}  // namespace tollgate::config
