#include "io/telemetry/descriptor_sink.hpp"

#include "tollgate/base/errno_text.hpp"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace tollgate::io::telemetry {
namespace {

Result<int> open_file(const std::string& path) {
  const int descriptor = ::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640);
  if (descriptor < 0) return Failure{.message = "cannot open the access log " + path + ": " + errno_text()};
  return descriptor;
}

}  // namespace

Result<std::shared_ptr<DescriptorSink>> DescriptorSink::open(const std::string& destination) {
  if (destination == "stdout") return std::shared_ptr<DescriptorSink>(new DescriptorSink("", STDOUT_FILENO));
  if (destination == "stderr") return std::shared_ptr<DescriptorSink>(new DescriptorSink("", STDERR_FILENO));
  const auto descriptor = open_file(destination);
  if (!descriptor) return descriptor.error();
  return std::shared_ptr<DescriptorSink>(new DescriptorSink(destination, *descriptor));
}

DescriptorSink::~DescriptorSink() {
  take_reopened();
  if (!path_.empty()) ::close(descriptor_);
}

Result<void> DescriptorSink::reopen() {
  if (path_.empty()) return {};
  const auto descriptor = open_file(path_);
  if (!descriptor) return descriptor.error();
  const std::lock_guard lock(reopening_);
  if (reopened_ >= 0) ::close(reopened_);
  reopened_ = *descriptor;
  return {};
}

void DescriptorSink::take_reopened() {
  const std::lock_guard lock(reopening_);
  if (reopened_ < 0) return;
  ::close(descriptor_);
  descriptor_ = std::exchange(reopened_, -1);
  in_mid_line_ = false;
}

void DescriptorSink::sink_it_(const spdlog::details::log_msg& message) {
  take_reopened();
  spdlog::memory_buf_t block;
  formatter_->format(message, block);
  if (in_mid_line_ && write_all("\n") == 1) in_mid_line_ = false;
  const std::string_view bytes(block.data(), block.size());
  const std::size_t written = in_mid_line_ ? 0 : write_all(bytes);
  const std::string_view refused = bytes.substr(written);
  if (refused.empty()) return;
  if (written > 0) in_mid_line_ = bytes[written - 1] != '\n';
  lost_lines_ += static_cast<std::uint64_t>(std::count(refused.begin(), refused.end(), '\n'));
}

/// How many bytes the destination took before it refused one.
std::size_t DescriptorSink::write_all(std::string_view block) {
  std::size_t written = 0;
  while (written < block.size()) {
    const auto taken = ::write(descriptor_, block.data() + written, block.size() - written);
    if (taken > 0) {
      written += static_cast<std::size_t>(taken);
    } else if (taken < 0 && errno == EAGAIN) {  // a standard stream that somebody else made non-blocking
      pollfd ready{.fd = descriptor_, .events = POLLOUT, .revents = 0};
      ::poll(&ready, 1, -1);
    } else if (taken == 0 || errno != EINTR) {
      break;
    }
  }
  return written;
}

}  // namespace tollgate::io::telemetry
