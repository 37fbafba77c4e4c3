#pragma once
#include <csignal>
#include <thread>
#include <utility>

namespace tollgate::io {

/// Starts a thread that takes no signals: they belong to the thread that waits for them, and a write to a broken pipe
/// must come back as an error. Throws std::system_error where the system has no thread to give.
template <class Body>
std::thread start_background_thread(Body body) {
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  struct Restore {
    const sigset_t& mask;
    ~Restore() { pthread_sigmask(SIG_SETMASK, &mask, nullptr); }
  } restore{before};
  return std::thread(std::move(body));
}

}  // namespace tollgate::io
