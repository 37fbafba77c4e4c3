// The birth of a key: every member of the request is checked against the configuration in force before a byte of chance
// is spent, the store takes key and audit together, and only the answer holds the key's text.
#include "tollgate/base/ids.hpp"
#include "tollgate/base/instant.hpp"
#include "tollgate/io/secure_random.hpp"
#include "tollgate/policy/key_text.hpp"

#include "handlers.hpp"
#include "key_row.hpp"
#include "key_settings.hpp"
#include "key_view.hpp"
#include "schema.hpp"

namespace tollgate::server::admin {

namespace {

constexpr std::size_t random_size = 32;
constexpr std::size_t most_of_a_name = 2;

struct NewKey {
  policy::Key key;
  bool has_digest = false;  ///< it comes from another gateway, and its holder has it
  std::string text;         ///< else: made here, told once
};

Failure conflict(std::string message) {
  return {FailureKind::conflict, Source::client, std::move(message), "key_conflict"};
}

void read_expiry(Members& members, SystemTime now, policy::Key& key) {
  const Json* value = members.find("expires_at");
  if (!value || value->is_null()) return;
  key.expires = value->is_string() ? parse_instant(value->get_ref<const std::string&>()) : std::nullopt;
  if (!key.expires)
    return members.fault("expires_at", "expected a date or a moment in UTC, 2027-01-31 or 2027-01-31T18:00:00Z");
  if (*key.expires <= now) members.fault("expires_at", "this moment has passed");
}

void read_digest(Members& members, NewKey& made) {
  const Json* value = members.find("sha256");
  if (!value || value->is_null()) return;
  const auto digest = value->is_string() ? digest_from_hex(value->get_ref<const std::string&>()) : std::nullopt;
  if (!digest) return members.fault("sha256", "expected the 64 hex digits of a SHA-256");
  made.key.digest = *digest;
  made.has_digest = true;
}

void read_names(Members& members, const config::Snapshot& snapshot, policy::Key& key) {
  read_text(members, "tenant", key.tenant);
  if (!snapshot.tenant(key.tenant))
    members.fault("tenant", "expected the name of a tenant; GET /admin/v1/tenants lists them");
  read_text(members, "name", key.name);
  if (const auto problem = check_key_name(key.name)) members.fault("name", *problem);
}

Result<NewKey> read(const Exchange& exchange) {
  const auto body = parse_json(exchange.call.body);
  if (!body) return body.error();
  NewKey made;
  Fault fault;
  Members members(*body, {}, fault);
  read_names(members, *exchange.snapshot, made.key);
  read_expiry(members, exchange.now, made.key);
  read_settings(members, made.key.settings);
  read_digest(members, made);
  members.refuse_others();
  check_names(*exchange.snapshot, made.key.settings.rights, fault);
  if (fault) return fault.failure();
  made.key.created = exchange.now;
  return made;
}

/// What the store cannot know: the keys of the file.
std::optional<Failure> clash(const config::Snapshot& snapshot, const NewKey& made) {
  std::size_t namesakes = 0;
  for (const config::Tenant& tenant : snapshot.tenants) {
    for (const policy::Key& key : tenant.keys) {
      if (made.has_digest && same_digest(key.digest, made.key.digest))
        return conflict("this key stands in the configuration already");
      if (key.tenant == made.key.tenant && key.name == made.key.name) ++namesakes;
    }
  }
  if (namesakes < most_of_a_name) return std::nullopt;
  return conflict("the configuration has two keys of this name already; choose another name");
}

Result<void> make_text(NewKey& made) {
  const auto random = io::random_bytes<random_size>();
  if (!random) return random.error();
  made.text = policy::key_text(*random);
  made.key.digest = sha256(made.text);
  made.key.hint = policy::hint_of(made.text);
  return {};
}

Json answer_of(const io::KeyRow& row, const NewKey& made) {
  Json answer = view_of(row);
  answer["key"] = made.has_digest ? Json() : Json(made.text);
  return answer;
}

void add(Context& context, const ExchangePointer& exchange, NewKey made) {
  const io::KeyRow row = row_of(made.key, exchange->call.actor.name);
  policy::AuditEntry entry = audit_entry(*exchange, "key.create", "key/" + row.id);
  entry.after = to_text(view_of(row));
  const auto added = [&context, exchange, row, made = std::move(made)](const Result<void>& outcome) {
    // The store says why where it is the caller's to mend.
    if (!outcome && outcome.error().kind == FailureKind::bad_request)
      return exchange->refuse(conflict(outcome.error().message));
    if (!outcome) return exchange->refuse(store_unavailable());
    context.parts().key_added(made.key);
    exchange->reply(answer_of(row, made), 201, "Location: /admin/v1/keys/" + row.id + "\r\n");
  };
  context.store()->add_key(row, std::move(entry), context.later<void>(added));
}

}  // namespace

void create_key(Context& context, const ExchangePointer& exchange) {
  if (!context.store()) return exchange->refuse(no_storage());
  auto made = read(*exchange);
  if (!made) return exchange->refuse(made.error());
  if (const auto failure = clash(*exchange->snapshot, *made)) return exchange->refuse(*failure);
  if (!made->has_digest)
    if (const auto texted = make_text(*made); !texted) return exchange->refuse(texted.error());
  made->key.id = "key_" + std::string(Uuid::v7(exchange->now, context.parts().loop.random()).text());
  add(context, exchange, std::move(*made));
}

Json created_key_schema() {
  Json properties = key_properties();
  properties["key"] = scalar_of({"string", "null"}, "The key itself, told this once; null where its sha256 was given");
  return object_of(std::move(properties), "A key that was just made");
}

Json new_key_schema() {
  Json properties{{"tenant", scalar_of("string", "Whose it is to be")},
                  {"name", scalar_of("string", "1 to 128 letters, digits and . _ : @ -")},
                  {"expires_at", scalar_of({"string", "null"}, "2027-01-31 or 2027-01-31T18:00:00Z; null: never")}};
  properties.update(settings_schema()["properties"]);
  properties["sha256"] =
      scalar_of({"string", "null"}, "The hex SHA-256 of a key that its holder has already; none is made then");
  Json schema = object_of(std::move(properties), "A key to be made");
  schema["required"] = {"tenant", "name"};
  return schema;
}

}  // namespace tollgate::server::admin
