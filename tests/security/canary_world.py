"""What the canaries stand in: every secret and every word as a mark, a configuration that holds them all, and the
mistakes that operators make with secrets in such a file."""

from marks import mark

ODD = "/+=.%7E~"  # what keys may hold and programs like to escape
ROLES = ("own", "operate", "read")

SECRETS = {
    each.name: each
    for each in (
        mark("provider key", "{}" + ODD), mark("provider field", "extra-{}"), mark("second provider key", "sk-{}"),
        mark("key of the file", "file{}" + ODD), mark("key known by its digest", "imported-{}"),
        mark("key of the limited tenant", "limited-{}"), mark("key of the tenant with its own credential", "owning-{}"),
        mark("the tenant's own credential", "{}-own"), mark("key of the passing tenant", "passing-{}"),
        mark("the caller's own credential", "{}" + ODD), mark("owner's token", "owner-token-{}"),
        mark("metrics token", "metrics-token-{}"), mark("key that nobody has", "nobody-{}"),
        *(mark(f"token of {role}", role + "-token-{}") for role in ROLES),
    )
}  # fmt: skip
WORDS = {
    each.name: each
    for each in (
        mark("prompt", "please tell {}", False), mark("completion", "the answer is {}", False),
        mark("end user", "user-{}", False), mark("Idempotency-Key", "again-{}", False),
    )
}  # fmt: skip

CONFIGURATION = """
version: 1
server: {{listen: ["127.0.0.1:0"], threads: 2}}
admin:
  listen: "127.0.0.1:0"
  token: '{owner}'
  tokens:
    - {{name: reader, role: read, token: '{read}'}}
    - {{name: operator, role: operate, token: '{operate}'}}
    - {{name: second, role: own, token: '{own}'}}
metrics: {{listen: "127.0.0.1:0", token: '{metrics}'}}
log: {{access: ./access.log, level: debug}}
storage: {{path: store.db}}
defaults: {{retry: {{attempts: 1}}}}    # one request, one answer of the provider, however bad
providers:
  echo:
    base_url: "http://127.0.0.1:{port}/v1"
    credentials: [{{name: main, key: '{provider}'}}]
    headers: {{X-Extra-Secret: '{field}'}}
    circuit: {{failures: 1000, min_requests: 1000000}}
  other:
    base_url: "http://127.0.0.1:{port}/v1"
    circuit: {{failures: 1000, min_requests: 1000000}}
    credentials: [{{name: main, key: '${{file:second.key}}'}}]
models:
  m: {{provider: echo}}
  "sim/*": {{provider: echo, name: "*"}}
  "other/*": {{provider: other, name: "*"}}
routes:
  auto: {{primary: m}}
tenants:
  acme:
    tags: {{team: blue}}
    keys:
      - {{name: ci, secret: '{file}', may_delegate: true}}
      - {{name: imported, sha256: "{imported}"}}
    end_user_limits: {{requests_per_minute: 100000}}
  limited:
    keys: [{{name: ci, secret: '{limited}'}}]
    limits: {{requests_per_minute: 1, burst: 60s}}
  owning:
    credentials: {{echo: [{{name: own, key: '{tenants_own}'}}]}}
    keys: [{{name: ci, secret: '{owning}'}}]
  passing:
    credentials: client
    keys: [{{name: ci, secret: '{passing}'}}]
"""

FIRST_PROVIDER = """base_url: "http://127.0.0.1:{port}/v1"
    credentials: [{{name: main, key: '{provider}'}}]"""
# What operators get wrong: (what, in the good text, instead).
MISTAKES = (
    ("a blank in a secret", "secret: '{file}'", "secret: '{file} x'"),
    ("a secret in a list", "secret: '{file}'", "secret: ['{file}']"),
    ("a secret in a map", "secret: '{file}'", "secret: {{it: '{file}'}}"),
    ("a secret under a misspelled key", "secret: '{file}'", "scret: '{file}'"),
    ("a secret twice", "secret: '{file}'", "secret: '{file}', secret: '{limited}'"),
    ("a secret and its digest", "secret: '{file}'", "secret: '{file}', sha256: \"{imported}\""),
    ("a secret without its quote", "secret: '{file}'", "secret: '{file}"),
    ("a secret of two tenants", "secret: '{limited}'", "secret: '{file}'"),
    ("a secret where its digest belongs", 'sha256: "{imported}"', "sha256: '{file}'"),
    ("a secret in place of a key", "keys: [{{name: ci, secret: '{limited}'}}]", "keys: ['{limited}']"),
    ("a secret in place of the keys", "keys: [{{name: ci, secret: '{limited}'}}]", "keys: '{limited}'"),
    ("a provider's key in place of the credentials", "credentials: [{{name: main, key: '{provider}'}}]",
     "credentials: '{provider}'"),
    ("a provider's key in place of a credential", "credentials: [{{name: main, key: '{provider}'}}]",
     "credentials: ['{provider}']"),
    ("a provider's key with a blank", "key: '{provider}'", "key: '{provider} '"),
    ("a provider's key in its address", FIRST_PROVIDER,
     "base_url: 'http://user:{provider}@127.0.0.1:{port}/v1'"),
    ("a provider's key in its address's query", FIRST_PROVIDER,
     "base_url: 'http://127.0.0.1:{port}/v1?key={provider}'"),
    ("a line break in a field", "X-Extra-Secret: '{field}'", 'X-Extra-Secret: "{field}\\n"'),
    ("a field that is the gateway's", "X-Extra-Secret: '{field}'", "Authorization: 'Bearer {field}'"),
    ("fields in a list", "headers: {{X-Extra-Secret: '{field}'}}", "headers: ['X-Extra-Secret: {field}']"),
    ("a tenant's credential where a word belongs", "credentials: client", "credentials: '{tenants_own}'"),
    ("a tenant's credential without a list", "credentials: {{echo: [{{name: own, key: '{tenants_own}'}}]}}",
     "credentials: {{echo: '{tenants_own}'}}"),
    ("a token in place of the tokens", "- {{name: reader, role: read, token: '{read}'}}", "- '{read}'"),
    ("a token with a blank", "token: '{owner}'", "token: '{owner} '"),
    ("a token in a list", "token: '{owner}'", "token: ['{owner}']"),
    ("a metrics token in a map", "token: '{metrics}'", "token: {{it: '{metrics}'}}"),
)  # fmt: skip


def values(port):
    text = {name: each.text for name, each in SECRETS.items()}
    return {
        "port": port, "owner": text["owner's token"], "metrics": text["metrics token"],
        "provider": text["provider key"],
        "field": text["provider field"], "file": text["key of the file"],
        "imported": SECRETS["key known by its digest"].digest.hex(), "limited": text["key of the limited tenant"],
        "owning": text["key of the tenant with its own credential"], "tenants_own": text["the tenant's own credential"],
        "passing": text["key of the passing tenant"], **{role: text[f"token of {role}"] for role in ROLES},
    }  # fmt: skip
