"""Marks: values that stand nowhere else in the world, so that one that is found has come from where it was put. Each is
looked for in every form in which a program might write it down."""

import base64
import hashlib
from dataclasses import dataclass
from functools import cached_property

LEAST_FOUND = 12  # bytes of a form; shorter ones could be chance


@dataclass(frozen=True)
class Mark:
    name: str
    text: str  # the whole value, as a client or a configuration has it
    core: str  # letters and digits of it that every way of escaping leaves alone
    secret: bool = True  # else a prompt, a completion, an end user, an Idempotency-Key

    @cached_property
    def digest(self):
        return hashlib.sha256(self.text.encode()).digest()


def mark(name, shape="{}", secret=True):
    """The same in every run. `shape` is what stands around the core."""
    random = base64.b32encode(hashlib.sha256(f"canary {name}".encode()).digest()).decode().lower()
    core = f"cnry{random[:24]}"
    return Mark(name, shape.format(core), core, secret)


def base64_forms(data):
    """What base64 makes of it at each of its three places in a longer text, less the uncertain ends."""
    for shift in range(3):
        coded = base64.b64encode(b"\0" * shift + data)
        inner = coded[(shift * 8 + 5) // 6 : (shift + len(data)) * 8 // 6]
        yield inner
        yield inner.replace(b"+", b"-").replace(b"/", b"_")


def forms_of_core(core):
    data = core.encode()
    yield "as it is", data
    yield "in upper case", data.upper()
    for inner in base64_forms(data):
        yield "in base64", inner
    yield "in hex", data.hex().encode()
    yield "in hex", data.hex().upper().encode()
    yield "percent-encoded", "".join(f"%{byte:02X}" for byte in data).encode()
    yield "percent-encoded", "".join(f"%{byte:02x}" for byte in data).encode()
    yield "in JSON escapes", "".join(f"\\u{byte:04x}" for byte in data).encode()
    yield "in JSON escapes", "".join(f"\\u{byte:04X}" for byte in data).encode()
    yield "backwards", data[::-1]


def forms_of_digest(digest):
    yield "as its SHA-256 in hex", digest.hex().encode()
    yield "as its SHA-256 in hex", digest.hex().upper().encode()
    for inner in base64_forms(digest):
        yield "as its SHA-256 in base64", inner


class Search:
    """Looks for many marks. `with_digests`: for what was hashed, too; `with_raw_digests`: in files, as bytes."""

    def __init__(self, marks, with_raw_digests=False):
        self.needles = {}
        for each in marks:
            for form, needle in forms_of_core(each.core):
                self._add(needle, each, form)
            for form, needle in forms_of_digest(each.digest):
                self._add(needle, each, form)
            if with_raw_digests:
                self._add(each.digest, each, "as its SHA-256")

    def _add(self, needle, each, form):
        assert len(needle) >= LEAST_FOUND, (each.name, form)
        self.needles.setdefault(needle, (each, form))

    def in_text(self, text):
        """(mark, form, where) of each that is found, all its places."""
        for needle, (each, form) in self.needles.items():
            at = text.find(needle)
            while at >= 0:
                yield each, form, at
                at = text.find(needle, at + 1)


def self_test():
    one, other = mark("self-test", "a/{}+b"), mark("self-test, the other one")
    search = Search([one, other], with_raw_digests=True)
    text = one.text.encode()
    digest = hashlib.sha256(text).digest()
    samples = {
        "as it is": b"key=" + text,
        "in base64": b"Basic " + base64.b64encode(b"user:" + text),
        "in hex": text.hex().encode(),
        "percent-encoded": "".join(f"%{byte:02x}" for byte in text).encode(),
        "in JSON escapes": "".join(f"\\u{byte:04x}" for byte in text).encode(),
        "as its SHA-256 in hex": b"hash " + digest.hex().encode(),
        "as its SHA-256 in base64": base64.urlsafe_b64encode(b"x" + digest),
        "as its SHA-256": b"\0\1" + digest,
    }
    for shift in range(3):
        samples[f"in base64, {shift}"] = base64.b64encode(b"a" * shift + text + b"zz")
    wrong = []
    for form, sample in samples.items():
        found = {(each.name, kind) for each, kind, _ in search.in_text(b"before " + sample + b" behind")}
        if found != {(one.name, form.partition(",")[0])}:
            wrong.append(f"{form}: found {found}")
    if list(search.in_text(b"nothing of it " * 100)):
        wrong.append("something was found in nothing")
    return wrong
