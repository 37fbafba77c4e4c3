#pragma once
// What one channel has still to send, and its way out: posts go one after the other, each as often as it takes.
#include "tollgate/base/task.hpp"
#include "tollgate/base/wait_point.hpp"
#include "tollgate/io/loop.hpp"
#include "tollgate/io/outbound.hpp"

#include "io/upstream/provider.hpp"

#include <atomic>
#include <deque>
#include <memory>
#include <mutex>

namespace tollgate::io {

class Sender : public std::enable_shared_from_this<Sender> {
 public:
  Sender(Loop& loop, OutboundSettings settings, SslContext tls);

  // Any thread:
  bool send(OutboundPost post);
  OutboundCounts counts() const;
  /// Nobody will send any more: ends once nothing waits.
  void let_go();
  /// Takes nothing more. The loop is not touched afterwards.
  void close();

  // Loop thread:
  /// Sends until it has to end, then calls `ended`, which may destroy what it is given by.
  void start(Resolver& resolver, WorkerMetrics& metrics, std::function<void()> ended);
  /// What has not gone out by then is dropped. After close().
  void end_by(SteadyTime time);

 private:
  struct Way;
  /// What a try came to.
  struct Answer {
    std::uint16_t status = 0;  ///< 0: none came
    std::optional<Millis> retry_after;
    std::string why;
  };

  Task<void> run(Resolver& resolver, WorkerMetrics& metrics);
  Task<void> deliver(Way& way, const OutboundPost& post);
  Task<Answer> attempt(Way& way, const OutboundPost& post);
  Task<void> pause(Way& way, SteadyTime until);
  void fail(const OutboundPost& post, const std::string& why);
  void drop(const OutboundPost& post, const std::string& why);
  void wake();
  const OutboundPost* front();
  void pop();
  bool may_end();
  std::shared_ptr<Provider> make_provider(Resolver& resolver, WorkerMetrics& metrics) const;

  Loop& loop_;
  const OutboundSettings settings_;
  const SslContext tls_;
  WaitPoint point_;
  SteadyTime end_at_ = never;
  mutable std::mutex mutex_;  // over all below
  std::deque<OutboundPost> waiting_;
  std::size_t bytes_ = 0;
  OutboundCounts counts_;
  bool closed_ = false, alone_ = false;
};

}  // namespace tollgate::io
