// A body that is accepted has its values where the scan says, which are those that another JSON reader finds; spliced
// it keeps every other byte, says what was wished for, and is accepted again.
#include "tollgate/protocol/openai/request.hpp"

#include <nlohmann/json.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace {

using namespace tollgate::protocol::openai;

void require(bool condition) {
  if (!condition) __builtin_trap();
}

void check_spans(const RequestScan& scan, std::string_view body) {
  for (const Span span : {scan.model_value, scan.stream_options_value, scan.include_usage_value, scan.task_type_member,
                          scan.no_limits[0].value, scan.no_limits[1].value, scan.no_limits[2].value}) {
    require(span.begin <= span.end && span.end <= body.size());
  }
  if (!scan.model_value.empty()) require(body[scan.model_value.begin] == '"' && body[scan.model_value.end - 1] == '"');
  require(scan.object_open > 0 && body[scan.object_open - 1] == '{');
}

/// Outside the splices both are the same bytes.
void check_kept(std::string_view before, std::string_view after, const std::vector<Splice>& splices) {
  std::size_t at = 0;
  for (const Splice& splice : splices) {
    const std::string_view kept = before.substr(at, splice.where.begin - at);
    require(after.starts_with(kept) && after.substr(kept.size()).starts_with(splice.text));
    after.remove_prefix(kept.size() + splice.text.size());
    at = splice.where.end;
  }
  require(after == before.substr(at));
}

std::string splice(std::string_view body, const RequestScan& scan, const SpliceWishes& wishes) {
  const auto splices = plan_splices(scan, wishes);
  std::size_t kept = 0;
  for (const Splice& splice : splices) {
    require(splice.where.begin >= kept && splice.where.end >= splice.where.begin && splice.where.end <= body.size());
    kept = splice.where.end;
  }
  std::string text;
  for (const std::string_view piece : apply_splices(body, splices)) text += piece;
  check_kept(body, text, splices);
  return text;
}

/// Both readers see the same request. Another may still refuse it: values that nobody acts on are only stepped over.
void check_agreement(const RequestScan& scan, std::string_view body) {
  const auto document = nlohmann::json::parse(body, nullptr, false);
  if (document.is_discarded()) return;
  require(document.is_object() && document.value("model", nlohmann::json("")) == scan.model);
  require(scan.stream == (document.value("stream", nlohmann::json()) == true));
  const auto choices = document.value("n", nlohmann::json());
  require(choices.is_null() ? scan.choices == 1 : choices.get<double>() == static_cast<double>(scan.choices));
  std::optional<double> most;
  for (const char* key : {"max_tokens", "max_completion_tokens", "max_output_tokens"}) {
    const auto limit = document.value(key, nlohmann::json());
    if (limit.is_number() && limit.get<double>() >= 0) most = std::max(most.value_or(0), limit.get<double>());
  }
  require(scan.max_output.has_value() == most.has_value());
  require(!most || static_cast<double>(*scan.max_output) == *most);
  const auto names = [&](const char* key) { return !document.value(key, nlohmann::json()).is_null(); };
  require(scan.refers_elsewhere == (names("previous_response_id") || names("conversation")));
  const auto tier = document.value("service_tier", nlohmann::json());
  require(scan.service_tier.empty() || (tier.is_string() && tier.get<std::string>() == scan.service_tier));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const std::string_view body(reinterpret_cast<const char*>(bytes), size);
  const auto scan = scan_request(body);
  if (!scan) {
    require(!scan.error().message.empty() && scan.error().message.size() < 200);
    return 0;
  }
  check_spans(*scan, body);
  check_agreement(*scan, body);
  require(splice(body, *scan, {}) == body);

  const SpliceWishes wishes{.model = "a \"new\"\\\n\r\t\x01 näme",
                            .inject_usage = true,
                            .remove_task_type = true,
                            .max_output = std::pair<std::string_view, std::uint64_t>(output_limit_names[size % 3], 77)};
  const std::string spliced = splice(body, *scan, wishes);
  const auto again = scan_request(spliced);
  require(again.has_value());
  check_agreement(*again, spliced);
  require(again->include_usage == true && again->task_type_member.empty());
  require(scan->model_value.empty() ? again->model_value.empty() : again->model == *wishes.model);
  require(again->stream == scan->stream && again->store == scan->store && again->choices == scan->choices);
  require(again->max_output == scan->max_output.value_or(77) && again->end_user == scan->end_user);
  require(again->service_tier == scan->service_tier && again->refers_elsewhere == scan->refers_elsewhere);
  require(splice(spliced, *again, wishes) == spliced);
  return 0;
}
