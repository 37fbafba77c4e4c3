#pragma once
// Which header fields may cross the gateway, both ways. Everything else stays behind (docs/http-rules.md prints the
// lists).
#include <span>
#include <string_view>

namespace tollgate::protocol::http {

/// True where a client's request field goes on to a provider of the OpenAI protocol. Lower or upper case.
bool crosses_to_upstream(std::string_view name);

/// True where a provider's response field goes on to the client.
bool crosses_to_client(std::string_view name);

/// The lists themselves, lower case and sorted, for the docs and their test.
std::span<const std::string_view> request_allow_list();
std::span<const std::string_view> response_allow_list();

}  // namespace tollgate::protocol::http
