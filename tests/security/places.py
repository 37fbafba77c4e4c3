"""Every place of a request in which a value can stand, right or wrong: what a caller may by mistake put a key into, and
what an attacker puts anything into. A place makes the bytes of a request from a value."""

import base64
import json
from dataclasses import dataclass
from urllib.parse import quote

from client import request

CHAT = "/v1/chat/completions"

# Whole lines. The gateway reads some of them as credentials, lets some cross, and ignores the rest.
CREDENTIAL_FIELDS = (
    "Authorization: Bearer {}", "Authorization: {}", "Authorization: bearer  {}", "Authorization: Basic {base64}",
    "Authorization: Token {}", "x-api-key: {}", "api-key: {}", "x-tollgate-key: {}", "x-goog-api-key: {}",
    "Proxy-Authorization: Bearer {}", "Cookie: session={}", "x-auth-token: {}",
)  # fmt: skip
FIELDS = (
    "User-Agent: {}", "Referer: https://example.com/?key={}", "Origin: https://{}", "X-Forwarded-For: {}",
    "X-Forwarded-Host: {}", "Forwarded: for={}", "Via: 1.1 {}", "OpenAI-Organization: {}", "OpenAI-Beta: {}",
    "x-tollgate-user: {}", "x-tollgate-timeout-ms: {}", "x-tollgate-route: {}", "Idempotency-Key: {}",
    "Content-Type: application/{}", "Accept: {}", "Accept-Encoding: {}", "Content-Encoding: {}", "Expect: {}",
    "Connection: {}", "Upgrade: {}", "Transfer-Encoding: {}", "Content-Length: {}", "traceparent: {}",
    "baggage: key={}", "{}: x", "x {}: y", "x\x01: {}", "If-None-Match: {}", "Range: {}",
    "Access-Control-Request-Headers: {}",
)  # fmt: skip
TARGETS = (
    "/v1/{}", "/{}", "/v1/models/{}", "/v1/models/sim%2F{}", "/v1/chat/completions/{}", "/v1/chat/completions?key={}",
    "/v1/chat/completions?{}=1", "/v1/chat/completions?api_key={}&key={}", "/health/{}", "/health/live?{}",
    "/metrics?token={}", "/admin/v1/keys/{}", "/admin/v1/keys?tenant={}", "/v1/../{}", "/v1/%zz{}", "/v1/chat;{}",
    "/v1/#{}", "http://{}/v1/models",
)  # fmt: skip
MESSAGES = [{"role": "user", "content": "hi"}]
# Members beside or instead of the usual ones; a callable makes the whole body.
MEMBERS = {
    "model": lambda value: {"model": value},
    "a model's part": lambda value: {"model": f"sim/{value}"},
    "messages": lambda value: {"messages": [{"role": "user", "content": value}]},
    "role": lambda value: {"messages": [{"role": value, "content": "hi"}]},
    "messages that are none": lambda value: {"messages": value},
    "an image's address": lambda value: {
        "messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": f"https://{value}/x"}}]}]
    },
    "user": lambda value: {"user": value},
    "safety_identifier": lambda value: {"safety_identifier": value},
    "metadata": lambda value: {"metadata": {value: value}},
    "stream": lambda value: {"stream": value},
    "stream_options": lambda value: {"stream": True, "stream_options": value},
    "max_tokens": lambda value: {"max_tokens": value},
    "n": lambda value: {"n": value},
    "stop": lambda value: {"stop": [value]},
    "tools": lambda value: {"tools": [{"type": "function", "function": {"name": "f", "description": value}}]},
    "an unknown member": lambda value: {value: value},
    "api_key": lambda value: {"api_key": value, "api_base": f"http://{value}"},
}  # fmt: skip
BODIES = {
    "a body that is no JSON": lambda value: value,
    "a body that ends early": lambda value: '{"model":"m","messages":[{"role":"user","content":"%s' % value,
    "a member twice": lambda value: '{"model":"m","model":%s,"messages":[]}' % json.dumps(value),
    "a body that is a string": lambda value: json.dumps(value),
    "a key without quotes": lambda value: "{%s:1}" % value,
}
LINES = ("{} /v1/models HTTP/1.1", "GET /v1/models HTTP/{}", "GET /v1/models {}", "{}")


@dataclass(frozen=True)
class Place:
    name: str
    make: object  # (value, key) -> bytes; key "" sends none
    credential: bool = False  # what stands here is never repeated to anybody


def percent(value):
    return quote(value.encode("utf-8", "surrogateescape"), safe="")


def bearer(key):
    return [f"Authorization: Bearer {key}"] if key else []


def chat_body(**members):
    return json.dumps({"model": "sim/error/400/json", "messages": MESSAGES, **members}).encode()


def with_field(line):
    def make(value, key):
        filled = line.replace("{base64}", base64.b64encode(f"user:{value}".encode()).decode()).replace("{}", value)
        fields = [] if filled.lower().startswith("authorization:") else bearer(key)
        # Its answer is kept, so it is none that repeats what its client sent.
        body = chat_body(model="m") if filled.startswith("Idempotency-Key:") else chat_body()
        return request("POST", CHAT, [*fields, filled], body)

    return make


def with_target(target, method):
    def make(value, key):
        body = chat_body() if method == "POST" else b""
        return request(method, target.replace("{}", percent(value)), bearer(key), body)

    return make


def with_members(members):
    return lambda value, key: request("POST", CHAT, bearer(key), chat_body(**members(value)))


def with_body(body):
    return lambda value, key: request("POST", CHAT, bearer(key), body(value).encode())


def with_line(line):
    def make(value, key):
        head = [line.replace("{}", value), "Host: localhost", *bearer(key)]
        return "\r\n".join(head).encode() + b"\r\n\r\n"

    return make


def all_places():
    places = [Place(f"field {line}", with_field(line), True) for line in CREDENTIAL_FIELDS]
    places += [Place(f"field {line!r}", with_field(line)) for line in FIELDS]
    places += [Place("field Host", lambda value, key: request("POST", CHAT, bearer(key), chat_body(), host=value))]
    for target in TARGETS:
        method = "POST" if CHAT in target else "GET"
        places.append(Place(f"target {target}", with_target(target, method)))
    places += [Place(f"first line {line}", with_line(line)) for line in LINES]
    places += [Place(f"member {name}", with_members(make)) for name, make in MEMBERS.items()]
    places += [Place(name, with_body(make)) for name, make in BODIES.items()]
    return places


KEY = {"tenant": "acme", "name": "place"}
# Of POST /admin/v1/keys: no value that is put here is one that is taken.
KEY_MEMBERS = {
    "tenant": lambda value: {"tenant": value},
    "name": lambda value: {"name": f"{value} /"},
    "expires_at": lambda value: {"expires_at": value},
    "addresses": lambda value: {"addresses": [value]},
    "addresses that are no list": lambda value: {"addresses": value},
    "allow.routes": lambda value: {"allow": {"routes": [value]}},
    "allow.models": lambda value: {"allow": {"models": [value]}},
    "deny.models": lambda value: {"deny": {"models": [value]}},
    "deny": lambda value: {"deny": value},
    "limits": lambda value: {"limits": value},
    "limits.requests_per_minute": lambda value: {"limits": {"requests_per_minute": value}},
    "limits.burst": lambda value: {"limits": {"requests_per_minute": 1, "burst": value}},
    "limits.count": lambda value: {"limits": {"tokens_per_minute": 1, "count": value}},
    "an unknown limit": lambda value: {"limits": {value: 1}},
    "may_delegate": lambda value: {"may_delegate": value},
    "max_priority": lambda value: {"max_priority": value},
    "cache": lambda value: {"cache": value},
    "max_timeout": lambda value: {"max_timeout": value},
    "sha256": lambda value: {"sha256": value},
    "an unknown member": lambda value: {value: value},
}
KEY_BODIES = {
    "a body that is no JSON": lambda value: value,
    "a body that ends early": lambda value: '{"tenant":"acme","name":"%s' % value,
    "a member twice": lambda value: '{"tenant":"acme","tenant":%s}' % json.dumps(value),
    "a list": lambda value: json.dumps([value]),
}
ADMIN_TARGETS = (
    "GET /admin/v1/keys?tenant={}", "GET /admin/v1/keys?include_revoked={}", "GET /admin/v1/keys?{}=1",
    "GET /admin/v1/keys/{}", "DELETE /admin/v1/keys/{}", "GET /admin/v1/tenants/{}", "GET /admin/v1/audit?after={}",
    "GET /admin/v1/audit?limit={}", "GET /admin/v1/audit/{}", "GET /admin/v1/{}", "POST /admin/v1/reload?file={}",
    "GET /admin/v1/config?token={}",
)  # fmt: skip


def with_key_members(members):
    def make(value, token):
        body = json.dumps({**KEY, **members(value)}).encode()
        return request("POST", "/admin/v1/keys", bearer(token), body)

    return make


def with_key_body(body):
    return lambda value, token: request(
        "POST", "/admin/v1/keys", bearer(token), body(value).encode("utf-8", "surrogateescape")
    )


def with_admin_target(line):
    method, target = line.split(" ")

    def make(value, token):
        return request(method, target.replace("{}", percent(value)), bearer(token))

    return make


def admin_places():
    places = [Place(f"target {line}", with_admin_target(line)) for line in ADMIN_TARGETS]
    places += [Place(f"member {name}", with_key_members(make)) for name, make in KEY_MEMBERS.items()]
    places += [Place(name, with_key_body(make)) for name, make in KEY_BODIES.items()]
    return places
