# Parts of the room that stand alone: none of them needs the loop.
set(TOLLGATE_IO_PARTS
  telemetry/metrics.cpp telemetry/metrics_text.cpp telemetry/totals.cpp telemetry/process.cpp
  telemetry/access_log.cpp telemetry/access_line.cpp telemetry/descriptor_sink.cpp
  resolver.cpp tls_context.cpp file_watch.cpp files.cpp secure_random.cpp
  storage/sqlite.cpp storage/place.cpp storage/migrations.cpp storage/store_keys.cpp storage/store_audit.cpp
  storage/store_answers.cpp storage/store_state.cpp storage/store.cpp
  idempotency/answer_shelf.cpp idempotency/hub.cpp idempotency/stored_answers.cpp)
