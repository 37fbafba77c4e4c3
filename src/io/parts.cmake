# Parts of the room that stand alone: none of them needs the loop.
set(TOLLGATE_IO_PARTS
  telemetry/metrics.cpp telemetry/metrics_text.cpp telemetry/totals.cpp telemetry/spending.cpp telemetry/money_text.cpp telemetry/process.cpp
  tracing/tracing_settings.cpp
  telemetry/access_log.cpp telemetry/access_line.cpp telemetry/descriptor_sink.cpp
  resolver.cpp tls_context.cpp file_watch.cpp files.cpp time_zones.cpp secure_random.cpp
  storage/sqlite.cpp storage/place.cpp storage/migrations.cpp storage/store_keys.cpp storage/store_audit.cpp storage/store_grants.cpp
  storage/store_answers.cpp storage/store_state.cpp storage/store.cpp
  storage/journal/crc32c.cpp storage/journal/record.cpp storage/journal/decode.cpp storage/journal/disk.cpp
  storage/journal/segment.cpp storage/journal/segment_reader.cpp storage/journal/open_book.cpp storage/journal/writer.cpp
  storage/journal/common.cpp storage/journal/keeper.cpp storage/journal/drainer.cpp storage/journal/recovery.cpp
  storage/journal/journal.cpp
  storage/ledger/files.cpp storage/ledger/birth.cpp storage/ledger/schema.cpp storage/ledger/names.cpp storage/ledger/rollups.cpp storage/ledger/row_values.cpp
  storage/ledger/partition.cpp storage/ledger/carried.cpp storage/ledger/store.cpp
  storage/ledger/usage_sums.cpp storage/ledger/usage_words.cpp storage/ledger/usage_groups.cpp storage/ledger/month_reader.cpp storage/ledger/usage_reader.cpp storage/ledger/usage_desk.cpp
  idempotency/answer_shelf.cpp idempotency/hub.cpp idempotency/stored_answers.cpp)
