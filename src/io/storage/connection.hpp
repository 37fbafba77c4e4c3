#pragma once
#include "io/storage/migrations.hpp"
#include "io/storage/sqlite.hpp"
#include "io/storage/store_answers.hpp"
#include "io/storage/store_audit.hpp"
#include "io/storage/store_grants.hpp"
#include "io/storage/store_keys.hpp"

#include <memory>
#include <string>
#include <utility>

namespace tollgate::io::storage {

/// The open file and its tables. One thread at a time.
struct Connection {
  static Result<std::unique_ptr<Connection>> open(const std::string& path, Expect expect, std::int64_t process) {
    auto database = sqlite::Database::open(path);
    if (!database) return database.error();
    if (const auto prepared = prepare(**database, expect); !prepared) return prepared.error();
    return std::make_unique<Connection>(std::move(*database), process);
  }
  Connection(std::unique_ptr<sqlite::Database> opened, std::int64_t process)
      : database(std::move(opened)),
        keys(*database),
        grants(*database),
        audit(*database),
        answers(*database, process) {}

  const std::unique_ptr<sqlite::Database> database;  // before the tables: their statements must end first
  KeyTable keys;
  GrantTable grants;
  AuditTable audit;
  AnswerTable answers;
};

}  // namespace tollgate::io::storage
