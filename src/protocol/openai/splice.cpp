#include "tollgate/protocol/openai/request.hpp"

#include "protocol/json_text.hpp"

#include <algorithm>

namespace tollgate::protocol::openai {
namespace {

std::optional<Splice> plan_usage(const RequestScan& scan) {
  if (scan.include_usage == true) return std::nullopt;
  if (!scan.stream_options_present) {
    const std::string_view comma = scan.object_empty ? "" : ",";
    return Splice{{scan.object_open, scan.object_open},
                  R"("stream_options":{"include_usage":true})" + std::string(comma)};
  }
  if (!scan.include_usage_value.empty()) return Splice{scan.include_usage_value, "true"};
  if (scan.stream_options_empty) return Splice{scan.stream_options_value, R"({"include_usage":true})"};
  const std::size_t inside = scan.stream_options_value.begin + 1;
  return Splice{{inside, inside}, R"("include_usage":true,)"};
}

void append_escaped(std::string& out, char byte) {
  constexpr std::string_view digits = "0123456789abcdef";
  switch (byte) {
    case '"': out += "\\\""; break;
    case '\\': out += "\\\\"; break;
    case '\n': out += "\\n"; break;
    case '\r': out += "\\r"; break;
    case '\t': out += "\\t"; break;
    default:
      out += "\\u00";
      out.push_back(digits[static_cast<unsigned char>(byte) >> 4]);
      out.push_back(digits[byte & 0x0F]);
  }
}

}  // namespace

std::vector<Splice> plan_splices(const RequestScan& scan, const SpliceWishes& wishes) {
  std::vector<Splice> splices;
  if (wishes.model && !scan.model_value.empty() && *wishes.model != scan.model) {
    splices.push_back({scan.model_value, quote(*wishes.model)});
  }
  if (wishes.inject_usage) {
    if (auto usage = plan_usage(scan)) splices.push_back(std::move(*usage));
  }
  if (wishes.remove_task_type && !scan.task_type_member.empty()) splices.push_back({scan.task_type_member, {}});
  std::ranges::sort(splices, {}, [](const Splice& splice) { return splice.where.begin; });
  return splices;
}

std::vector<std::string_view> apply_splices(std::string_view body, const std::vector<Splice>& splices) {
  std::vector<std::string_view> pieces;
  pieces.reserve(2 * splices.size() + 1);
  const auto add = [&](std::string_view piece) {
    if (!piece.empty()) pieces.push_back(piece);
  };
  std::size_t kept = 0;
  for (const Splice& splice : splices) {
    add(body.substr(kept, splice.where.begin - kept));
    add(splice.text);
    kept = splice.where.end;
  }
  add(body.substr(kept));
  return pieces;
}

std::string quote(std::string_view text) {
  std::string out = "\"";
  out.reserve(text.size() + 2);
  while (!text.empty()) {
    const std::size_t length = json::utf8_length(text);
    const char first = text.front();
    if (length == 0) {
      out += "\xEF\xBF\xBD";
    } else if (first == '"' || first == '\\' || static_cast<unsigned char>(first) < 0x20) {
      append_escaped(out, first);
    } else {
      out.append(text.substr(0, length));
    }
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
  out.push_back('"');
  return out;
}

}  // namespace tollgate::protocol::openai
