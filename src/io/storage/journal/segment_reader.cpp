#include "io/storage/journal/segment_reader.hpp"

#include <algorithm>
#include <atomic>

namespace tollgate::io::journal {
namespace {

/// The word whose release publishes a record; 0 where there is none.
std::uint32_t published_length(std::span<const std::byte> bytes) {
  if (bytes.size() < sizeof(RecordHead)) return 0;
  // An atomic_ref of a const object is not to be had before C++26; nothing is written here.
  auto* word = reinterpret_cast<std::uint32_t*>(const_cast<std::byte*>(bytes.data()));
  return std::atomic_ref(*word).load(std::memory_order_acquire);
}

}  // namespace

bool SegmentReader::readable(std::size_t at) {
  const auto bytes = records_.subspan(at);
  if (published_length(bytes) == 0) return false;
  length_ = checked_length(bytes, salt_);
  return length_ != 0 && decode(bytes.first(length_), decoded_) && decoded_.sequence > sequence_;
}

std::span<const std::byte> SegmentReader::found(std::size_t at) {
  if (first_sequence_ == 0) {
    first_sequence_ = decoded_.sequence;
  }
  if (sequence_ != 0 && decoded_.sequence != sequence_ + 1) damaged_ = true;
  sequence_ = decoded_.sequence;
  at_ = at + length_;
  ended_ = decoded_.type == RecordType::end;
  return records_.subspan(at, length_);
}

bool SegmentReader::all_zero(std::size_t from) const {
  return std::all_of(records_.begin() + static_cast<std::ptrdiff_t>(from), records_.end(),
                     [](std::byte byte) { return byte == std::byte{0}; });
}

std::span<const std::byte> SegmentReader::next() {
  if (ended_ || at_ >= records_.size()) return {};
  // Asked before anything else: a record that is published between two looks must not pass for a damaged one.
  if (growing_ && published_length(records_.subspan(at_)) == 0) return {};
  if (readable(at_)) return found(at_);
  if (!growing_ && all_zero(at_)) return {};
  for (std::size_t at = at_ + record_step; at + sizeof(RecordHead) <= records_.size(); at += record_step) {
    if (!readable(at)) continue;
    damaged_ = true;
    return found(at);
  }
  torn_ = true;
  return {};
}

}  // namespace tollgate::io::journal
