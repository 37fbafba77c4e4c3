#pragma once
#include "tollgate/base/byte_buffer.hpp"
#include "tollgate/pipeline/exchange.hpp"
#include "tollgate/protocol/http/head.hpp"

#include <string>
#include <string_view>

namespace tollgate::pipeline {

class Adapter;

bool is_event_stream(const protocol::http::ResponseHead& head);

/// The header lines of a provider's answer that cross to the client. `adapter`: null where both speak the same API.
ByteBuffer crossing_fields(const Exchange& exchange, const protocol::http::ResponseHead& head, bool streaming,
                           Adapter* adapter);

/// The client's header lines for a provider of another API: without those that speak of one.
std::string fields_for_others(std::string_view fields);

}  // namespace tollgate::pipeline
