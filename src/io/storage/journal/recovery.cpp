// What an earlier process has left behind, whoever it was and however it ended. Nothing is remembered of a recovery
// that was itself cut off: the next one does all of it again, and the store knows every row by its id.
#include "io/storage/journal/recovery.hpp"

#include "tollgate/base/errno_text.hpp"
#include "tollgate/base/failpoint.hpp"

#include "io/storage/journal/segment_reader.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <optional>
#include <thread>
#include <tuple>

namespace tollgate::io::journal {
namespace {

namespace fs = std::filesystem;

struct Left {
  std::string path;
  SegmentHeader header{};
  bool readable = false;
  bool damaged = false;
};

std::optional<std::uint64_t> number_of(const fs::path& path) {
  const std::string name = path.stem().string();
  std::uint64_t number = 0;
  const auto read = std::from_chars(name.data(), name.data() + name.size(), number);
  if (path.extension() != segment_suffix || read.ec != std::errc() || read.ptr != name.data() + name.size()) return {};
  return number;
}

/// The file's begin, up to `largest_segment` and its size; shorter where it cannot be read on.
std::vector<std::byte> content_of(const std::string& path, std::size_t most) {
  std::vector<std::byte> content;
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
  struct stat status {};
  if (file < 0 || ::fstat(file, &status) != 0 || !S_ISREG(status.st_mode)) {
    if (file >= 0) ::close(file);
    return content;
  }
  content.resize(std::min(static_cast<std::size_t>(status.st_size), most));
  std::size_t done = 0;
  while (done < content.size()) {
    const auto size = ::pread(file, content.data() + done, content.size() - done, static_cast<off_t>(done));
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) break;
    done += static_cast<std::size_t>(size);
  }
  content.resize(done);
  ::close(file);
  return content;
}

class Recovery {
 public:
  explicit Recovery(Common& common) : common_(common) {}

  Result<void> run();

 private:
  Result<void> list();
  void look_at(Left& left) const;
  Result<void> read(Left& left, Left* before);
  Result<void> write_full(std::size_t rows);
  Result<void> write();
  void tell(const Left& left, JournalEvent event, const char* what);
  Result<void> take_away();

  Common& common_;
  std::vector<Left> files_;
  OpenBook book_;
  LedgerBatch batch_;
  std::uint64_t sequence_ = 0;  ///< of the last record of the file before
};

Result<void> Recovery::list() {
  std::error_code error;
  for (fs::directory_iterator at(common_.settings.folder, error), end; !error && at != end; at.increment(error)) {
    fs::path path = at->path();
    if (path.extension() == damaged_suffix) path.replace_extension();  // its number stays taken
    const auto number = number_of(path);
    if (!number) continue;
    common_.next_number = std::max<std::uint64_t>(common_.next_number, *number + 1);
    if (path == at->path()) files_.emplace_back().path = path.string();
  }
  if (error) return disk_failure("cannot read " + common_.settings.folder, error.value());
  for (Left& left : files_) look_at(left);
  std::sort(files_.begin(), files_.end(), [](const Left& a, const Left& b) {
    const auto place = [](const Left& left) {
      return std::tuple(left.header.writer != carried_writer, left.header.run, left.header.writer, left.header.index,
                        std::string_view(left.path));
    };
    return place(a) < place(b);
  });
  return {};
}

void Recovery::look_at(Left& left) const {
  std::error_code error;
  const auto size = fs::file_size(left.path, error);
  const auto begin = content_of(left.path, sizeof left.header);
  if (begin.size() == sizeof left.header) std::memcpy(&left.header, begin.data(), sizeof left.header);
  left.readable = begin.size() == sizeof left.header && !error && valid(left.header, size);
  if (left.readable) return;
  left.header = {};
  // A process that ended while it made the file has written nothing into it.
  const auto all = content_of(left.path, largest_segment);
  const bool empty = std::all_of(all.begin(), all.end(), [](std::byte byte) { return byte == std::byte{0}; });
  left.damaged = !empty || (all.empty() && size > 0);
}

Result<void> Recovery::read(Left& left, Left* before) {
  const auto content = content_of(left.path, largest_segment);
  if (content.size() < left.header.size) left.damaged = true;
  if (content.size() < sizeof(SegmentHeader)) return {};
  const std::size_t whole_steps = content.size() / record_step * record_step;
  const bool follows = before && before->readable && before->header.run == left.header.run &&
                       before->header.writer == left.header.writer && before->header.index + 1 == left.header.index;
  const auto records = std::span<const std::byte>(content).first(whole_steps).subspan(sizeof(SegmentHeader));
  SegmentReader reader(records, left.header.salt, false);
  for (auto record = reader.next(); !record.empty(); record = reader.next()) {
    book_.take(record, reader.decoded(), nullptr, batch_);
    if (const auto written = write_full(common_.settings.batch_rows); !written) return written.error();
  }
  if (reader.damaged()) left.damaged = true;
  // What is missing between two files is missing at the end of the first one.
  const bool gap = follows && sequence_ != 0 && reader.first_sequence() > sequence_ + 1;
  if (gap && !reader.damaged()) before->damaged = true;
  if (reader.torn() && !left.damaged)
    tell(left, JournalEvent::torn, ": what follows its last whole record is left out");
  if (reader.sequence() != 0) sequence_ = reader.sequence();
  return {};
}

Result<void> Recovery::write_full(std::size_t rows) {
  if (batch_.attempts.size() + batch_.requests.size() < rows) return {};
  return write();
}

Result<void> Recovery::write() {
  if (batch_.attempts.empty() && batch_.requests.empty()) return {};
  TOLLGATE_FAILPOINT("journal.recovery_before_commit");
  const SteadyTime end = std::chrono::steady_clock::now() + common_.settings.store_patience;
  for (Millis wait{20};; wait = std::min<Millis>(2 * wait, seconds(1))) {
    const auto written = common_.sink.write(batch_);
    if (written) break;
    ++common_.store_failures;
    if (std::chrono::steady_clock::now() + wait >= end) return written.error();
    std::this_thread::sleep_for(wait);
  }
  TOLLGATE_FAILPOINT("journal.recovery_after_commit");
  common_.rows_stored += batch_.attempts.size() + batch_.requests.size();
  const auto recovered = [](const auto& row) { return row.recovered; };
  common_.rows_recovered +=
      static_cast<std::uint64_t>(std::count_if(batch_.attempts.begin(), batch_.attempts.end(), recovered) +
                                 std::count_if(batch_.requests.begin(), batch_.requests.end(), recovered));
  batch_.attempts.clear();
  batch_.requests.clear();
  return {};
}

void Recovery::tell(const Left& left, JournalEvent event, const char* what) { common_.tell(event, left.path + what); }

Result<void> Recovery::take_away() {
  TOLLGATE_FAILPOINT("journal.recovery_before_delete");
  for (const Left& left : files_) {
    if (left.damaged) {
      ++common_.damaged_files;
      tell(left, JournalEvent::damaged, ": records of it are lost; the file is kept aside");
      if (std::rename(left.path.c_str(), (left.path + std::string(damaged_suffix)).c_str()) != 0) {
        return disk_failure("cannot rename " + left.path, errno);
      }
    } else if (::unlink(left.path.c_str()) != 0 && errno != ENOENT) {
      return disk_failure("cannot delete " + left.path, errno);
    }
    TOLLGATE_FAILPOINT("journal.recovery_mid_delete");
  }
  return common_.disk.sync_folder(common_.settings.folder);
}

Result<void> Recovery::run() {
  if (const auto listed = list(); !listed) return listed.error();
  TOLLGATE_FAILPOINT("journal.recovery_listed");
  Left* before = nullptr;
  for (Left& left : files_) {
    if (!left.readable) continue;
    if (const auto done = read(left, before); !done) return done.error();
    before = &left;
  }
  while (!book_.empty()) {
    book_.resolve(common_.settings.batch_rows, batch_);
    if (const auto written = write(); !written) return written.error();
  }
  if (const auto written = write(); !written) return written.error();
  const std::uint64_t recovered = common_.rows_recovered;
  if (recovered > 0) {
    common_.tell(JournalEvent::rows_recovered,
                 std::to_string(recovered) + " rows were left open by an earlier process");
  }
  return take_away();
}

}  // namespace

Result<void> recover(Common& common) { return Recovery(common).run(); }

}  // namespace tollgate::io::journal
