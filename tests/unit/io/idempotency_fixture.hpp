#pragma once
// What the tests of the hub for Idempotency-Keys have in common: a store that the test plays, and requests that note
// down what they are told.
#include "tollgate/io/idempotency.hpp"

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace tollgate::io::test {

using pipeline::IdempotentRequest;
using pipeline::KeptAnswer;
using pipeline::Turn;
using pipeline::Verdict;
using Seat = std::unique_ptr<IdempotencyHub::Seat>;

inline const SystemTime noon = SystemTime{} + std::chrono::hours(500'000);

/// A store of one process whose jobs are done when the test says so.
class PlayedStore final : public AnswerStore {
 public:
  struct Row {
    Digest body{};
    SystemTime at{};
    bool ours = true;
    std::optional<Answer> answer;
  };
  using Key = std::pair<std::string, Digest>;

  void claim(const std::string& scope, const Digest& key, const Digest& body, SystemTime now,
             std::function<void(Result<Claim>)> done) override {
    jobs.push_back([this, id = Key(scope, key), body, now, done] {
      ++claims;
      done(broken ? Result<Claim>(gone()) : Result<Claim>(claimed(id, body, now)));
    });
  }
  void finish(const std::string& scope, const Digest& key, Answer answer,
              std::function<void(Result<bool>)> done) override {
    jobs.push_back([this, id = Key(scope, key), answer, done] {
      if (broken) return done(gone());
      const auto row = rows.find(id);
      if (row == rows.end()) return done(false);
      row->second.answer = answer;
      done(true);
    });
  }
  void release(const std::string& scope, const Digest& key) override {
    jobs.push_back([this, id = Key(scope, key)] {
      if (!broken) rows.erase(id);
    });
  }
  void forget_before(SystemTime time) override { forgotten_before = time; }

  /// Does what waits, and what comes of it.
  void work() {
    while (!jobs.empty()) {
      const auto job = std::move(jobs.front());
      jobs.pop_front();
      job();
    }
  }

  std::deque<std::function<void()>> jobs;
  std::map<Key, Row> rows;
  bool broken = false;
  int claims = 0;
  SystemTime forgotten_before{};

 private:
  static Failure gone() { return {FailureKind::overloaded, Source::gateway, "gone"}; }
  Claim claimed(const Key& id, const Digest& body, SystemTime now) {
    const auto row = rows.find(id);
    if (row == rows.end() || row->second.at < now - std::chrono::hours(24)) {
      rows[id] = {body, now, true, {}};
      return {};
    }
    if (row->second.body != body) return {Claim::State::conflict, {}};
    if (row->second.answer) return {Claim::State::done, row->second.answer};
    return {row->second.ours ? Claim::State::running : Claim::State::interrupted, {}};
  }
};

inline std::shared_ptr<const KeptAnswer> answer_of(const std::string& body) {
  return std::make_shared<const KeptAnswer>(KeptAnswer{200, "Content-Type: application/json\r\n", body});
}

/// One request and what it was told.
struct Asker {
  Asker(IdempotencyHub& hub, const std::string& body, SystemTime at = noon, const std::string& key = "k",
        const std::string& scope = "acme")
      : seat(hub.claim({scope, sha256(key), sha256(body), at},
                       [told = told](Verdict verdict) { told->push_back(std::move(verdict)); })) {}
  bool waits() const { return told->empty(); }
  Turn turn() const { return told->size() == 1 ? told->front().turn : throw std::logic_error("not told once"); }
  std::string body() const { return told->front().answer->body; }
  void leave() { seat.reset(); }

  std::shared_ptr<std::vector<Verdict>> told = std::make_shared<std::vector<Verdict>>();
  Seat seat;
};

}  // namespace tollgate::io::test
