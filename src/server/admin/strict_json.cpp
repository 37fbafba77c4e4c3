// The readers of members. nlohmann's parser does the reading; what it would forgive (a member named twice, any depth)
// is looked for while it reads.
#include "strict_json.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <set>
#include <utility>

namespace tollgate::server::admin {

namespace {

constexpr int deepest = 16;
constexpr std::size_t longest_told = 64;  // bytes of a name that came from outside, in a message

struct Unit {
  std::string_view name;
  std::int64_t millis;
};
// Largest first: printing takes the first that divides the value.
constexpr std::array<Unit, 5> units{{{"d", 86'400'000}, {"h", 3'600'000}, {"m", 60'000}, {"s", 1'000}, {"ms", 1}}};
constexpr std::int64_t longest_number = 1'000'000'000'000;  // times a day's milliseconds it still fits

/// What the parser tells while it reads.
class Watch {
 public:
  bool see(int depth, Json::parse_event_t event, const Json& parsed) {
    too_deep = too_deep || depth >= deepest;
    const auto level = static_cast<std::size_t>(depth);
    if (event == Json::parse_event_t::object_start) {
      if (names_.size() <= level) names_.resize(level + 1);
      names_[level].clear();
    } else if (event == Json::parse_event_t::key) {
      const auto& name = parsed.get_ref<const std::string&>();
      if (!names_[level - 1].insert(name).second && twice.empty()) twice = name.substr(0, longest_told);
    }
    return true;
  }
  bool too_deep = false;
  std::string twice;

 private:
  std::vector<std::set<std::string>> names_;  ///< of the objects that are open, by depth
};

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
  return text;
}

}  // namespace

Result<Json> parse_json(std::string_view text) {
  Watch watch;
  Json json;
  try {
    json = Json::parse(text, [&watch](int depth, Json::parse_event_t event, const Json& parsed) {
      return watch.see(depth, event, parsed);
    });
  } catch (const Json::exception&) {
    // The library's own words quote the input.
    return bad_member({}, "the body is not valid JSON");
  }
  if (watch.too_deep) return bad_member({}, "the body nests deeper than 16 levels");
  if (!watch.twice.empty()) return bad_member(watch.twice, "this member is there twice; name each member once");
  // A Json could be read as either side of a Result.
  return {boost::system::in_place_value, std::move(json)};
}

std::string to_text(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

Failure bad_member(std::string path, std::string message) {
  Failure failure{FailureKind::bad_request, Source::client, std::move(message)};
  if (!path.empty()) failure.message = path + ": " + failure.message;
  failure.param = std::move(path);
  return failure;
}

Members::Members(const Json& value, std::string path, Fault& fault)
    : value_(value), path_(std::move(path)), fault_(fault) {
  if (!value_.is_object()) fault_.add(path_, "expected a JSON object");
}

const Json* Members::find(std::string_view name) {
  known_.emplace_back(name);
  if (!value_.is_object()) return nullptr;
  const auto found = value_.find(std::string(name));
  return found == value_.end() ? nullptr : &*found;
}

std::string Members::path_of(std::string_view name) const {
  return path_.empty() ? std::string(name) : path_ + "." + std::string(name);
}

void Members::refuse_others() {
  if (!value_.is_object()) return;
  for (const auto& [name, value] : value_.items()) {
    if (std::find(known_.begin(), known_.end(), name) == known_.end())
      return fault(name.substr(0, longest_told), "unknown member; there are " + joined(known_));
  }
}

void read_text(Members& members, std::string_view name, std::string& into) {
  const Json* value = members.find(name);
  if (!value) return;
  if (!value->is_string()) return members.fault(name, "expected a text");
  into = value->get<std::string>();
}

void read_texts(Members& members, std::string_view name, std::vector<std::string>& into, Check check) {
  const Json* value = members.find(name);
  if (!value) return;
  if (!value->is_array()) return members.fault(name, "expected a list of texts");
  into.clear();
  for (std::size_t i = 0; i < value->size(); ++i) {
    const Json& item = (*value)[i];
    const std::string place = std::string(name) + "[" + std::to_string(i) + "]";
    if (!item.is_string()) return members.fault(place, "expected a text");
    auto text = item.get<std::string>();
    if (auto problem = check(text)) return members.fault(place, *problem);
    into.push_back(std::move(text));
  }
}

void read_flag(Members& members, std::string_view name, bool& into) {
  const Json* value = members.find(name);
  if (!value) return;
  if (!value->is_boolean()) return members.fault(name, "expected true or false");
  into = value->get<bool>();
}

void read_count(Members& members, std::string_view name, std::optional<std::uint64_t>& into, std::uint64_t most) {
  const Json* value = members.find(name);
  if (!value || value->is_null()) return;
  const bool good = value->is_number_unsigned() && *value >= 1 && *value <= most;
  if (!good) return members.fault(name, "expected a whole number from 1 to " + std::to_string(most));
  into = value->get<std::uint64_t>();
}

void read_time(Members& members, std::string_view name, std::optional<Millis>& into, Times bounds) {
  const Json* value = members.find(name);
  if (!value || value->is_null()) return;
  const auto time = value->is_string() ? parse_time(value->get_ref<const std::string&>()) : std::nullopt;
  if (!time || *time < bounds.least || *time > bounds.most)
    return members.fault(
        name, "expected a duration such as \"60s\", from " + show_time(bounds.least) + " to " + show_time(bounds.most));
  into = *time;
}

void read_time(Members& members, std::string_view name, Millis& into, Times bounds) {
  std::optional<Millis> time = into;
  read_time(members, name, time, bounds);
  into = *time;
}

std::optional<std::size_t> read_choice(Members& members, std::string_view name, const std::vector<std::string>& words) {
  const Json* value = members.find(name);
  if (!value) return std::nullopt;
  const auto found =
      value->is_string() ? std::find(words.begin(), words.end(), value->get_ref<const std::string&>()) : words.end();
  if (found != words.end()) return static_cast<std::size_t>(found - words.begin());
  members.fault(name, "expected one of " + joined(words));
  return std::nullopt;
}

std::string show_time(Millis time) {
  if (time.count() == 0) return "0s";
  const auto fits = [time](const Unit& unit) { return time.count() % unit.millis == 0; };
  const Unit& unit = *std::find_if(units.begin(), units.end(), fits);
  return std::to_string(time.count() / unit.millis) + std::string(unit.name);
}

std::optional<Millis> parse_time(std::string_view text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || number < 0 || number > longest_number || text.starts_with('-')) return std::nullopt;
  const std::string_view name(end, text.data() + text.size());
  for (const Unit& unit : units)
    if (unit.name == name && number <= std::chrono::milliseconds::max().count() / unit.millis)
      return Millis(number * unit.millis);
  return std::nullopt;
}

}  // namespace tollgate::server::admin
