#pragma once
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace spdlog {
class logger;
namespace details {
class thread_pool;
}
}  // namespace spdlog

namespace tollgate::io {

/// The operator's log: one JSON line per event on standard error. For what happens now and then, not per request. Any
/// thread; asynchronous, so a slow terminal holds nobody up. Values never hold header values, keys, prompts or answers.
class Diagnostics {
 public:
  enum class Level { debug, info, warning, error };
  using Field = std::pair<std::string_view, std::string>;

  /// `level`: debug, info, warning or error; what is below it is left out.
  explicit Diagnostics(std::string_view level);
  ~Diagnostics();

  void log(Level level, std::string_view event, std::initializer_list<Field> fields = {});
  void info(std::string_view event, std::initializer_list<Field> fields = {}) { log(Level::info, event, fields); }
  void warning(std::string_view event, std::initializer_list<Field> fields = {}) { log(Level::warning, event, fields); }
  void error(std::string_view event, std::initializer_list<Field> fields = {}) { log(Level::error, event, fields); }
  void set_level(std::string_view level);

 private:
  std::shared_ptr<spdlog::details::thread_pool> thread_;
  std::shared_ptr<spdlog::logger> logger_;
};

}  // namespace tollgate::io
