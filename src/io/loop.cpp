#include "tollgate/io/loop.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>

namespace tollgate::io {

Loop::Loop(std::uint64_t seed)
    : work_(boost::asio::make_work_guard(context_)),
      timers_(context_),
      random_(seed),
      scratch_(std::make_unique_for_overwrite<char[]>(scratch_size)) {}

void Loop::run() { context_.run(); }

void Loop::stop() { context_.stop(); }

void Loop::post(std::function<void()> action) { boost::asio::post(context_, std::move(action)); }

}  // namespace tollgate::io
