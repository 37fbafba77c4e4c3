#include "tollgate/io/idempotency.hpp"

#include <utility>

namespace tollgate::io {

namespace {

class StoredAnswers final : public AnswerStore {
 public:
  explicit StoredAnswers(Store& store) : store_(store) {}
  void claim(const std::string& scope, const Digest& key, const Digest& body, SystemTime now,
             std::function<void(Result<Claim>)> done) override {
    store_.claim(scope, key, body, now, std::move(done));
  }
  void finish(const std::string& scope, const Digest& key, Answer answer,
              std::function<void(Result<bool>)> done) override {
    store_.finish(scope, key, std::move(answer), std::move(done));
  }
  void release(const std::string& scope, const Digest& key) override { store_.release(scope, key); }
  void forget_before(SystemTime time) override { store_.forget_before(time); }

 private:
  Store& store_;
};

}  // namespace

std::unique_ptr<AnswerStore> answers_in(Store& store) { return std::make_unique<StoredAnswers>(store); }

}  // namespace tollgate::io
