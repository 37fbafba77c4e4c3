#pragma once
#include "tollgate/base/result.hpp"
#include "tollgate/config/snapshot.hpp"
#include "tollgate/server/worker.hpp"

#include <memory>
#include <string>
#include <vector>

namespace tollgate::server {

/// Accepts connections on one address and hands them to its workers in turn. Lives on the first worker's loop.
class Listener {
 public:
  /// Binds and listens at once, so that a taken port is known at start-up; accepts from start() on.
  static Result<std::unique_ptr<Listener>> open(const config::ListenAddress& address, Plane plane,
                                                std::vector<Worker*> workers);
  ~Listener();

  void start();
  /// Takes no more connections. On the loop, or when it has stopped.
  void close();
  /// The address as it is: with the port that the system chose, where it was 0.
  const std::string& address() const;

 private:
  struct State;
  explicit Listener(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace tollgate::server
