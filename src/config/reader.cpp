#include "config/reader.hpp"
// The strict walk over a file's tree by the tables. It knows which keys a table asked for, so whatever else the file
// holds is an unknown key.

#include "config/words.hpp"

#include <map>
#include <set>

namespace tollgate::config {

namespace {

std::string found(const Node& node) {
  switch (node.kind) {
    case Node::Kind::nothing: return "nothing";
    case Node::Kind::text: return "text";
    case Node::Kind::list: return "a list";
    case Node::Kind::mapping: return "a mapping";
  }
  return {};
}

bool refuse_unless(Node::Kind kind, const Node& node, const Spot& spot, Report& report) {
  if (node.kind == kind) return false;
  if (kind == Node::Kind::text) report.fault(spot, {"expected a single value, found " + found(node)});
  if (kind == Node::Kind::list) report.fault(spot, {"expected a list, found " + found(node), "write it like [a, b]"});
  if (kind == Node::Kind::mapping) {
    report.fault(spot, {"expected a mapping of keys, found " + found(node),
                        node.kind == Node::Kind::nothing ? "indent its keys below it, or remove it" : ""});
  }
  return true;
}

/// The place of an entry's value; a value that is nothing has no place of its own.
Spot value_spot(const Node::Entry& entry, const Spot& parent) {
  const Spot spot = parent.inside(printable(entry.key));
  if (entry.value->kind == Node::Kind::nothing) return {spot.file, entry.line, entry.column, spot.key};
  return {spot.file, entry.value->line, entry.value->column, spot.key};
}

void read_scalar(const Scalar& scalar, const Node& node, const Spot& spot, Reading& reading) {
  if (refuse_unless(Node::Kind::text, node, spot, reading.report)) return;
  Expansion expansion = expand(node.text, reading.folder, reading.world);
  for (Problem& problem : expansion.problems) reading.report.fault(spot, std::move(problem));
  for (const std::string& name : expansion.unset)
    reading.report.note(spot, printable(name) + " is not set; checked without it");
  if (!expansion.problems.empty()) return;
  const bool unset = !expansion.unset.empty();
  auto problem = has_control(expansion.text)
                     ? std::optional(Problem{"the value holds a line break or another control character"})
                     : scalar.read(expansion.text, {spot, reading.folder, reading.world, unset});
  if (!problem || unset) return;
  if (problem->missing && reading.world.allow_unset()) {
    reading.report.note(spot, problem->message);
    return;
  }
  if (expansion.referred) problem->suggestion.clear();  // it might repeat what the reference brought in
  if (!scalar.secret && !node.text.empty())
    problem->message += (problem->missing ? ": '" : ", found '") + printable(node.text) + "'";
  reading.report.fault(spot, std::move(*problem));
}

void read_list(const List& list, const Node& node, const Spot& spot, Reading& reading) {
  if (refuse_unless(Node::Kind::list, node, spot, reading.report)) return;
  list.clear();
  for (std::size_t i = 0; i < node.items.size(); ++i) {
    const Node& item = *node.items[i];
    Spot at = spot.item(i);
    at.line = item.line;
    at.column = item.column;
    read_value(list.add(), item, at, reading);
  }
  if (node.items.size() < list.at_least) reading.report.fault(spot, {"the list must not be empty"});
}

void read_dictionary(const Dictionary& dictionary, const Node& node, const Spot& spot, Reading& reading) {
  if (dictionary.word && node.kind == Node::Kind::text) return read_scalar(*dictionary.word, node, spot, reading);
  if (refuse_unless(Node::Kind::mapping, node, spot, reading.report)) return;
  for (const Node::Entry& entry : node.entries) {
    Spot at_key = spot.inside(printable(entry.key));
    at_key.line = entry.line;
    at_key.column = entry.column;
    const auto value = dictionary.add(entry.key, at_key);
    if (!value)
      reading.report.fault(at_key, value.error());
    else
      read_value(*value, *entry.value, value_spot(entry, spot), reading);
  }
}

class BlockReader final : public Keys {
 public:
  BlockReader(const Node& node, const Spot& spot, Reading& reading) : node_(node), spot_(spot), reading_(reading) {
    for (const Node::Entry& entry : node.entries) entries_[entry.key] = &entry;
  }

  void key(std::string_view name, std::string_view, const Value& value, Need need) override {
    known_.emplace_back(name);
    const Node::Entry* entry = take(name);
    if (entry)
      read_value(value, *entry->value, value_spot(*entry, spot_), reading_);
    else if (need == Need::required)
      reading_.report.fault(spot_.inside(std::string(name)), {"this key is missing"});
  }
  void refuse(std::initializer_list<std::string_view> names, std::string_view why) override {
    for (std::string_view name : names) {
      if (const Node::Entry* entry = take(name)) reading_.report.fault(key_spot(*entry), {std::string(why)});
    }
  }
  void ignore(std::string_view prefix) override {
    for (const Node::Entry& entry : node_.entries) {
      if (entry.key.starts_with(prefix)) taken_.insert(entry.key);
    }
  }
  bool given(std::string_view name) const override { return entries_.contains(name); }
  Spot where(std::string_view name) const override { return spot_of(name); }
  void fault(std::string_view name, Problem problem) override {
    reading_.report.fault(spot_of(name), std::move(problem));
  }
  void note(std::string_view name, const std::string& message) override {
    reading_.report.note(spot_of(name), message);
  }

  void refuse_the_rest() {
    for (const Node::Entry& entry : node_.entries) {
      if (taken_.contains(entry.key)) continue;
      reading_.report.fault(key_spot(entry), {"unknown key", did_you_mean(entry.key, known_)});
    }
  }

 private:
  const Node::Entry* take(std::string_view name) {
    const auto entry = entries_.find(name);
    if (entry == entries_.end()) return nullptr;
    taken_.emplace(name);
    return entry->second;
  }
  Spot key_spot(const Node::Entry& entry) const {
    return {spot_.file, entry.line, entry.column, spot_.inside(printable(entry.key)).key};
  }
  Spot spot_of(std::string_view name) const {
    const auto entry = entries_.find(name);
    return entry == entries_.end() ? spot_.inside(std::string(name)) : value_spot(*entry->second, spot_);
  }

  const Node& node_;
  const Spot& spot_;
  Reading& reading_;
  std::map<std::string, const Node::Entry*, std::less<>> entries_;
  std::vector<std::string> known_;            // by the table, for suggestions
  std::set<std::string, std::less<>> taken_;  // of the file's keys, by the table
};

void read_block(const Block& block, const Node& node, const Spot& spot, Reading& reading) {
  if (refuse_unless(Node::Kind::mapping, node, spot, reading.report)) return;
  BlockReader keys(node, spot, reading);
  block.describe(keys);
  keys.refuse_the_rest();
}

}  // namespace

void read_value(const Value& value, const Node& node, const Spot& spot, Reading& reading) {
  const auto* scalar = std::get_if<Scalar>(&value);
  const auto* block = std::get_if<Block>(&value);
  const auto* list = std::get_if<List>(&value);
  const auto* dictionary = std::get_if<Dictionary>(&value);
  if (scalar) read_scalar(*scalar, node, spot, reading);
  if (block) read_block(*block, node, spot, reading);
  if (list) read_list(*list, node, spot, reading);
  if (dictionary) read_dictionary(*dictionary, node, spot, reading);
}

}  // namespace tollgate::config
