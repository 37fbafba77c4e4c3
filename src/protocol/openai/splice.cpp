#include "tollgate/protocol/openai/request.hpp"

#include "protocol/json_text.hpp"

#include <algorithm>

namespace tollgate::protocol::openai {
namespace {

/// Replacements of values, and the members that come first in the body: those are one splice, since nothing says in
/// which order two at one place are.
struct Plan {
  std::vector<Splice> splices = {};
  std::string members = {};  ///< with a comma between them

  void add_member(std::string_view member) {
    if (!members.empty()) members.push_back(',');
    members += member;
  }
};

void plan_usage(const RequestScan& scan, Plan& plan) {
  if (scan.include_usage == true) return;
  if (!scan.stream_options_present) return plan.add_member(R"("stream_options":{"include_usage":true})");
  if (!scan.include_usage_value.empty()) {
    plan.splices.push_back({scan.include_usage_value, "true"});
  } else if (scan.stream_options_empty) {
    plan.splices.push_back({scan.stream_options_value, R"({"include_usage":true})"});
  } else {
    const std::size_t inside = scan.stream_options_value.begin + 1;
    plan.splices.push_back({{inside, inside}, R"("include_usage":true,)"});
  }
}

void plan_max_output(const RequestScan& scan, std::string_view name, std::uint64_t limit, Plan& plan) {
  if (scan.max_output) return;
  bool stands = false;
  for (std::size_t index = 0; index < output_limit_names.size(); ++index) {
    const NoLimit& none = scan.no_limits[index];
    if (none.value.empty() || (!none.negative && output_limit_names[index] != name)) continue;
    plan.splices.push_back({none.value, std::to_string(limit)});
    stands = true;
  }
  if (!stands) plan.add_member(quote(name) + ":" + std::to_string(limit));
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
  Plan plan;
  std::vector<Splice>& splices = plan.splices;
  if (wishes.model && !scan.model_value.empty() && *wishes.model != scan.model) {
    splices.push_back({scan.model_value, quote(*wishes.model)});
  }
  if (wishes.inject_usage) plan_usage(scan, plan);
  if (wishes.max_output) plan_max_output(scan, wishes.max_output->first, wishes.max_output->second, plan);
  if (wishes.remove_task_type && !scan.task_type_member.empty()) splices.push_back({scan.task_type_member, {}});
  if (!plan.members.empty()) {
    if (!scan.object_empty) plan.members.push_back(',');
    splices.push_back({{scan.object_open, scan.object_open}, std::move(plan.members)});
  }
  std::ranges::sort(splices, {}, [](const Splice& splice) { return splice.where.begin; });
  return std::move(plan.splices);
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
