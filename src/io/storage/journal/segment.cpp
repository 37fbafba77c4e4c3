#include "io/storage/journal/segment.hpp"

#include "tollgate/io/secure_random.hpp"

#include "io/storage/journal/crc32c.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <bit>
#include <cerrno>
#include <cstdio>
#include <cstring>

namespace tollgate::io::journal {
namespace {

static_assert(std::endian::native == std::endian::little);
constexpr std::uint64_t magic = 0x3130'6A67'6C6C'6F74;  // "tollgj01"

std::uint32_t checksum_of(const SegmentHeader& header) {
  const auto bytes = std::as_bytes(std::span(&header, 1));
  return crc32c(0, bytes.first(offsetof(SegmentHeader, checksum)));
}

}  // namespace

bool valid(const SegmentHeader& header, std::size_t file_size) {
  return header.magic == magic && header.checksum == checksum_of(header) && header.size == file_size &&
         file_size >= smallest_segment && file_size <= largest_segment;
}

std::string segment_path(const std::string& folder, std::uint64_t number) {
  std::string name = std::to_string(number);
  name.insert(0, 20 - name.size(), '0');
  return folder + "/" + name + std::string(segment_suffix);
}

Result<std::shared_ptr<Segment>> Segment::create(Disk& disk, const Plan& plan) {
  const auto salt = random_bytes<4>();
  if (!salt) return salt.error();
  std::shared_ptr<Segment> segment(new Segment);
  segment->path_ = segment_path(plan.folder, plan.number);
  const auto file = disk.create(segment->path_, plan.size);
  if (!file) return file.error();
  segment->file_ = *file;
  void* const base = ::mmap(nullptr, plan.size, PROT_READ | PROT_WRITE, MAP_SHARED, *file, 0);
  if (base == MAP_FAILED) {
    const int reason = errno;
    ::unlink(segment->path_.c_str());
    return disk_failure("cannot map " + segment->path_, reason);
  }
  segment->base_ = static_cast<std::byte*>(base);
  SegmentHeader& header = segment->header_;
  header.magic = magic;
  header.run = plan.run;
  header.number = plan.number;
  header.index = plan.index;
  header.writer = plan.writer;
  std::memcpy(&header.salt, salt->data(), sizeof header.salt);
  header.size = static_cast<std::uint32_t>(plan.size);
  header.checksum = checksum_of(header);
  std::memcpy(segment->base_, &header, sizeof header);
  auto lasting = disk.sync(*file);
  if (lasting) lasting = disk.sync_folder(plan.folder);
  if (lasting) return segment;
  ::unlink(segment->path_.c_str());
  return lasting.error();
}

Segment::~Segment() {
  if (base_) ::munmap(base_, header_.size);
  if (file_ >= 0) ::close(file_);
}

}  // namespace tollgate::io::journal
