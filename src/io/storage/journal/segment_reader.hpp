#pragma once
#include "io/storage/journal/record.hpp"

#include <cstddef>
#include <cstdint>
#include <span>

namespace tollgate::io::journal {

/// Walks the records of one segment. After something that is no record it looks for the next one that is whole and
/// comes later in the writer's order: what stands behind damage is as good as what stands before it.
class SegmentReader {
 public:
  /// `records`: a segment behind its header; outlives the reader. `at`: where to begin, `sequence`: of the record
  /// before that (0: unknown). `growing`: its writer may be at it, so where nothing is published yet, nothing is wrong.
  SegmentReader(std::span<const std::byte> records, std::uint32_t salt, bool growing, std::size_t at = 0,
                std::uint64_t sequence = 0)
      : records_(records), salt_(salt), growing_(growing), at_(at), sequence_(sequence) {}

  /// The next record, which `decoded()` is about; empty: there is none (yet).
  std::span<const std::byte> next();

  const Decoded& decoded() const { return decoded_; }
  std::size_t position() const { return at_; }          ///< behind the last record
  std::uint64_t sequence() const { return sequence_; }  ///< of the last record
  std::uint64_t first_sequence() const { return first_sequence_; }
  bool ended() const { return ended_; }      ///< an end record was read
  bool damaged() const { return damaged_; }  ///< a record is missing that others follow
  /// There are bytes behind the last record that are none: its writer was cut off while it wrote them, or the disk lost
  /// a part of them.
  bool torn() const { return torn_; }

 private:
  bool readable(std::size_t at);
  std::span<const std::byte> found(std::size_t at);
  bool all_zero(std::size_t from) const;

  std::span<const std::byte> records_;
  std::uint32_t salt_;
  bool growing_;
  std::size_t at_;
  std::uint64_t sequence_, first_sequence_ = 0;
  std::size_t length_ = 0;
  bool ended_ = false, damaged_ = false, torn_ = false;
  Decoded decoded_;
};

}  // namespace tollgate::io::journal
