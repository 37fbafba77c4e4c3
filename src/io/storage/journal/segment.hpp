#pragma once
// One file of the journal: created whole before it is needed, mapped, filled once from front to back by one writer.
#include "io/storage/journal/disk.hpp"
#include "io/storage/journal/open_book.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <type_traits>

namespace tollgate::io::journal {

struct SegmentHeader {
  std::uint64_t magic;   ///< "tollgj" and the version of the format
  std::uint64_t run;     ///< of the process that made it: a random number
  std::uint64_t number;  ///< in the order of making; the file's name
  std::uint64_t index;   ///< in its writer's order, from 0, without gaps
  std::uint64_t spare[2];
  std::uint32_t writer;    ///< whose it is
  std::uint32_t salt;      ///< seeds the records' checksums: no text in a record can pass for one
  std::uint32_t size;      ///< of the file
  std::uint32_t checksum;  ///< of all above
};
static_assert(sizeof(SegmentHeader) == 64 && std::is_trivially_copyable_v<SegmentHeader>);

inline constexpr std::uint32_t carried_writer = 0xFFFFFFFF;  ///< what the drainer carried on; read first
inline constexpr std::size_t end_room = 32;                  ///< at a file's end, for RecordType::end
inline constexpr std::size_t smallest_segment = 64 * 1024, largest_segment = 256 * 1024 * 1024;

/// What of a segment can be promised: the rest may be lost where a record does not fit any more.
constexpr std::size_t usable(std::size_t segment_size) {
  return segment_size - sizeof(SegmentHeader) - end_room - (largest_record - record_step);
}

/// True: the header of a file of this size that was written whole.
bool valid(const SegmentHeader& header, std::size_t file_size);

inline constexpr std::string_view segment_suffix = ".journal", damaged_suffix = ".damaged";
std::string segment_path(const std::string& folder, std::uint64_t number);

class Segment : public Pinned {
 public:
  struct Plan {
    std::string folder;
    std::uint64_t run, number, index;
    std::uint32_t writer;
    std::size_t size;
  };
  static Result<std::shared_ptr<Segment>> create(Disk& disk, const Plan& plan);
  ~Segment();
  Segment(const Segment&) = delete;
  Segment& operator=(const Segment&) = delete;

  const SegmentHeader& header() const { return header_; }
  const std::string& path() const { return path_; }
  int file() const { return file_; }
  std::size_t size() const { return header_.size; }
  /// Of records; `records_end` leaves room for an end record.
  std::byte* records_begin() const { return base_ + sizeof(SegmentHeader); }
  std::byte* records_end() const { return base_ + header_.size - end_room; }
  std::span<const std::byte> records() const { return {records_begin(), header_.size - sizeof(SegmentHeader)}; }

  /// Bytes of records that are published. Stored by the writer, before the last record of a segment.
  std::atomic<std::uint32_t> published{0};

  // The keeper's.
  std::uint32_t synced = 0;
  std::atomic<bool> suspect{false};  ///< a sync has failed: what is on the disk is unknown

  // The drainer's.
  std::size_t read = 0;                   ///< bytes of records
  std::atomic<std::size_t> committed{0};  ///< of these: their rows are in the store
  bool finished = false;                  ///< its end record has been read: nothing follows
  bool damaged = false;
  std::uint64_t last_sequence = 0;

 private:
  Segment() = default;
  SegmentHeader header_{};
  std::string path_;
  int file_ = -1;
  std::byte* base_ = nullptr;
};

}  // namespace tollgate::io::journal
