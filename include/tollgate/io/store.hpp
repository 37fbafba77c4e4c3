#pragma once
// What outlives the process on one machine: keys made by the API, the audit, and answers kept for requests that come
// again with the same Idempotency-Key. One SQLite file, one process, one thread that does everything with it: no
// caller ever waits for a disk.
#include "tollgate/base/clock.hpp"
#include "tollgate/base/digest.hpp"
#include "tollgate/base/money.hpp"
#include "tollgate/base/result.hpp"
#include "tollgate/policy/audit.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace tollgate::io {

/// A key made by the API. Its own text is nowhere: only its digest, and a hint for people.
struct KeyRow {
  std::string id;  ///< unique for ever
  std::string tenant, name;
  Digest digest{};  ///< unique for ever: a key that was revoked does not come back
  std::string hint;
  SystemTime created_at{};
  std::string created_by;
  std::optional<SystemTime> expires_at, revoked_at;
  std::string settings;  ///< JSON, made and read by the caller
  bool operator==(const KeyRow&) const = default;
};

/// More money for a budget, for a while.
struct GrantRow {
  std::string budget;  ///< its path: "tenant/acme/monthly"
  Money amount;
  SystemTime until{};
  std::string reason;
  SystemTime granted_at{};
  std::string granted_by;
  bool operator==(const GrantRow&) const = default;
};

/// The answer kept for an Idempotency-Key.
struct Answer {
  int status = 0;
  std::string fields{};  ///< of the head, as the caller wrote them down
  std::string body{};
  bool operator==(const Answer&) const = default;
};

/// What became of asking to be the one who answers.
struct Claim {
  enum class State : std::uint8_t {
    claimed,      ///< yours: finish() or release() it
    running,      ///< claimed in this process before, and not finished yet
    done,         ///< `answer` is it
    interrupted,  ///< claimed by an earlier process that did not finish it: nobody knows what became of it
    conflict      ///< the key was used for another body
  };
  State state = State::claimed;
  std::optional<Answer> answer{};
};

struct AuditVerdict {
  std::uint64_t rows = 0;                       ///< that hold together, from the first one on
  std::optional<std::uint64_t> first_broken{};  ///< the sequence number at which the chain breaks, if it does
  Digest last{};                                ///< the hash of the last of `rows`
};

struct StoreOptions {
  /// How often the store looks whether its file is still there, and tries to open it again where it was not.
  Millis check_every{1000};
  /// Bytes of jobs that may wait; jobs beyond are refused. A job without long texts counts as 1 KiB.
  std::size_t queue_limit = 64 * 1024 * 1024;
  /// Told on the store's thread when reachable() has changed. What was read before may be different after a return:
  /// somebody may have put an older copy in place.
  std::function<void(bool)> on_reachable{};
};

/// All members may be called on any thread. They return at once, but for open(), load_keys(), load_grants() and the
/// destructor. Jobs are done one after the other in the order of the calls, and one that has come back well is in the
/// file: it survives the end of the process, and of the machine but for the last moments (SQLite's synchronous=NORMAL).
class Store {
 public:
  /// Called on the store's thread, exactly once, whatever happens: also when the file cannot be reached (the failure
  /// names it) and when the store is being destroyed. It must not throw. May be empty where nobody wants to know.
  template <class T>
  using Done = std::function<void(Result<T>)>;

  /// Opens the file or makes a new one, takes its lock for this process and starts the thread. Fails, and leaves the
  /// file as it is, where another process has it, where it is damaged, not ours, or of a newer version. Relative paths
  /// begin at the working directory. Blocks.
  static Result<std::unique_ptr<Store>> open(const std::string& path, StoreOptions options = {});
  /// Does what waits, then closes the file.
  ~Store();
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;

  // --- keys ---

  /// Those that are not revoked, expired ones too, the oldest first. Waits for the answer: for the start of a process,
  /// never on an event loop; throws std::logic_error on the store's own thread.
  Result<std::vector<KeyRow>> load_keys();
  void list_keys(bool include_revoked, Done<std::vector<KeyRow>> done);
  /// Adds the key and the audit's row, or neither. FailureKind::bad_request where the id or the digest has been there
  /// before, and where the tenant has two keys of that name already that are live at `row.created_at`: two are
  /// enough to replace one by the other.
  void add_key(KeyRow row, policy::AuditEntry entry, Done<void> done);
  /// Revokes the key and adds the audit's row. False, and no row, where there is no such key or it was revoked before.
  void revoke_key(std::string id, SystemTime now, policy::AuditEntry entry, Done<bool> done);

  // --- grants ---

  /// Those that have not ended at `now`, in the order in which they were added. Waits as load_keys() does.
  Result<std::vector<GrantRow>> load_grants(SystemTime now);
  /// Adds the grant and the audit's row, or neither.
  void add_grant(GrantRow row, policy::AuditEntry entry, Done<void> done);

  // --- audit ---

  void append_audit(policy::AuditEntry entry, Done<void> done);
  /// The rows after `after_seq` in order, at most `limit` and at most 10,000.
  void read_audit(std::uint64_t after_seq, std::size_t limit, Done<std::vector<policy::AuditRow>> done);
  /// Reads the whole audit in portions, other jobs in between.
  void verify_audit(Done<AuditVerdict> done);

  // --- answers, by scope (whose keys they are) and the digest of the Idempotency-Key ---

  /// A row older than 24 h at `now` counts as absent.
  void claim(std::string scope, Digest key_digest, Digest body_digest, SystemTime now, Done<Claim> done);
  /// Keeps the answer of a claim of this process. False where there is none, or it was finished before.
  void finish(std::string scope, Digest key_digest, Answer answer, Done<bool> done = {});
  /// Gives up a claim that is not finished, whichever process made it: the request may be tried anew. False where there
  /// is none.
  void release(std::string scope, Digest key_digest, Done<bool> done = {});
  /// Deletes the rows made before `time`, 1,000 at a time, other jobs in between; how many there were.
  void forget_before(SystemTime time, Done<std::uint64_t> done = {});

  // --- health ---

  bool reachable() const;
  /// When the file was last found to be well.
  SteadyTime last_good() const;

 private:
  struct State;
  explicit Store(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace tollgate::io
