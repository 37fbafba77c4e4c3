#include "tollgate/config/loader.hpp"
// The order of a load: the root's tree, its values, the files it includes, and last the checks over all of it. Nothing
// stops at the first fault, and nothing is published that has one.

#include "config/assemble.hpp"
#include "config/document.hpp"
#include "config/reader.hpp"
#include "config/references.hpp"
#include "config/tree.hpp"
#include "config/words.hpp"

#include <algorithm>
#include <cstdint>
#include <filesystem>

namespace tollgate::config {

namespace {

/// FNV-1a, 64 bits (Fowler, Noll, Vo). Tells one configuration from another; it protects nothing.
class Digest {
 public:
  void add(std::string_view text) {
    for (const char c : text) take(static_cast<unsigned char>(c));
    take(0);  // so that moving text from one file to the next changes the digest
  }
  std::string text() const {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string hex;
    for (int shift = 60; shift >= 0; shift -= 4) hex += digits[(state_ >> shift) & 15];
    return hex;
  }

 private:
  void take(unsigned char byte) { state_ = (state_ ^ byte) * 0x100000001b3u; }
  std::uint64_t state_ = 0xcbf29ce484222325u;
};

class Loading {
 public:
  Loading(const std::string& path, const Sources& sources, const LoadOptions& options)
      : root_(std::filesystem::path(path).lexically_normal().string()), world_(sources, options.allow_unset) {}

  Loaded run() {
    read_file(root_, Block{[this](Keys& keys) { describe(keys, document_); }});
    for (const std::string& file : included_files()) {
      Included included{document_};
      read_file(file, Block{[&included](Keys& keys) { describe(keys, included); }});
    }
    if (!document_.price_file.empty()) read_prices();
    auto snapshot = std::make_shared<Snapshot>();
    // With a file missing from the picture, names that point into it would all look wrong.
    document_.storage.folder = std::filesystem::path(root_).parent_path().string();
    if (all_read_) assemble(std::move(document_), *snapshot, report_);
    snapshot->file = root_;
    snapshot->files = world_.files();
    snapshot->include_patterns = patterns_;
    snapshot->digest = digest_.text();
    if (snapshot->models.empty() && report_.faults.empty())
      report_.notes.push_back("no models: every request will be answered with 404");
    sort_faults();
    Loaded loaded{nullptr, std::move(report_.faults), std::move(report_.notes)};
    if (loaded.faults.empty()) loaded.snapshot = std::move(snapshot);
    return loaded;
  }

 private:
  void read_file(const std::string& file, const Block& table) {
    order_.push_back(file);
    const auto text = world_.read(file);
    if (!text) {
      all_read_ = false;
      report_.fault({file}, {"cannot read the file: " + printable(text.error().message)});
      return;
    }
    digest_.add(*text);
    const Tree tree = parse_tree(*text, file, report_);
    if (!tree.root) {
      all_read_ = false;
      return;
    }
    Reading reading{file, std::filesystem::path(file).parent_path().string(), world_, report_};
    read_value(table, *tree.root, {file, tree.root->line, tree.root->column}, reading);
  }

  /// A file that cannot be read is a fault at its key already, or forgiven.
  void read_prices() {
    document_.prices_unread = !world_.read(document_.price_file);
    if (document_.prices_unread) return;
    read_file(document_.price_file, price_file_of(document_.prices));
    check_prices(document_.prices, report_);
  }

  std::vector<std::string> included_files() {
    std::vector<std::string> files;
    const std::string folder = std::filesystem::path(root_).parent_path().string();
    for (const Name& written : document_.include) {
      if (written.text.empty() || written.unset) continue;
      patterns_.push_back(resolved_path(written.text, folder));
      const auto found = world_.glob(patterns_.back());
      if (found.empty()) missing(written);
      for (const std::string& file : found) {
        if (file != root_ && std::find(files.begin(), files.end(), file) == files.end()) files.push_back(file);
      }
    }
    return files;
  }

  /// A pattern may match nothing yet; a plain path that does not exist is a slip.
  void missing(const Name& written) {
    if (written.text.find_first_of("*?[") != std::string::npos) {
      report_.note(written.spot, "no file matches yet");
      return;
    }
    all_read_ = false;
    report_.fault(written.spot, {"there is no such file"});
  }

  void sort_faults() {
    const auto rank = [this](const Fault& fault) {
      const auto file = std::find(order_.begin(), order_.end(), fault.file) - order_.begin();
      return std::tuple(file, fault.line, fault.column);
    };
    std::stable_sort(report_.faults.begin(), report_.faults.end(),
                     [&](const Fault& left, const Fault& right) { return rank(left) < rank(right); });
  }

  const std::string root_;
  World world_;
  Report report_;
  Document document_;
  Digest digest_;
  std::vector<std::string> order_, patterns_;
  bool all_read_ = true;
};

}  // namespace

std::string to_text(const Fault& fault) {
  std::string text = fault.file + ":" + std::to_string(fault.line) + ":" + std::to_string(fault.column) + ": ";
  if (!fault.key.empty()) text += fault.key + ": ";
  text += fault.message;
  if (!fault.suggestion.empty()) text += "; " + fault.suggestion;
  return text;
}

Loaded load(const std::string& path, const Sources& sources, const LoadOptions& options) {
  return Loading(path, sources, options).run();
}

}  // namespace tollgate::config
