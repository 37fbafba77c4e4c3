// One pass over a request body that reads the few members the gateway acts on and refuses what two readers could read
// differently, because policy, price and upstream must all see the same request.
#include "tollgate/protocol/openai/request.hpp"

#include "protocol/json_scan.hpp"
#include "protocol/json_text.hpp"

#include <algorithm>
#include <bit>
#include <span>

namespace tollgate::protocol::openai {
namespace {

using json::Kind;
using json::Reader;
using json::Value;

/// The top-level keys acted on, in the order of their names below.
enum class Key : std::uint8_t {
  model,
  stream,
  stream_options,
  metadata,
  store,
  max_tokens,
  max_completion_tokens,
  max_output_tokens,
  n,
  user,
  safety_identifier,
  service_tier,
  conversation,
  previous_response_id,
};
constexpr std::string_view key_names[] = {
    "model",
    "stream",
    "stream_options",
    "metadata",
    "store",
    "max_tokens",
    "max_completion_tokens",
    "max_output_tokens",
    "n",
    "user",
    "safety_identifier",
    "service_tier",
    "conversation",
    "previous_response_id",
};
static_assert(output_limit_names[0] == key_names[static_cast<std::size_t>(Key::max_tokens)] &&
              output_limit_names[2] == key_names[static_cast<std::size_t>(Key::max_output_tokens)]);
constexpr std::size_t longest_tier = 32;
constexpr std::string_view stream_option_names[] = {"include_usage"};

/// Names with an index by length: most keys of a body are as long as none of them.
class Names {
 public:
  constexpr explicit Names(std::span<const std::string_view> all) : all_(all) {
    for (std::size_t index = 0; index < all.size(); ++index) of_length_[all[index].size()] |= 1u << index;
  }

  std::optional<std::size_t> find(std::string_view key) const {
    if (key.size() >= of_length_.size()) return std::nullopt;
    for (std::uint32_t left = of_length_[key.size()]; left != 0; left &= left - 1) {
      const auto index = static_cast<std::size_t>(std::countr_zero(left));
      if (all_[index] == key) return index;
    }
    return std::nullopt;
  }
  std::span<const std::string_view> all() const { return all_; }

 private:
  std::span<const std::string_view> all_;
  std::array<std::uint32_t, 32> of_length_{};  ///< a bit for each name of that length
};
constexpr Names top_level(key_names);
constexpr Names stream_options(stream_option_names);

/// Which of the names a key is, and whether to the letter.
struct Match {
  std::size_t index;
  bool exact;
};

/// Lower case as Go's decoder folds member names: ASCII, and the Kelvin sign and the long s, which fold to k and s.
std::string fold_case(std::string_view key) {
  std::string folded;
  while (!key.empty()) {
    if (key.starts_with("\xE2\x84\xAA")) {
      folded.push_back('k');
      key.remove_prefix(3);
    } else if (key.starts_with("\xC5\xBF")) {
      folded.push_back('s');
      key.remove_prefix(2);
    } else {
      const char byte = key.front();
      folded.push_back(byte >= 'A' && byte <= 'Z' ? static_cast<char>(byte | 0x20) : byte);
      key.remove_prefix(1);
    }
  }
  return folded;
}

/// Lower-case letters and underscores only: text that no lax reader takes for another name.
bool is_plain(std::string_view key) {
  return std::ranges::all_of(key, [](char byte) { return (byte >= 'a' && byte <= 'z') || byte == '_'; });
}

std::optional<Match> match_folded_key(std::string_view key, std::span<const std::string_view> names) {
  constexpr std::size_t longest_folding = 3 * std::string_view("max_completion_tokens").size();
  const auto may_fold = [](char byte) { return (byte >= 'A' && byte <= 'Z') || (byte & 0x80) != 0; };
  if (key.size() > longest_folding || std::ranges::none_of(key, may_fold)) return std::nullopt;
  const auto folded = std::ranges::find(names, fold_case(key));
  if (folded == names.end()) return std::nullopt;
  return Match{static_cast<std::size_t>(folded - names.begin()), false};
}

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const std::size_t length = json::utf8_length(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

std::string at_byte(std::size_t offset) { return " at byte " + std::to_string(offset); }
std::string quoted(std::string_view name) { return "'" + std::string(name) + "'"; }

class RequestScanner {
 public:
  RequestScanner(std::string_view body, RequestScan& scan) : body_(body), reader_(body), scan_(scan) {}

  Result<void> run();

 private:
  bool read_member();
  bool read_acted_on(Key key);
  bool read_model();
  bool read_stream();
  bool read_stream_options();
  bool read_include_usage();
  void read_metadata();
  void read_task_type(std::size_t member_begin);
  void read_user_id();
  void read_end_user(Key key);
  void read_service_tier();
  bool read_max_output(Key key);
  bool read_choices();
  std::optional<Match> identify(const Names& names);
  bool first_sight(bool& seen, std::string_view name);

  bool refuse(std::string message, std::string_view param = {});
  bool refuse_structure();
  Span span_of(const Value& value) const {
    const std::size_t begin = reader_.offset_of(value.text);
    return {begin, begin + value.text.size()};
  }

  std::string_view body_;
  Reader reader_;
  RequestScan& scan_;
  bool seen_[std::size(key_names)] = {};
  bool seen_include_usage_ = false;
  bool seen_task_type_ = false;
  bool seen_user_id_ = false;
  std::optional<Failure> failure_;
};

bool RequestScanner::refuse(std::string message, std::string_view param) {
  if (!failure_) {
    failure_ = Failure{.kind = FailureKind::bad_request,
                       .source = Source::client,
                       .message = std::move(message),
                       .param = std::string(param)};
  }
  return false;
}

bool RequestScanner::refuse_structure() {
  return refuse("the request body is not valid JSON: " + std::string(json::describe(reader_.fault())) +
                at_byte(reader_.offset()));
}

Result<void> RequestScanner::run() {
  if (!reader_.enter_object()) {
    refuse(reader_.offset() == body_.size() ? "the request body is empty: send a JSON object"
                                            : "the request body must be a JSON object");
    return *failure_;
  }
  scan_.object_open = reader_.offset();
  scan_.object_empty = true;
  while (!failure_ && reader_.next_member()) {
    scan_.object_empty = false;
    read_member();
  }
  if (!failure_ && !reader_.finish()) refuse_structure();
  if (failure_) return *failure_;
  scan_.depth = reader_.deepest();
  return {};
}

/// The name that the member at hand has, if it is one of `names`. A key that only a lax reader would take for one of
/// them is refused, as is one that is not text.
std::optional<Match> RequestScanner::identify(const Names& names) {
  const std::string_view key = reader_.key();
  if (const auto index = names.find(key)) return Match{*index, true};
  if (is_plain(key)) return std::nullopt;
  if (!is_utf8(key)) {
    refuse("the request body has a key that is not valid UTF-8" + at_byte(reader_.key_offset()));
    return std::nullopt;
  }
  const auto match = match_folded_key(key, names.all());
  if (match) {
    const std::string_view name = names.all()[match->index];
    refuse("the key" + at_byte(reader_.key_offset()) + " of the request body must be spelled " + quoted(name), name);
    return std::nullopt;
  }
  return match;
}

bool RequestScanner::first_sight(bool& seen, std::string_view name) {
  if (seen)
    return refuse("duplicate key " + quoted(name) + " in the request body" + at_byte(reader_.key_offset()), name);
  seen = true;
  return true;
}

bool RequestScanner::read_member() {
  const auto match = identify(top_level);
  if (failure_) return false;
  if (!match) {
    reader_.take();
    return !reader_.failed();
  }
  if (!first_sight(seen_[match->index], key_names[match->index])) return false;
  return read_acted_on(static_cast<Key>(match->index));
}

bool RequestScanner::read_acted_on(Key key) {
  switch (key) {
    case Key::model: return read_model();
    case Key::stream: return read_stream();
    case Key::stream_options: return read_stream_options();
    case Key::metadata: read_metadata(); return true;
    case Key::store: scan_.store = reader_.take().is_true(); return true;
    case Key::max_tokens:
    case Key::max_completion_tokens:
    case Key::max_output_tokens: return read_max_output(key);
    case Key::n: return read_choices();
    case Key::user:
    case Key::safety_identifier: read_end_user(key); return true;
    case Key::service_tier: read_service_tier(); return true;
    case Key::conversation:
    case Key::previous_response_id: scan_.refers_elsewhere |= !reader_.take().is_null(); return true;
  }
  return true;
}

bool RequestScanner::read_model() {
  const Value value = reader_.take();
  if (reader_.failed()) return false;
  if (value.kind != Kind::string) return refuse("'model' must be a string", "model");
  auto name = json::decode(value.inside());
  if (!name) return refuse("'model' is not valid text" + at_byte(reader_.offset_of(value.text)), "model");
  scan_.model = std::move(*name);
  scan_.model_value = span_of(value);
  return true;
}

bool RequestScanner::read_stream() {
  const Value value = reader_.take();
  if (reader_.failed()) return false;
  if (value.kind != Kind::boolean && !value.is_null()) return refuse("'stream' must be true, false or null", "stream");
  scan_.stream = value.is_true();
  return true;
}

bool RequestScanner::read_stream_options() {
  const Kind kind = reader_.peek();
  const std::size_t begin = reader_.offset();
  scan_.stream_options_present = true;
  scan_.stream_options_empty = true;
  if (reader_.enter_object()) {
    while (!failure_ && reader_.next_member()) {
      scan_.stream_options_empty = false;
      if (identify(stream_options)) {
        read_include_usage();
      } else if (!failure_) {
        reader_.take();
      }
    }
  } else {
    reader_.take();
    if (!reader_.failed() && kind != Kind::null) {
      return refuse("'stream_options' must be an object or null", "stream_options");
    }
  }
  scan_.stream_options_value = {begin, reader_.offset()};
  return !failure_ && !reader_.failed();
}

bool RequestScanner::read_include_usage() {
  constexpr std::string_view param = "stream_options.include_usage";
  if (!first_sight(seen_include_usage_, param)) return false;
  const Value value = reader_.take();
  if (reader_.failed()) return false;
  if (value.kind != Kind::boolean && !value.is_null()) {
    return refuse("'stream_options.include_usage' must be true, false or null", param);
  }
  if (value.kind == Kind::boolean) scan_.include_usage = value.is_true();
  scan_.include_usage_value = span_of(value);
  return true;
}

void RequestScanner::read_metadata() {
  if (!reader_.enter_object()) {
    reader_.take();
    return;
  }
  // The first member has no comma before it, so the one after it goes with it, and that is seen one member later.
  bool comma_follows = false;
  while (!failure_ && reader_.next_member()) {
    if (comma_follows) scan_.task_type_member.end = *reader_.comma_offset() + 1;
    comma_follows = false;
    if (reader_.key() != "task_type") {
      reader_.key() == "user_id" ? read_user_id() : void(reader_.take());
      continue;
    }
    if (!first_sight(seen_task_type_, "metadata.task_type")) return;
    const auto comma = reader_.comma_offset();
    read_task_type(comma.value_or(reader_.key_offset()));
    comma_follows = !comma && !scan_.task_type_member.empty();
  }
}

void RequestScanner::read_task_type(std::size_t member_begin) {
  const Value value = reader_.take();
  if (value.kind != Kind::string) return;
  scan_.task_type = json::decode_lossy(value.inside());
  scan_.task_type_member = {member_begin, span_of(value).end};
}

void RequestScanner::read_user_id() {
  if (!first_sight(seen_user_id_, "metadata.user_id")) return;
  const Value value = reader_.take();
  if (value.kind == Kind::string) scan_.user_id = json::decode_lossy(value.inside());
}

bool RequestScanner::read_max_output(Key key) {
  const std::string_view name = key_names[static_cast<std::size_t>(key)];
  const Value value = reader_.take();
  if (reader_.failed()) return false;
  std::optional<std::int64_t> limit;
  if (value.kind == Kind::number) limit = json::whole_number(value.text);
  if (!limit && !value.is_null()) return refuse(quoted(name) + " must be a whole number", name);
  if (limit && *limit >= 0) {
    scan_.max_output = std::max(scan_.max_output.value_or(0), static_cast<std::uint64_t>(*limit));
  } else {
    const auto place = static_cast<std::size_t>(key) - static_cast<std::size_t>(Key::max_tokens);
    scan_.no_limits[place] = {.value = span_of(value), .negative = limit.has_value()};
  }
  return true;
}

void RequestScanner::read_service_tier() {
  const Value value = reader_.take();
  if (value.kind == Kind::string && value.inside().size() <= longest_tier)
    scan_.service_tier = json::decode_lossy(value.inside());
}

void RequestScanner::read_end_user(Key key) {
  const Value value = reader_.take();
  // `user` is what safety_identifier was called before.
  if (value.kind == Kind::string && (key == Key::safety_identifier || scan_.end_user.empty()))
    scan_.end_user = json::decode_lossy(value.inside());
}

bool RequestScanner::read_choices() {
  const Value value = reader_.take();
  if (reader_.failed() || value.is_null()) return !reader_.failed();
  const auto choices = value.kind == Kind::number ? json::whole_number(value.text) : std::nullopt;
  if (!choices || *choices < 0) return refuse("'n' must be a whole number", "n");
  scan_.choices = static_cast<std::uint64_t>(*choices);
  return true;
}

}  // namespace

Result<void> scan_request(std::string_view body, RequestScan& scan) { return RequestScanner(body, scan).run(); }

Result<RequestScan> scan_request(std::string_view body) {
  RequestScan scan;
  if (auto scanned = scan_request(body, scan); !scanned) return scanned.error();
  return scan;
}

}  // namespace tollgate::protocol::openai
