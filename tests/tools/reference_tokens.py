#!/usr/bin/env python3
"""Asks tiktoken, on the rank files in build/data, how many tokens a text is.

    reference_tokens.py write                          tests/data/tokens/corpus.jsonl anew, with the reference's counts
    reference_tokens.py compare PROGRAM [--texts N]    seeded random texts, and every code point: how often the tool
                                                       count_tokens (PROGRAM) says something else

A line of the corpus is {"language", "text"}; `write` adds the counts. Needs the package tiktoken (pip install
tiktoken==0.14.0); nothing is fetched when it runs."""

import argparse
import base64
import json
import random
import subprocess
import sys
import unicodedata
from pathlib import Path

import tiktoken
import tiktoken_ext.openai_public as published

ROOT = Path(__file__).resolve().parent.parent.parent
CORPUS = ROOT / "tests" / "data" / "tokens" / "corpus.jsonl"
ENCODINGS = ("o200k_base", "cl100k_base")
# What the parts of the expressions begin, end and give back at.
MORSELS = [" ", "  ", "\n", "\r\n", "\t", "a", "B", "'s", "'S", "'ll", "'RE", "'\u017f", "\u00e9", "e\u0301", "\u0301", "\u4e2d",
           "\u0e01\u0e35", "\u0939\u093f", "1", "23", "\u0664", "\u2160", "!", "/", "//", "...", "\u3000", "\u00a0", "\u2028",
           "\u0085", "\x0b", "\x1c", "\U0001f600", "\u200d", "\u01c5", "\u02b0", "ABC", "Abc", "abc", "\u00df", "\u1e9e", "\x00",
           "\u0394", "\u03b4", "don't", "I'M", "we'Ve", "\ufffd", "\uac00", "'", '"', "_", "-", "--", "\u0130", "\u0131"]
# A piece of more bytes than this is cut by the counter, so it may differ there (longest_token_piece).
LONGEST_PIECE = 2048


def load(name):
    def local_ranks(_address, expected_hash):
        del expected_hash  # scripts/setup.sh has compared it
        lines = (ROOT / "build" / "data" / f"{name}.tiktoken").read_bytes().splitlines()
        return {base64.b64decode(token): int(rank) for token, rank in (line.split() for line in lines)}

    published.load_tiktoken_bpe = local_ranks
    return tiktoken.Encoding(**getattr(published, name)())


def is_shown(character):
    return character in " " or unicodedata.category(character) not in ("Cc", "Cf", "Zs", "Zl", "Zp", "Mn", "Co", "Cn")


def to_line(entry):
    """JSON with what an editor would not show as it is written as escapes."""
    plain = json.dumps(entry, ensure_ascii=False)
    return "".join(c if is_shown(c) else json.dumps(c)[1:-1] for c in plain) + "\n"


def write():
    encodings = {name: load(name) for name in ENCODINGS}
    entries = [json.loads(line) for line in CORPUS.read_text().split("\n") if line]
    for entry in entries:
        for name, encoding in encodings.items():
            entry[name] = len(encoding.encode_ordinary(entry["text"]))
    CORPUS.write_text("".join(map(to_line, entries)))
    print(f"{len(entries)} texts")


def random_texts(count):
    chance = random.Random(20261122)
    code_points = [code for code in range(0x110000) if not 0xD800 <= code < 0xE000]
    snippets = [json.loads(line)["text"] for line in CORPUS.read_text().split("\n") if line]
    for _ in range(count):
        yield "".join(chance.choice(MORSELS) for _ in range(chance.randint(1, 14)))
        yield "".join(chr(chance.choice(code_points)) for _ in range(chance.randint(1, 30)))
        yield "".join(chance.choice("abcdefghijklmnopqrstuvwxyzABC") for _ in range(chance.randint(1, LONGEST_PIECE)))
        first, second = chance.choice(snippets), chance.choice(snippets)
        yield first[:chance.randrange(len(first) + 1)] + second[chance.randrange(len(second)):]
    for text in ("a", "ab", " ", "=", "\u30fc", "\u00e1", "-"):
        yield from (text * length for length in range(1, LONGEST_PIECE // len(text.encode()) + 1, 7))


def every_code_point():
    """Each among neighbours that tell its class from every other."""
    return (f"a{chr(c)}B{chr(c)}{chr(c)}  {chr(c)}1{chr(c)}\n" for c in range(0x110000) if not 0xD800 <= c < 0xE000)


def compare(program, count):
    differing = 0
    for title, texts in (("random texts", list(random_texts(count // 4))), ("code points", list(every_code_point()))):
        lines = "".join(json.dumps(text) + "\n" for text in texts)
        for name in ENCODINGS:
            encoding = load(name)
            result = subprocess.run([program, "--each", name], input=lines, capture_output=True, text=True, check=True)
            counts = list(map(int, result.stdout.split()))
            assert len(counts) == len(texts), "not as many counts as texts"
            wrong = [(text, count) for text, count in zip(texts, counts) if len(encoding.encode_ordinary(text)) != count]
            for text, counted in wrong[:5]:
                print(f"  {text!r}: {counted} instead of {len(encoding.encode_ordinary(text))}")
            print(f"{name}: {len(texts)} {title}, {len(wrong)} counted otherwise ({100 * len(wrong) / len(texts):.4f} %)")
            differing += len(wrong)
    return 1 if differing else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("write")
    comparing = commands.add_parser("compare")
    comparing.add_argument("program")
    comparing.add_argument("--texts", type=int, default=8000)
    arguments = parser.parse_args()
    sys.exit(write() if arguments.command == "write" else compare(arguments.program, arguments.texts))


if __name__ == "__main__":
    main()
