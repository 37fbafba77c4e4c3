#pragma once
#include "io/storage/journal/common.hpp"

namespace tollgate::io::journal {

/// Moves all that earlier processes have left in the folder into the store, makes rows of what they left open, and
/// takes the files away; then `common.next_number` is behind all of them. Failure: the store has not taken all of it,
/// and no file was touched. Memory: one file, one batch, and what is open.
Result<void> recover(Common& common);

}  // namespace tollgate::io::journal
