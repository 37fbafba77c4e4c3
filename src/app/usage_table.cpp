// A usage report as text. Figures stay the texts that they came as: there is no arithmetic here that could lose a
// nano-dollar.
#include "usage_table.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <utility>

namespace tollgate::app {

namespace {

using Json = nlohmann::ordered_json;

/// Figures by their place in the JSON, with '.' between members, and their headings in the table; none: in CSV alone.
struct Column {
  std::string_view path, heading;
};
constexpr std::array columns{Column{"requests", "REQUESTS"},
                             Column{"attempts", "ATTEMPTS"},
                             Column{"tokens.input", "INPUT"},
                             Column{"tokens.cached_input", "CACHED"},
                             Column{"tokens.cache_write", ""},
                             Column{"tokens.cache_write_long", ""},
                             Column{"tokens.audio_input", ""},
                             Column{"tokens.image_input", ""},
                             Column{"tokens.output", "OUTPUT"},
                             Column{"tokens.reasoning", "REASONING"},
                             Column{"tokens.audio_output", ""},
                             Column{"tokens.image_output", ""},
                             Column{"searches", ""},
                             Column{"cost_usd", "COST USD"},
                             Column{"wasted_usd.total", "WASTED USD"},
                             Column{"wasted_usd.retry", ""},
                             Column{"wasted_usd.fallback", ""},
                             Column{"wasted_usd.hedge", ""},
                             Column{"wasted_usd.truncated", ""},
                             Column{"wasted_usd.abandoned", ""},
                             Column{"unpriced_attempts", "UNPRICED"},
                             Column{"estimated_attempts", ""},
                             Column{"estimated_usd", "ESTIMATED USD"},
                             Column{"recovered_attempts", ""},
                             Column{"recovered_usd", "RECOVERED USD"}};

std::string figure(const Json& sums, std::string_view path) {
  const std::size_t dot = path.find('.');
  const Json& one = dot == path.npos ? sums.at(std::string(path))
                                     : sums.at(std::string(path.substr(0, dot))).at(std::string(path.substr(dot + 1)));
  return one.is_string() ? one.get<std::string>() : std::to_string(one.get<std::int64_t>());
}

std::vector<std::string> figures(const Json& sums) {
  std::vector<std::string> all;
  for (const Column& column : columns) all.push_back(figure(sums, column.path));
  return all;
}

std::size_t width_of(std::string_view text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

std::string harmless(std::string text) {
  if (text.empty()) return "-";
  std::replace_if(
      text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; }, '?');
  return text;
}

std::string heading_of(std::string name) {
  std::transform(name.begin(), name.end(), name.begin(), [](char c) { return c >= 'a' && c <= 'z' ? c - 32 : c; });
  return name;
}

std::string quoted(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == text.npos) return text;
  std::string result = "\"";
  for (const char c : text) result.append(c == '"' ? 2 : 1, c);
  return result + "\"";
}

}  // namespace

Result<UsageTable> UsageTable::read(std::string_view text) {
  UsageTable table;
  try {
    const Json json = Json::parse(text);
    for (const Json& name : json.at("by")) table.groups_.push_back(name.get<std::string>());
    for (const Column& column : columns) table.figures_.emplace_back(column.path);
    for (const Json& row : json.at("data")) {
      Line line;
      for (const std::string& name : table.groups_) line.push_back(row.at("group").at(name).get<std::string>());
      for (std::string& one : figures(row)) line.push_back(std::move(one));
      table.lines_.push_back(std::move(line));
    }
    table.totals_ = figures(json.at("totals"));
    table.since_ = json.at("since").get<std::string>();
    table.until_ = json.at("until").get<std::string>();
    table.truncated_ = json.at("truncated").get<bool>();
    table.saturated_ = json.at("totals").at("saturated").get<bool>();
    table.from_rows_ = json.at("read").get<std::string>() == "rows";
  } catch (const nlohmann::json::exception&) {
    return Failure{FailureKind::no_upstream, Source::gateway,
                   "the answer is no usage report; whoever listens there is no gateway of this version"};
  }
  return table;
}

std::string UsageTable::text() const {
  const std::size_t groups = groups_.size();
  std::vector<Line> all;
  Line head;
  for (const std::string& name : groups_) head.push_back(heading_of(name));
  if (groups == 0) head.emplace_back("");
  for (const Column& column : columns)
    if (!column.heading.empty()) head.emplace_back(column.heading);
  all.push_back(head);
  const auto add = [&all, groups](Line line, const Line& figures, std::size_t from) {
    line.resize(std::max<std::size_t>(groups, 1));
    for (std::size_t i = 0; i < columns.size(); ++i)
      if (!columns[i].heading.empty()) line.push_back(figures[from + i]);
    all.push_back(std::move(line));
  };
  for (const Line& line : lines_) {
    if (groups == 0) break;  // the one row is the totals
    Line shown;
    for (std::size_t i = 0; i < groups; ++i) shown.push_back(harmless(line[i]));
    add(std::move(shown), line, groups);
  }
  add({"TOTAL"}, totals_, 0);

  std::vector<std::size_t> widths(head.size());
  for (const Line& line : all)
    for (std::size_t i = 0; i < line.size(); ++i) widths[i] = std::max(widths[i], width_of(line[i]));
  std::string result;
  for (const Line& line : all) {
    for (std::size_t i = 0; i < line.size(); ++i) {
      const bool is_name = i < std::max<std::size_t>(groups, 1);
      const std::string gap(widths[i] - width_of(line[i]), ' ');
      result.append(i > 0 ? "  " : "").append(is_name ? line[i] + gap : gap + line[i]);
    }
    result += '\n';
  }
  return result;
}

std::string UsageTable::csv() const {
  std::string result;
  for (const auto* names : {&groups_, &figures_})
    for (const std::string& name : *names) result.append(result.empty() ? "" : ",").append(name);
  result += "\r\n";
  for (const Line& line : lines_) {
    for (std::size_t i = 0; i < line.size(); ++i) result.append(i > 0 ? "," : "").append(quoted(line[i]));
    result += "\r\n";
  }
  return result;
}

std::string UsageTable::figure_of_totals(std::string_view name) const {
  const auto found = std::find_if(columns.begin(), columns.end(), [name](const Column& c) { return c.path == name; });
  return totals_[static_cast<std::size_t>(found - columns.begin())];
}

std::string UsageTable::notes() const {
  std::string text = "from " + since_ + " until " + until_ + "\n";
  if (truncated_) text += "there are more rows than these; the totals are of all\n";
  if (from_rows_) text += "read from the rows, since no sums are kept for these groups together\n";
  if (saturated_) text += "some sum is too large for 64 bits, and is at least what it says\n";
  const auto tell = [this, &text](std::string_view count, std::string_view usd, const char* what) {
    const std::string attempts = figure_of_totals(count);
    if (attempts == "0") return;
    text += attempts + " attempts " + what;
    text += usd.empty() ? "\n" : ": " + figure_of_totals(usd) + " of " + figure_of_totals("cost_usd") + " USD\n";
  };
  tell("estimated_attempts", "estimated_usd", "are estimated, since their provider did not say what it has counted");
  tell("recovered_attempts", "recovered_usd", "are recovered, since the gateway ended before they did");
  tell("unpriced_attempts", "", "have no price and are in no amount");
  return text;
}

}  // namespace tollgate::app
