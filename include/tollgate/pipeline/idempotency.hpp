#pragma once
// Requests that carry an Idempotency-Key: how equal ones find each other, as a port that `io` implements, and the
// client's side of one, which writes the answer down on its way out. Requests without the key touch nothing of it.
#include "tollgate/base/digest.hpp"
#include "tollgate/pipeline/ports.hpp"

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace tollgate::pipeline {

/// What stands for a request among all those with a key.
struct IdempotentRequest {
  std::string scope;  ///< whose key it is: the tenant's name; empty without tenants
  Digest key{};       ///< of the Idempotency-Key
  Digest body{};      ///< of what the key was sent with: path, query and body
  SystemTime at{};    ///< when it came
};

/// A complete answer, to be given again.
struct KeptAnswer {
  std::uint16_t status = 0;
  std::string fields;  ///< header lines of the provider's, each with CRLF
  std::string body;    ///< as the client got it, without framing: of a stream all events
  bool operator==(const KeptAnswer&) const = default;
};

/// What a request with a key has to do.
enum class Turn : std::uint8_t {
  lead,         ///< call the upstream, then finish() or give up
  replay,       ///< give the answer again
  not_kept,     ///< the upstream was called and has answered; the answer was too long to keep
  conflict,     ///< the key stands for another request
  interrupted,  ///< an earlier process called the upstream and ended before the answer
  unavailable   ///< the store does not say whether the upstream was called
};

struct Verdict {
  Turn turn = Turn::lead;
  std::shared_ptr<const KeptAnswer> answer;  ///< to replay
  bool waited = false;                       ///< another request was under way meanwhile
};

/// One request's place among its equals. Destroying it gives the place up: whoever waits forgets about it, and where it
/// led, the next one leads. Worker's thread.
class AnswerClaim {
 public:
  virtual ~AnswerClaim() = default;
  /// Null as long as it is not decided; Signal::answered tells that it is.
  virtual const Verdict* verdict() const = 0;
  /// The leader's answer, for all others; null: it is too long to keep. Once.
  virtual void finish(std::shared_ptr<const KeptAnswer> answer) = 0;
};

/// The answers to requests with a key, as one worker sees them.
class IdempotentAnswers {
 public:
  virtual ~IdempotentAnswers() = default;
  /// The verdict is signalled at `point`, always later.
  virtual std::unique_ptr<AnswerClaim> claim(IdempotentRequest request, WaitPoint& point) = 0;
};

/// The client of a request with a key. Passes everything on, and keeps a copy of the answer while it is asked to.
class IdempotentClient final : public Client {
 public:
  /// What is kept of one answer; a longer one is remembered as such.
  static constexpr std::size_t longest_answer = 1024 * 1024;

  IdempotentClient(Client& client, const Digest& key) : client_(client), key_(key) {}

  const Digest& key() const { return key_; }
  void take_place(std::unique_ptr<AnswerClaim> claim) { claim_ = std::move(claim); }
  AnswerClaim* claim() const { return claim_.get(); }
  void give_up() { claim_.reset(); }
  bool replayed() const { return replayed_; }
  void set_replayed() { replayed_ = true; }

  /// Keeps what the client is sent from here on.
  void record() { recording_ = true; }
  /// The answer so far and whether it has come to its end; what was too long has no body.
  const KeptAnswer& recorded() const { return answer_; }
  KeptAnswer take_recorded() { return std::move(answer_); }
  bool ended() const { return ended_; }
  bool too_long() const { return too_long_; }

  bool take_ready_body(ByteBuffer& into) override { return client_.take_ready_body(into); }
  Task<Result<void>> read_body(ByteBuffer& into) override { return client_.read_body(into); }
  void watch() override { client_.watch(); }
  void look() override { client_.look(); }
  bool left() const override { return client_.left(); }
  bool must_stop() const override { return client_.must_stop(); }
  void begin(std::uint16_t status, std::string_view fields, BodyForm form) override;
  bool begun() const override { return client_.begun(); }
  void write(std::span<const std::string_view> pieces) override;
  void end() override;
  void abort() override { client_.abort(); }
  bool drained() override { return client_.drained(); }
  SteadyTime last_taken() const override { return client_.last_taken(); }

 private:
  Client& client_;
  const Digest key_;
  std::unique_ptr<AnswerClaim> claim_;
  KeptAnswer answer_;
  bool recording_ = false, ended_ = false, too_long_ = false, replayed_ = false;
};

}  // namespace tollgate::pipeline
