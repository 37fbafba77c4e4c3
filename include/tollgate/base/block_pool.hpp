#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <new>
#include <utility>

namespace tollgate {

namespace detail {

#if defined(__SANITIZE_ADDRESS__)
inline constexpr bool keeps_blocks = false;  // a block that is used after its end must be seen
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
inline constexpr bool keeps_blocks = false;
#else
inline constexpr bool keeps_blocks = true;
#endif
#else
inline constexpr bool keeps_blocks = true;
#endif

}  // namespace detail

/// Blocks of what lives as long as a request or a part of it: those given back are kept for the next ones of their
/// size, since a dozen a request would otherwise be a good part of its allocations. A thread keeps a few of each size
/// up to 4 KiB, so at most some 500 KB, and gives them back when it ends. A block may end on another thread than it
/// began on.
class BlockPool {
 public:
  static void* take(std::size_t size) {
    const std::size_t kind = kind_of(size);
    if (kind >= kinds) return ::operator new(size);
    Kept& kept = mine();
    Free*& first = kept.first[kind];
    if (!first) return ::operator new((kind + 1) * step);
    --kept.kept[kind];
    return std::exchange(first, first->next);
  }
  static void give(void* block, std::size_t size) noexcept {
    const std::size_t kind = kind_of(size);
    if (kind >= kinds) return ::operator delete(block);
    Kept& kept = mine();
    if (kept.kept[kind] == most_kept) return ::operator delete(block);
    kept.first[kind] = new (block) Free{kept.first[kind]};
    ++kept.kept[kind];
  }

 private:
  static constexpr std::size_t step = 64, kinds = 64, most_kept = detail::keeps_blocks ? 4 : 0;
  struct Free {
    Free* next;
  };
  struct Kept {
    std::array<Free*, kinds> first{};
    std::array<std::uint8_t, kinds> kept{};
    ~Kept() {
      for (Free* block : first)
        while (block) ::operator delete(std::exchange(block, block->next));
    }
  };
  static std::size_t kind_of(std::size_t size) { return (size - 1) / step; }
  static Kept& mine() {
    thread_local Kept kept;
    return kept;
  }
};

/// Base of what lives as long as a request or a part of it and is made by `new`.
struct Pooled {
  static void* operator new(std::size_t size) { return BlockPool::take(size); }
  static void operator delete(void* object, std::size_t size) noexcept { BlockPool::give(object, size); }
};

}  // namespace tollgate
