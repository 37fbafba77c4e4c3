#pragma once
// The store's thread: a queue of jobs, the open file, and the look at it after every job and once in a while. Apart
// from store.cpp, so that what can be asked stands there alone.
#include "tollgate/io/store.hpp"

#include "io/storage/connection.hpp"
#include "io/storage/place.hpp"

#include <atomic>
#include <condition_variable>
#include <deque>
#include <future>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>

namespace tollgate::io {

struct Store::State {
  State(std::string file, StoreOptions settings, storage::Place taken, std::int64_t process_number);
  ~State();

  /// Opens the file for the first time and starts the thread.
  Result<void> start();

  /// Queues `work`, a call of Result<T>(Connection&); `bytes` is what it keeps in memory beside itself.
  template <class T, class Work>
  void post(std::size_t bytes, Done<T> done, Work work) {
    Job refusal = refuse<T>(done);
    enqueue({[this, done = std::move(done), work = std::move(work)]() mutable {
               auto result = attempt<T>(work);
               if (done) done(std::move(result));
               return true;
             },
             bytes + job_bytes},
            std::move(refusal));
  }
  /// Queues `work`, a call of Result<bool>(Connection&, T& sum) that does a portion, adds to the sum and says whether
  /// that was the last; other jobs are done between two portions.
  template <class T, class Work>
  void post_portions(Done<T> done, Work work) {
    Job refusal = refuse<T>(done);
    enqueue({[this, done = std::move(done), work = std::move(work), sum = T{}]() mutable {
               const auto is_last =
                   attempt<bool>([&](storage::Connection& connection) { return work(connection, sum); });
               if (is_last && !*is_last) return false;
               if (done) done(is_last ? Result<T>(std::move(sum)) : Result<T>(is_last.error()));
               return true;
             },
             job_bytes},
            std::move(refusal));
  }

  /// What `ask`, called with a Done<T>, comes to. For the start of a process.
  template <class T, class Ask>
  Result<T> wait_for(Ask ask) {
    if (std::this_thread::get_id() == thread.get_id())
      throw std::logic_error("this would wait for the thread that it was called on");
    // Shared, since the store's thread may still be inside set_value() when this one goes on.
    const auto answer = std::make_shared<std::promise<Result<T>>>();
    ask(Done<T>([answer](Result<T> result) { answer->set_value(std::move(result)); }));
    return answer->get_future().get();
  }

  std::atomic<bool> reachable{true};
  std::atomic<SteadyTime::rep> last_good{0};
  std::thread thread;

 private:
  /// On the store's thread; whether it is done with.
  using Job = std::function<bool()>;
  struct Entry {
    Job run;
    std::size_t bytes = 0;
  };
  static constexpr std::size_t job_bytes = 1024;

  template <class T>
  static Job refuse(const Done<T>& done) {
    return [done] {
      if (done) done(full());
      return true;
    };
  }
  static Failure full();

  void enqueue(Entry entry, Job refusal);
  void run();
  /// Does the first job, with `lock` open meanwhile.
  void run_first(std::unique_lock<std::mutex>& lock);

  /// What `work` comes to. Work on a file that turns out to be lost has failed, whatever it says itself: it was done to
  /// a file that nobody will find again.
  template <class T, class Work>
  Result<T> attempt(Work&& work) {
    if (!connection_) return failure_;
    Result<T> result = work(*connection_);
    if (!is_well()) return failure_;
    return result;
  }
  /// Looks at the open file, and closes it where it is lost.
  bool is_well();
  /// Looks at the file, or for it.
  void look();
  void found();
  void tell(bool is_reachable);

  const std::string path_;
  const StoreOptions options_;
  const storage::Place place_;  // outlives the connection: nobody else may open the file before it is closed
  const std::int64_t process_;

  // The store's thread alone:
  std::unique_ptr<storage::Connection> connection_;  // null: not reachable
  Failure failure_;                                  // why

  std::mutex mutex_;  // over all below
  std::condition_variable changed_;
  std::deque<Entry> jobs_;
  std::size_t queued_bytes_ = 0;
  bool stopping_ = false;
};

}  // namespace tollgate::io
