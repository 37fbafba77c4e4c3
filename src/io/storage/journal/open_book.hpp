#pragma once
// Which requests are not at their end yet, as far as a journal has been read. What it holds is what a crash at this
// point would leave to be put right, so the drainer keeps the files for it and recovery makes rows of it.
#include "io/storage/journal/record.hpp"

#include <cstddef>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace tollgate::io::journal {

/// A file that holds something of open requests.
struct Pinned {
  std::size_t pins = 0;  ///< requests
};

/// One thread. Memory: the records of what is open, as bytes.
class OpenBook {
 public:
  /// Takes the next record of a writer: the rows that are complete with it go into `batch`. `file`, where the record
  /// lies, is pinned while its request is open; null: nobody asks. It outlives its pins.
  void take(std::span<const std::byte> record, const Decoded& decoded, Pinned* file, LedgerBatch& batch);

  /// Makes rows of up to `limit` requests that are open, since nobody will close them any more, and forgets them. The
  /// cost of an attempt is its last checkpoint's, else what was reserved.
  void resolve(std::size_t limit, LedgerBatch& batch);

  /// Hands out every record that matters of all requests that pin `file`, in an order that take() understands; they pin
  /// the files that `write` returns instead. False: `write` has returned null, and what was not done yet pins `file`.
  using Write = std::function<Pinned*(std::span<const std::byte> record)>;
  bool carry(Pinned& file, const Write& write);

  bool empty() const { return requests_.empty(); }
  std::size_t open_requests() const { return requests_.size(); }
  std::size_t open_attempts() const { return attempts_.size(); }

 private:
  using Bytes = std::vector<std::byte>;
  struct Attempt {
    std::string id;
    Bytes reserved, checkpoint, settled;  ///< once settled, only that
  };
  struct Request {
    std::vector<Attempt> attempts;
    std::vector<Pinned*> files;
    bool closed = false;  ///< its row is there; some attempt is not settled yet

    void pin(Pinned* file);
    void unpin();
    bool open() const;
    Attempt* find(std::string_view attempt_id);
  };
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
  };
  template <class Value>
  using Map = std::unordered_map<std::string, Value, Hash, std::equal_to<>>;

  void reserved(std::span<const std::byte> record, const Decoded& decoded, Pinned* file);
  void checkpoint(std::span<const std::byte> record, const Decoded& decoded, Pinned* file);
  void settled(std::span<const std::byte> record, const Decoded& decoded, Pinned* file, bool last);
  void closed(std::string_view request_id);
  static void resolve(Request& request, LedgerBatch& batch);

  Map<Request> requests_;
  Map<Request*> attempts_;  ///< that are not settled
};

}  // namespace tollgate::io::journal
