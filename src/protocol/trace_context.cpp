#include "tollgate/protocol/trace_context.hpp"

#include <algorithm>

namespace tollgate::protocol {
namespace {

constexpr std::size_t size_of_version_0 = 55, most_state = 512;
constexpr std::size_t uuid_size = 36, uuid_half = 19;  // where the last 64 bits begin
constexpr std::uint8_t known_flags = 0x03;

bool is_hex(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

bool is_zero(std::string_view text) { return text.find_first_not_of('0') == text.npos; }

std::uint8_t value_of(char digit) { return static_cast<std::uint8_t>(digit <= '9' ? digit - '0' : digit - 'a' + 10); }

template <std::size_t size>
std::array<char, size> copied(std::string_view text) {
  std::array<char, size> copy{};
  std::copy_n(text.begin(), size, copy.begin());
  return copy;
}

/// The digits of a UUID from a byte of its text on.
template <std::size_t size>
std::array<char, size> digits_of(std::string_view uuid, std::size_t from) {
  std::array<char, size> digits;
  digits.fill('0');
  if (uuid.size() == uuid_size)
    std::copy_if(uuid.begin() + static_cast<std::ptrdiff_t>(from), uuid.end(), digits.begin(),
                 [](char c) { return c != '-'; });
  return digits;
}

}  // namespace

std::optional<TraceContext> parse_traceparent(std::string_view text) {
  if (text.size() < size_of_version_0) return std::nullopt;
  const std::string_view version = text.substr(0, 2), trace = text.substr(3, 32), parent = text.substr(36, 16),
                         flags = text.substr(53, 2);
  if (text[2] != '-' || text[35] != '-' || text[52] != '-') return std::nullopt;
  if (!is_hex(version) || !is_hex(trace) || !is_hex(parent) || !is_hex(flags) || version == "ff") return std::nullopt;
  if (is_zero(trace) || is_zero(parent)) return std::nullopt;
  const bool longer = text.size() > size_of_version_0;
  if (longer && (version == "00" || text[size_of_version_0] != '-')) return std::nullopt;
  TraceContext context;
  context.trace_id = copied<32>(trace);
  context.parent_id = copied<16>(parent);
  context.flags = static_cast<std::uint8_t>(value_of(flags[1]) & known_flags);
  return context;
}

std::string show_traceparent(const TraceContext& trace, const SpanId& span) {
  std::string text;
  text.reserve(size_of_version_0);
  text.append("00-").append(trace.trace_id.data(), trace.trace_id.size());
  text.append("-").append(span.data(), span.size()).append("-0");
  return text += static_cast<char>('0' + (trace.flags & known_flags));
}

bool is_passable_tracestate(std::string_view text) {
  return text.size() <= most_state &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c < 0x7F; });
}

TraceId trace_id_of(std::string_view uuid) { return digits_of<32>(uuid, 0); }
SpanId span_id_of(std::string_view uuid) { return digits_of<16>(uuid, uuid_half); }

}  // namespace tollgate::protocol
