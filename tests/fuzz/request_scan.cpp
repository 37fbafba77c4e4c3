// A body that is accepted has its values where the scan says, and spliced it says what was wished for and is accepted
// again.
#include "tollgate/protocol/openai/request.hpp"

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
  for (const Span span :
       {scan.model_value, scan.stream_options_value, scan.include_usage_value, scan.task_type_member}) {
    require(span.begin <= span.end && span.end <= body.size());
  }
  if (!scan.model_value.empty()) require(body[scan.model_value.begin] == '"' && body[scan.model_value.end - 1] == '"');
  require(scan.object_open > 0 && body[scan.object_open - 1] == '{');
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
  return text;
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
  require(splice(body, *scan, {}) == body);

  const SpliceWishes wishes{.model = "a \"new\" name", .inject_usage = true, .remove_task_type = true};
  const std::string spliced = splice(body, *scan, wishes);
  const auto again = scan_request(spliced);
  require(again.has_value());
  require(again->include_usage == true && again->task_type_member.empty());
  require(scan->model_value.empty() ? again->model_value.empty() : again->model == *wishes.model);
  require(again->stream == scan->stream && again->store == scan->store && again->choices == scan->choices);
  require(again->max_output == scan->max_output && again->has_end_user == scan->has_end_user);
  require(splice(spliced, *again, wishes) == spliced);
  return 0;
}
