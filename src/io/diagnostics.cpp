#include "tollgate/io/diagnostics.hpp"

#include "tollgate/protocol/openai/request.hpp"

#include <spdlog/async.h>
#include <spdlog/async_logger.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

namespace tollgate::io {

namespace {

constexpr std::size_t queue_lines = 1024;

spdlog::level::level_enum to_spdlog(Diagnostics::Level level) {
  switch (level) {
    case Diagnostics::Level::debug: return spdlog::level::debug;
    case Diagnostics::Level::info: return spdlog::level::info;
    case Diagnostics::Level::warning: return spdlog::level::warn;
    case Diagnostics::Level::error: break;
  }
  return spdlog::level::err;
}

}  // namespace

Diagnostics::Diagnostics(std::string_view level)
    : thread_(std::make_shared<spdlog::details::thread_pool>(queue_lines, 1)) {
  logger_ = std::make_shared<spdlog::async_logger>("diagnostics", std::make_shared<spdlog::sinks::stderr_sink_mt>(),
                                                   thread_, spdlog::async_overflow_policy::overrun_oldest);
  logger_->set_pattern(R"({"time":"%Y-%m-%dT%H:%M:%S.%eZ","level":"%l",%v})", spdlog::pattern_time_type::utc);
  logger_->flush_on(spdlog::level::info);
  set_level(level);
}

Diagnostics::~Diagnostics() {
  logger_->flush();
  thread_.reset();  // writes out its queue before it ends, and lets go of the logger before we do
}

void Diagnostics::set_level(std::string_view level) {
  logger_->set_level(level == "debug"     ? spdlog::level::debug
                     : level == "warning" ? spdlog::level::warn
                     : level == "error"   ? spdlog::level::err
                                          : spdlog::level::info);
}

void Diagnostics::log(Level level, std::string_view event, std::initializer_list<Field> fields) {
  if (!logger_->should_log(to_spdlog(level))) return;
  std::string line = "\"event\":" + protocol::openai::quote(event);
  for (const auto& [name, value] : fields)
    line += "," + protocol::openai::quote(name) + ":" + protocol::openai::quote(value);
  logger_->log(to_spdlog(level), line);
}

}  // namespace tollgate::io
