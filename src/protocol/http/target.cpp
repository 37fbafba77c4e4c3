// Targets for routing. A path that a peer could decode or shorten to another path than the one we route by is refused,
// so that no spelling of an address gets past a rule for that address.
#include "tollgate/protocol/http/target.hpp"

#include "protocol/http/characters.hpp"

#include <algorithm>
#include <iterator>

namespace tollgate::protocol::http {
namespace {

unsigned hex_digit(char c) {
  return is_digit(c) ? static_cast<unsigned>(c - '0') : static_cast<unsigned>(lower_case(c) - 'a') + 10;
}

std::string_view find_forbidden_byte(std::string_view target) {
  for (const char c : target) {
    if (c == '#') return "a fragment";
    if (c == '\\') return "a backslash";
    if (!is(c, target_characters)) return "a control, space or non-ASCII byte";
  }
  return {};
}

/// Escapes must be whole; in the path they must not stand for a byte that changes where a path leads.
std::string_view find_bad_escape(std::string_view text, bool in_path) {
  for (std::size_t at = text.find('%'); at != std::string_view::npos; at = text.find('%', at + 3)) {
    if (at + 2 >= text.size() || !is(text[at + 1], hex_characters) || !is(text[at + 2], hex_characters)) {
      return "a broken percent escape";
    }
    const char meant = static_cast<char>(hex_digit(text[at + 1]) << 4 | hex_digit(text[at + 2]));
    if (!in_path) continue;
    if (meant == '/' || meant == '\\') return "an escaped slash or backslash";
    if (meant == '.') return "an escaped dot";
    if (is_control(meant)) return "an escaped control byte";
  }
  return {};
}

bool has_dot_segment(std::string_view path) {
  for (std::size_t start = 0; start < path.size();) {
    const std::size_t slash = std::min(path.find('/', start), path.size());
    const std::string_view segment = path.substr(start, slash - start);
    if (segment == "." || segment == "..") return true;
    start = slash + 1;
  }
  return false;
}

std::string_view find_fault(std::string_view target, std::string_view path, std::string_view query) {
  if (!target.starts_with('/')) return "no leading slash (only the origin form is served)";
  for (const std::string_view fault :
       {find_forbidden_byte(target), find_bad_escape(path, true), find_bad_escape(query, false)}) {
    if (!fault.empty()) return fault;
  }
  if (path.find(';') != std::string_view::npos) return "a semicolon in the path";
  if (has_dot_segment(path)) return "a dot segment";
  return {};
}

std::string fold_slashes(std::string_view path) {
  std::string folded;
  folded.reserve(path.size());
  std::unique_copy(path.begin(), path.end(), std::back_inserter(folded),
                   [](char a, char b) { return a == '/' && b == '/'; });
  return folded;
}

}  // namespace

Result<Target> parse_target(std::string_view target) {
  const std::size_t question = target.find('?');
  const std::string_view path = target.substr(0, question);
  const std::string_view query = question == std::string_view::npos ? std::string_view{} : target.substr(question + 1);
  if (const std::string_view fault = find_fault(target, path, query); !fault.empty()) {
    std::string message = "The request target has ";
    message.append(fault).append(".");
    return Failure{.kind = FailureKind::bad_request, .source = Source::client, .message = std::move(message)};
  }
  return Target{.path = fold_slashes(path), .query = query};
}

}  // namespace tollgate::protocol::http
