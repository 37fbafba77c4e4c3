#pragma once
#include <array>
#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <new>
#include <optional>
#include <utility>

/// Coroutines without a scheduler of their own: a Task runs on whatever thread resumes it, starts when it is awaited
/// and hands its result to the one coroutine that awaits it. Nothing here knows of Asio, so `pipeline` needs no I/O
/// header.
namespace tollgate {

namespace detail {

#if defined(__SANITIZE_ADDRESS__)
inline constexpr bool keeps_frames = false;  // a frame that is used after its end must be seen
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
inline constexpr bool keeps_frames = false;
#else
inline constexpr bool keeps_frames = true;
#endif
#else
inline constexpr bool keeps_frames = true;
#endif

/// Frames that have ended are kept for the next ones of their size: a request's dozen would otherwise be a good part of
/// its allocations. A thread keeps a few of each size up to 4 KiB, so at most some 500 KB, and gives them back when it
/// ends.
class FramePool {
 public:
  static void* take(std::size_t size) {
    const std::size_t kind = kind_of(size);
    if (kind >= kinds) return ::operator new(size);
    Kept& kept = mine();
    Free*& first = kept.first[kind];
    if (!first) return ::operator new((kind + 1) * step);
    --kept.kept[kind];
    return std::exchange(first, first->next);
  }
  static void give(void* frame, std::size_t size) noexcept {
    const std::size_t kind = kind_of(size);
    if (kind >= kinds) return ::operator delete(frame);
    Kept& kept = mine();
    if (kept.kept[kind] == most_kept) return ::operator delete(frame);
    kept.first[kind] = new (frame) Free{kept.first[kind]};
    ++kept.kept[kind];
  }

 private:
  static constexpr std::size_t step = 64, kinds = 64, most_kept = keeps_frames ? 4 : 0;
  struct Free {
    Free* next;
  };
  struct Kept {
    std::array<Free*, kinds> first{};
    std::array<std::uint8_t, kinds> kept{};
    ~Kept() {
      for (Free* frame : first)
        while (frame) ::operator delete(std::exchange(frame, frame->next));
    }
  };
  static std::size_t kind_of(std::size_t size) { return (size - 1) / step; }
  static Kept& mine() {
    thread_local Kept kept;
    return kept;
  }
};

struct PromiseBase {
  std::coroutine_handle<> continuation = std::noop_coroutine();
  std::exception_ptr error;

  static void* operator new(std::size_t size) { return FramePool::take(size); }
  static void operator delete(void* frame, std::size_t size) noexcept { FramePool::give(frame, size); }

  struct FinalAwaiter {
    bool await_ready() const noexcept { return false; }
    template <class P>
    std::coroutine_handle<> await_suspend(std::coroutine_handle<P> self) const noexcept {
      return self.promise().continuation;
    }
    void await_resume() const noexcept {}
  };

  std::suspend_always initial_suspend() noexcept { return {}; }
  FinalAwaiter final_suspend() noexcept { return {}; }
  void unhandled_exception() noexcept { error = std::current_exception(); }
};

template <class T>
struct Promise : PromiseBase {
  std::optional<T> value;
  std::coroutine_handle<Promise> get_return_object() noexcept {
    return std::coroutine_handle<Promise>::from_promise(*this);
  }
  template <class U>
  void return_value(U&& result) {
    value.emplace(std::forward<U>(result));
  }
  T take() {
    if (error) std::rethrow_exception(error);
    return std::move(*value);
  }
};

template <>
struct Promise<void> : PromiseBase {
  std::coroutine_handle<Promise> get_return_object() noexcept {
    return std::coroutine_handle<Promise>::from_promise(*this);
  }
  void return_void() noexcept {}
  void take() {
    if (error) std::rethrow_exception(error);
  }
};

}  // namespace detail

/// Owns a coroutine that has not finished. Await it once. Destroying it destroys the frame, which must not be running.
template <class T = void>
class [[nodiscard]] Task {
 public:
  using promise_type = detail::Promise<T>;

  Task(std::coroutine_handle<promise_type> handle) noexcept : handle_(handle) {}
  Task(Task&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  Task& operator=(Task&&) = delete;
  ~Task() {
    if (handle_) handle_.destroy();
  }

  bool await_ready() const noexcept { return false; }
  std::coroutine_handle<> await_suspend(std::coroutine_handle<> awaiting) noexcept {
    handle_.promise().continuation = awaiting;
    return handle_;
  }
  T await_resume() { return handle_.promise().take(); }

 private:
  std::coroutine_handle<promise_type> handle_;
};

/// Runs a task to its end with nobody waiting. An exception that reaches here is a bug and ends the process: whoever
/// detaches a task catches before.
inline void detach(Task<void> task) {
  struct Root {
    struct promise_type {
      Root get_return_object() noexcept { return {}; }
      std::suspend_never initial_suspend() noexcept { return {}; }
      std::suspend_never final_suspend() noexcept { return {}; }
      void return_void() noexcept {}
      [[noreturn]] void unhandled_exception() noexcept { std::terminate(); }
    };
  };
  // The parameter lives in the root's frame, and with it the whole chain, until the task has ended.
  [](Task<void> owned) -> Root { co_await owned; }(std::move(task));
}

}  // namespace tollgate
