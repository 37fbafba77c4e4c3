#pragma once
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>
#include <string_view>

namespace tollgate::io::journal {

/// What a writer has promised room to, by request. Of a fixed size: no memory is asked for once it is made. One thread.
class RequestTable {
 public:
  struct Slot {
    std::uint64_t key;          ///< 0: free
    std::uint32_t attempts;     ///< reserved and not settled
    std::uint32_t row_to_come;  ///< 1: its request row is not written
    std::uint32_t segment, at;  ///< where its last reservation lies
  };

  /// For at most `most` requests at once.
  explicit RequestTable(std::size_t most)
      : size_(std::bit_ceil(most * 2)),
        // Zeroed by the system, page by page as they are used.
        slots_(static_cast<Slot*>(std::calloc(size_, sizeof(Slot)))),
        most_(most) {
    if (!slots_) throw std::bad_alloc();
  }

  bool full() const { return used_ >= most_; }
  /// The slot of a request, made where it is new; not full().
  Slot& at(std::string_view request_id) {
    const std::uint64_t key = key_of(request_id);
    Slot& slot = probe(key);
    if (slot.key == 0) {
      ++used_;
      slot.key = key;
    }
    return slot;
  }
  /// Null: unknown.
  Slot* find(std::string_view request_id) {
    Slot& slot = probe(key_of(request_id));
    return slot.key != 0 ? &slot : nullptr;
  }
  void erase(Slot& slot) {
    --used_;
    std::size_t hole = static_cast<std::size_t>(&slot - slots_.get());
    const std::size_t mask = size_ - 1;
    for (std::size_t next = (hole + 1) & mask; slots_[next].key != 0; next = (next + 1) & mask) {
      // What could not be found any more behind a hole moves into it.
      if (((next - slots_[next].key) & mask) < ((next - hole) & mask)) continue;
      slots_[hole] = slots_[next];
      hole = next;
    }
    slots_[hole] = {};
  }

 private:
  /// Of the last 16 characters, which are chance in a UUID of version 7: two requests of one key are not expected, and
  /// would be counted as one.
  static std::uint64_t key_of(std::string_view id) {
    __extension__ using Wide = unsigned __int128;
    std::uint64_t half[2] = {};
    const std::size_t size = id.size() < sizeof half ? id.size() : sizeof half;
    if (size == sizeof half) {
      std::memcpy(half, id.data() + id.size() - sizeof half, sizeof half);
    } else if (size > 0) {
      std::memcpy(half, id.data(), size);
    }
    const Wide product = static_cast<Wide>(half[0] ^ 0xA0761D6478BD642FU) * (half[1] ^ 0xE7037ED1A0B428DBU);
    return (static_cast<std::uint64_t>(product >> 64) ^ static_cast<std::uint64_t>(product)) | (std::uint64_t{1} << 63);
  }
  Slot& probe(std::uint64_t key) {
    const std::size_t mask = size_ - 1;
    std::size_t at = key & mask;
    while (slots_[at].key != 0 && slots_[at].key != key) at = (at + 1) & mask;
    return slots_[at];
  }

  struct Free {
    void operator()(Slot* slots) const { std::free(slots); }
  };
  std::size_t size_;
  std::unique_ptr<Slot[], Free> slots_;
  std::size_t most_, used_ = 0;
};

}  // namespace tollgate::io::journal
