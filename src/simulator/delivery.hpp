#pragma once
#include "tollgate/simulator/truth.hpp"

#include "simulator/channel.hpp"
#include "simulator/journal.hpp"
#include "simulator/responder.hpp"

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

namespace tollgate::simulator {

/// Sends one prepared answer at its pace and with its fault. One use; references outlive it.
class Delivery {
 public:
  struct Context {
    std::shared_ptr<void> owner;  ///< of the channel
    Channel& channel;
    Journal& journal;
    TruthEntry& entry;  ///< status, tokens and first byte are noted here
    bool http_1_1 = true;
    bool keep_alive = true;  ///< what the head says
  };

  Delivery(Context context, Prepared prepared);

  /// True: everything that was planned has happened. False: the connection was over first.
  Async<bool> run();

 private:
  Async<bool> send_whole();
  Async<bool> send_stream();
  void note_tokens(std::size_t sent);
  Async<bool> send_tokens(std::string& out, std::size_t limit);
  Async<bool> strike(std::string& out);
  Async<bool> end_stream(std::string& out);
  Async<bool> send(std::string_view bytes);
  Async<bool> hang();
  bool finish();
  bool reset();

  bool fault_is(Fault fault) const { return plan_.fault == fault; }
  std::string head(const std::string& framing);
  std::string stream_head();
  void frame(std::string& out, std::string_view payload) const;
  bool append_token(std::string& out);
  Micros jittered(Micros wait);
  Micros token_interval() const;

  Context context_;
  Plan plan_;
  Answer answer_;
  Voice voice_;
  bool head_sent_ = false;
  std::size_t tokens_sent_ = 0;
  SteadyTime due_{};  ///< when the next token goes out
  std::string event_;
};

/// Sends a scripted response byte for byte. Returns like Delivery::run().
Async<bool> deliver_replay(Delivery::Context context, Replay replay, Millis first_token);

}  // namespace tollgate::simulator
