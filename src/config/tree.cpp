#include "config/tree.hpp"
// YAML text to a tree of our own, from yaml-cpp's events. Its ready-made nodes would hide duplicate keys, leave merge
// keys alone, and expand without bound what an alias repeats.

#include "config/words.hpp"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <map>
#include <set>
#include <sstream>

namespace tollgate::config {

namespace {

constexpr std::size_t most_bytes = 4 * 1024 * 1024;
constexpr std::size_t most_values = 100'000;
constexpr std::size_t most_levels = 64;

/// Ends the parse: nothing after this place can be trusted.
struct Stop {
  int line, column;
  Problem problem;
};

class Builder final : public YAML::EventHandler {
 public:
  Builder(Tree& tree, const std::string& file, Report& report) : tree_(tree), file_(file), report_(report) {}

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    Node& node = make(mark, Node::Kind::nothing);
    remember(anchor, &node);
    place(&node, false);
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    refuse_tag(mark, tag);
    Node& node = make(mark, Node::Kind::text);
    node.text = value;
    remember(anchor, &node);
    place(&node, tag == "!");
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto found = anchors_.find(anchor);
    if (found == anchors_.end())
      throw Stop{mark.line + 1, mark.column + 1, {"an alias must not stand inside its own anchor"}};
    place(found->second, true);
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open(mark, tag, anchor, Node::Kind::list);
  }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open(mark, tag, anchor, Node::Kind::mapping);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapEnd() override {
    merge();
    close();
  }

 private:
  struct Frame {
    Node* node;
    YAML::anchor_t anchor;
    std::set<std::string> keys{};       // all seen, "<<" too
    std::vector<const Node*> merged{};  // values of "<<", in order
    std::optional<Node::Entry> key{};   // read, and waiting for its value
    bool merging = false;               // that key is "<<"
    bool duplicate = false;             // that key was there before
  };

  Node& make(const YAML::Mark& mark, Node::Kind kind) {
    if (tree_.nodes.size() == most_values) throw too_many(mark.line + 1, mark.column + 1);
    Node& node = tree_.nodes.emplace_back();
    node.kind = kind;
    node.line = mark.line + 1;
    node.column = mark.column + 1;
    return node;
  }
  static Stop too_many(int line, int column) {
    return {line, column, {"more than " + std::to_string(most_values) + " values, aliases counted each time"}};
  }
  static void refuse_tag(const YAML::Mark& mark, const std::string& tag) {
    // yaml-cpp hands "?" for a plain scalar or an untagged collection and "!" for a quoted scalar.
    if (!tag.empty() && tag != "?" && tag != "!")
      throw Stop{mark.line + 1, mark.column + 1, {"YAML tags are not supported"}};
  }
  void remember(YAML::anchor_t anchor, const Node* node) {
    if (anchor != YAML::NullAnchor) anchors_[anchor] = node;
  }

  void open(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor, Node::Kind kind) {
    refuse_tag(mark, tag);
    if (frames_.size() == most_levels)
      throw Stop{mark.line + 1, mark.column + 1, {"nested deeper than " + std::to_string(most_levels) + " levels"}};
    Node& node = make(mark, kind);
    if (expects_key()) throw key_must_be_text(node);
    frames_.push_back({&node, anchor});
  }
  void close() {
    const Frame frame = std::move(frames_.back());
    frames_.pop_back();
    remember(frame.anchor, frame.node);
    place(frame.node, false);
  }

  bool expects_key() const {
    return !frames_.empty() && frames_.back().node->kind == Node::Kind::mapping && !frames_.back().key;
  }
  static Stop key_must_be_text(const Node& node) { return {node.line, node.column, {"a key must be text"}}; }

  /// Puts a finished value where the open list or mapping expects one.
  void place(const Node* node, bool quoted) {
    if (frames_.empty()) {
      tree_.root = node;
      return;
    }
    Frame& frame = frames_.back();
    if (expects_key()) {
      take_key(frame, *node, quoted);
      return;
    }
    grow(*frame.node, *node);
    if (frame.node->kind == Node::Kind::list) {
      frame.node->items.push_back(node);
      return;
    }
    frame.key->value = node;
    if (frame.merging)
      take_merge(frame, *node);
    else if (!frame.duplicate)
      frame.node->entries.push_back(*frame.key);
    frame.key.reset();
  }

  void take_key(Frame& frame, const Node& node, bool quoted) {
    if (node.kind != Node::Kind::text) throw key_must_be_text(node);
    frame.key = Node::Entry{node.text, node.line, node.column, nullptr};
    frame.merging = node.text == "<<" && !quoted;
    frame.duplicate = !frame.keys.insert(node.text).second;
    if (frame.duplicate) report_.fault({file_, node.line, node.column, path()}, {"duplicate key"});
  }

  void take_merge(Frame& frame, const Node& value) {
    const Problem problem{"a merge key takes a mapping or a list of mappings", "write it like <<: *anchor"};
    const std::vector<const Node*> sources = value.kind == Node::Kind::list ? value.items : std::vector{&value};
    for (const Node* source : sources) {
      if (source->kind == Node::Kind::mapping)
        frame.merged.push_back(source);
      else
        report_.fault({file_, value.line, value.column, path()}, problem);
    }
  }

  /// YAML's merge: a mapping's own keys win, then the sources in their order.
  void merge() {
    Frame& frame = frames_.back();
    for (const Node* source : frame.merged) {
      for (const Node::Entry& entry : source->entries) {
        if (!frame.keys.insert(entry.key).second) continue;
        grow(*frame.node, *entry.value);
        frame.node->entries.push_back(entry);
      }
    }
  }

  static void grow(Node& into, const Node& value) {
    into.weight += value.weight;
    if (into.weight > most_values) throw too_many(into.line, into.column);
  }

  std::string path() const {
    Spot spot;
    for (const Frame& frame : frames_) {
      if (frame.node->kind == Node::Kind::list)
        spot = spot.item(frame.node->items.size());
      else if (frame.key)
        spot = spot.inside(printable(frame.key->key));
    }
    return spot.key;
  }

  Tree& tree_;
  const std::string& file_;
  Report& report_;
  std::vector<Frame> frames_;
  std::map<YAML::anchor_t, const Node*> anchors_;
};

/// Length of the UTF-8 sequence at the start of `text`, 0 where there is none (Unicode 15, table 3-7).
std::size_t utf8_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u; };
  const auto continues = [&](std::size_t i) { return (byte(i) & 0xC0u) == 0x80u; };
  const unsigned first = byte(0), second = byte(1);
  if (first < 0x80) return 1;
  if (first >= 0xC2 && first <= 0xDF) return continues(1) ? 2 : 0;
  if (first >= 0xE0 && first <= 0xEF) {
    const bool overlong = first == 0xE0 && second < 0xA0, surrogate = first == 0xED && second > 0x9F;
    return continues(1) && continues(2) && !overlong && !surrogate ? 3 : 0;
  }
  if (first >= 0xF0 && first <= 0xF4) {
    const bool overlong = first == 0xF0 && second < 0x90, beyond = first == 0xF4 && second > 0x8F;
    return continues(1) && continues(2) && continues(3) && !overlong && !beyond ? 4 : 0;
  }
  return 0;
}

/// Finds bytes that no configuration needs. yaml-cpp takes byte 4 for the end of the text and would silently drop the
/// rest.
std::optional<Stop> bad_byte(std::string_view text) {
  int line = 1;
  std::size_t line_start = 0;
  for (std::size_t i = 0; i < text.size();) {
    const char c = text[i];
    const int column = static_cast<int>(i - line_start) + 1;
    const std::size_t length = utf8_length(text.substr(i));
    if (length == 0) return Stop{line, column, {"the text is not valid UTF-8"}};
    if ((static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\r' && c != '\t') || c == 0x7f)
      return Stop{line, column, {"the text holds a control character"}};
    i += length;
    if (c == '\n') {
      ++line;
      line_start = i;
    }
  }
  return std::nullopt;
}

void parse(const std::string& text, Builder& builder) {
  if (text.size() > most_bytes) throw Stop{1, 1, {"the file is larger than 4 MiB"}};
  if (auto stop = bad_byte(text)) throw *stop;
  std::istringstream stream(text);
  YAML::Parser parser(stream);
  if (!parser.HandleNextDocument(builder))
    throw Stop{1, 1, {"the file is empty", "the smallest one begins with 'version: 1'"}};
  struct Ignore final : YAML::EventHandler {
    void OnDocumentStart(const YAML::Mark& mark) override {
      throw Stop{mark.line + 1, mark.column + 1, {"more than one YAML document in the file"}};
    }
    void OnDocumentEnd() override {}
    void OnNull(const YAML::Mark&, YAML::anchor_t) override {}
    void OnAlias(const YAML::Mark&, YAML::anchor_t) override {}
    void OnScalar(const YAML::Mark&, const std::string&, YAML::anchor_t, const std::string&) override {}
    void OnSequenceStart(const YAML::Mark&, const std::string&, YAML::anchor_t, YAML::EmitterStyle::value) override {}
    void OnSequenceEnd() override {}
    void OnMapStart(const YAML::Mark&, const std::string&, YAML::anchor_t, YAML::EmitterStyle::value) override {}
    void OnMapEnd() override {}
  } ignore;
  parser.HandleNextDocument(ignore);
}

}  // namespace

Tree parse_tree(const std::string& text, const std::string& file, Report& report) {
  Tree tree;
  Builder builder(tree, file, report);
  try {
    parse(text, builder);
  } catch (const Stop& stop) {
    tree.root = nullptr;
    report.fault({file, stop.line, stop.column}, stop.problem);
  } catch (const YAML::Exception& error) {
    tree.root = nullptr;
    const bool placed = !error.mark.is_null();
    report.fault({file, placed ? error.mark.line + 1 : 1, placed ? error.mark.column + 1 : 1},
                 {"YAML syntax: " + printable(error.msg)});
  }
  return tree;
}

}  // namespace tollgate::config
