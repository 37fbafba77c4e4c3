#include "tollgate/io/files.hpp"

#include "tollgate/base/errno_text.hpp"

#include <fcntl.h>
#include <glob.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>

namespace tollgate::io {
namespace {

constexpr std::size_t largest_file = 4 * 1024 * 1024;

Failure unreadable(const std::string& path, const std::string& reason) {
  return Failure{.message = "cannot read " + path + ": " + reason};
}

class Descriptor {
 public:
  explicit Descriptor(int value) : value_(value) {}
  ~Descriptor() {
    if (value_ >= 0) ::close(value_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return value_; }

 private:
  int value_;
};

}  // namespace

Result<std::string> read_file(const std::string& path) {
  // A pipe without a writer would hold open() up for ever.
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat status {};
  if (file.get() < 0 || ::fstat(file.get(), &status) != 0) return unreadable(path, errno_text());
  if (S_ISDIR(status.st_mode)) return unreadable(path, "it is a folder");
  if (!S_ISREG(status.st_mode)) return unreadable(path, "it is not a regular file");
  std::string content;
  std::array<char, 16 * 1024> block;
  while (content.size() <= largest_file) {
    const auto count = ::read(file.get(), block.data(), block.size());
    if (count == 0) return content;
    if (count < 0 && errno != EINTR) return unreadable(path, errno_text());
    if (count > 0) content.append(block.data(), static_cast<std::size_t>(count));
  }
  return unreadable(path, "it is larger than 4 MiB");
}

std::vector<std::string> glob_files(const std::string& pattern) {
  glob_t found{};
  std::vector<std::string> paths;
  // It races only with a change of the environment or the locale, and nobody makes one.
  // NOLINTNEXTLINE(concurrency-mt-unsafe)
  if (::glob(pattern.c_str(), 0, nullptr, &found) == 0) {
    paths.assign(found.gl_pathv, found.gl_pathv + found.gl_pathc);
  }
  ::globfree(&found);
  return paths;
}

std::optional<std::string> environment(const std::string& name) {
  const char* value = std::getenv(name.c_str());  // NOLINT(concurrency-mt-unsafe): nobody changes the environment
  if (!value) return std::nullopt;
  return value;
}

}  // namespace tollgate::io
