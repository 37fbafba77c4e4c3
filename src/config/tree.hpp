#pragma once
#include "config/problem.hpp"

#include <deque>
#include <string>
#include <vector>

namespace tollgate::config {

/// One value of a YAML document, with its place. Aliases share the node they name; merge keys are already merged.
struct Node {
  enum class Kind { nothing, text, list, mapping };
  struct Entry {
    std::string key;
    int line, column;  ///< of the key
    const Node* value;
  };
  Kind kind = Kind::nothing;
  int line = 1, column = 1;
  std::size_t weight = 1;          ///< values in here, aliases counted each time
  std::string text;                ///< of a text, references not yet replaced
  std::vector<const Node*> items;  ///< of a list
  std::vector<Entry> entries;      ///< of a mapping, no key twice
};

/// A parsed document and the owner of its nodes.
struct Tree {
  std::deque<Node> nodes;
  const Node* root = nullptr;  ///< null where the text could not be read at all
};

/// Parses one document. Syntax errors, duplicate keys at any depth, and everything over the loader's bounds go to
/// `report`.
Tree parse_tree(const std::string& text, const std::string& file, Report& report);

}  // namespace tollgate::config
