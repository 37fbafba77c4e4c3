#pragma once
// Heads, bodies and lines are put together in one growing block each: std::string would fill what is read over anyway,
// copy where pages can be moved, and call memcpy for pieces of four bytes.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <new>
#include <span>
#include <string_view>
#include <utility>

namespace tollgate {

namespace detail {

template <class Word>
void copy_word(char* to, std::string_view from, std::size_t at) {
  Word word;
  std::memcpy(&word, from.data() + at, sizeof word);
  std::memcpy(to + at, &word, sizeof word);
}

}  // namespace detail

/// Heads and lines are put together from short pieces, for which a call of memcpy costs more than the copy.
inline void copy_text(char* to, std::string_view from) {
  const std::size_t size = from.size();
  if (size > 16) {
    std::memcpy(to, from.data(), size);
  } else if (size >= 8) {
    detail::copy_word<std::uint64_t>(to, from, 0);
    detail::copy_word<std::uint64_t>(to, from, size - 8);
  } else if (size >= 4) {
    detail::copy_word<std::uint32_t>(to, from, 0);
    detail::copy_word<std::uint32_t>(to, from, size - 4);
  } else {
    for (std::size_t i = 0; i < size; ++i) to[i] = from[i];
  }
}

/// Bytes that grow at the end, uninitialised, on malloc: a big block grows by moving pages (mremap), not by copying, so
/// a body is never held twice while it is read. Views into it end with the next growth.
class ByteBuffer {
 public:
  ByteBuffer() = default;
  ByteBuffer(ByteBuffer&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)),
        size_(std::exchange(other.size_, 0)),
        capacity_(std::exchange(other.capacity_, 0)) {}
  ByteBuffer& operator=(ByteBuffer&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    std::swap(capacity_, other.capacity_);
    return *this;
  }
  ~ByteBuffer() { std::free(data_); }

  char* data() { return data_; }
  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  std::size_t capacity() const { return capacity_; }
  std::string_view view() const { return {data_, size_}; }

  /// Room for at least `total` bytes in all, exactly that much when it has to grow.
  void reserve(std::size_t total) {
    if (total <= capacity_) return;
    void* grown = std::realloc(data_, total);
    if (!grown) throw std::bad_alloc();
    data_ = static_cast<char*>(grown);
    capacity_ = total;
  }
  /// At least `wanted` free bytes at the end, growing by half so that many small appends stay cheap.
  std::span<char> room(std::size_t wanted) {
    if (capacity_ - size_ < wanted) reserve(size_ + (wanted > size_ / 2 ? wanted : size_ / 2));
    return {data_ + size_, capacity_ - size_};
  }
  /// Counts `count` bytes written into room() as content.
  void commit(std::size_t count) { size_ += count; }
  void append(std::string_view bytes) {
    copy(room(bytes.size()).data(), bytes);
    size_ += bytes.size();
  }
  /// Appends the parts in order, growing once at most. Each is a text or a literal, whose copy is a move or two.
  template <class... Parts>
  void append_all(const Parts&... parts) {
    const std::size_t total = (std::string_view(parts).size() + ...);
    char* to = room(total).data();
    ((copy(to, parts), to += std::string_view(parts).size()), ...);
    size_ += total;
  }
  /// Drops `count` bytes at the front.
  void consume(std::size_t count) {
    if (count < size_) std::memmove(data_, data_ + count, size_ - count);
    size_ -= count;
  }
  void clear() { size_ = 0; }
  /// Gives the memory back.
  void release() {
    std::free(std::exchange(data_, nullptr));
    size_ = capacity_ = 0;
  }

 private:
  template <std::size_t size>
  static void copy(char* to, const char (&literal)[size]) {
    std::memcpy(to, literal, size - 1);
  }
  static void copy(char* to, std::string_view from) { copy_text(to, from); }

  char* data_ = nullptr;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
};

}  // namespace tollgate
