#pragma once
#include "tollgate/pipeline/record.hpp"

#include <cstdint>
#include <string>

namespace tollgate::io {

/// Appends a request's spans in OTLP's JSON encoding, separated by commas; one before the first where `out` is not
/// empty. The record has a trace. How many there are.
std::uint64_t append_spans(std::string& out, const pipeline::RequestRecord& record);

}  // namespace tollgate::io
