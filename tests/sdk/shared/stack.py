#!/usr/bin/env python3
"""What every lane runs against, as one process for all languages: the simulator, a scripted provider for what the
simulator has no fault for, and the gateway (TOLLGATE_BINARY) in front of both, with `routes.yaml` or the file named as
argument.

It tells what happens in lines of JSON on stdout, so that a test waits for an event and never looks twice:

    {"event": "ready", "origin": ..., "admin": ..., "metrics": ..., "refusing": ..., "simulator": ...}
    {"event": "upstream", ...}                   a request is over at the simulator: an entry of its truth log
    {"event": "asked", "model": ..., "body": ...}    the scripted provider has read a request
    {"event": "left", "model": ...}              the gateway closed the connection of a request that was not answered
    {"event": "access", ...}                     a line of the gateway's access log

The end of stdin stops everything; the exit code is 0 where the gateway and the simulator ended in order.

The scripted provider does what the model's name says: `status-409` answers with that status, `hang` never answers, and
anything else is answered by a completion: of one word, or a call of the first tool where there are tools.
"""

import asyncio
import json
import os
import socket
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
LIMIT = 64 * 2**20


def tell(event, **fields):
    print(json.dumps({"event": event, **fields}), flush=True)


def completion(body):
    message, finish = {"role": "assistant", "content": "recorded"}, "stop"
    if tools := body.get("tools"):
        called = {"name": tools[0]["function"]["name"], "arguments": "{}"}
        calls = [{"id": "call_1", "type": "function", "function": called}]
        message, finish = {"role": "assistant", "content": None, "tool_calls": calls}, "tool_calls"
    return {
        "id": "chatcmpl-scripted",
        "object": "chat.completion",
        "created": 1,
        "model": body["model"],
        "choices": [{"index": 0, "message": message, "finish_reason": finish}],
        "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
    }


async def scripted(reader, writer):
    """One connection of the scripted provider."""
    try:
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
            length = int(head.split("\r\ncontent-length:")[1].split("\r\n")[0])
            body = json.loads(await reader.readexactly(length))
            model = body["model"]
            tell("asked", model=model, body=body)
            name, _, status = model.split(",")[0].partition("-")
            if name == "hang":
                try:
                    await reader.read(1)
                finally:  # by FIN or by reset
                    tell("left", model=model)
                return
            answer = completion(body)
            if name == "status":
                error = {"message": f"refused with {status}", "type": "test_error", "param": None, "code": "scripted"}
                answer = {"error": error}
            text = json.dumps(answer).encode()
            fields = f"content-type: application/json\r\ncontent-length: {len(text)}\r\n\r\n"
            writer.write(f"HTTP/1.1 {status or 200} Scripted\r\n{fields}".encode() + text)
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    finally:
        writer.close()


async def lines_as(event, stream):
    async for line in stream:
        tell(event, **json.loads(line))


async def truth_entries():
    """A pipe for the simulator's truth log: the descriptor to write to and the stream to read from."""
    read_end, write_end = os.pipe()
    reader = asyncio.StreamReader(limit=LIMIT)
    protocol = asyncio.StreamReaderProtocol(reader)
    await asyncio.get_running_loop().connect_read_pipe(lambda: protocol, os.fdopen(read_end, "rb"))
    return write_end, reader


async def start(*arguments, **options):
    command = [os.environ["TOLLGATE_BINARY"], *arguments]
    return await asyncio.create_subprocess_exec(*command, stdin=asyncio.subprocess.DEVNULL, limit=LIMIT, **options)


async def start_simulator():
    truth, entries = await truth_entries()
    options = ("--first-token", "5ms", "--tokens-per-second", "2000", "--truth", f"/dev/fd/{truth}")
    process = await start(
        "simulate", "--listen", "127.0.0.1:0", *options, pass_fds=[truth], stdout=asyncio.subprocess.PIPE
    )
    os.close(truth)
    said = (await process.stdout.readline()).decode()
    return process, said.split("http://")[1].split("/")[0], asyncio.create_task(lines_as("upstream", entries))


async def start_gateway(configuration):
    process = await start(
        "serve", "--config", configuration, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    addresses = {}
    while addresses.keys() < {"data", "admin", "metrics"}:
        line = (await process.stderr.readline()).decode()
        if not line:
            raise RuntimeError("the gateway ended before it listened")
        print(line, end="", file=sys.stderr)
        if line.startswith("{") and (event := json.loads(line)).get("event") == "listening":
            addresses[event["plane"]] = f"http://{event['address']}"
    return process, addresses


async def end(process):
    """Ends a process in order; its exit code."""
    if process.returncode is None:
        process.terminate()
    try:
        return await asyncio.wait_for(process.wait(), 10)
    except asyncio.TimeoutError:
        process.kill()
        return await process.wait()


async def copy(stream):
    async for line in stream:
        print(line.decode(), end="", file=sys.stderr, flush=True)


async def serve(configuration, refusing):
    provider = await asyncio.start_server(scripted, "127.0.0.1", 0, limit=LIMIT)
    simulator, simulator_address, upstream_told = await start_simulator()
    os.environ["LANE_SIMULATOR"] = simulator_address
    os.environ["LANE_SCRIPTED"] = "127.0.0.1:%d" % provider.sockets[0].getsockname()[1]
    os.environ["LANE_REFUSING"] = refusing
    try:
        gateway, addresses = await start_gateway(configuration)
    except BaseException:
        await end(simulator)
        raise
    told = [asyncio.create_task(each) for each in (copy(gateway.stderr), lines_as("access", gateway.stdout))]
    tell(
        "ready",
        origin=addresses["data"],
        admin=addresses["admin"],
        metrics=addresses["metrics"],
        simulator=f"http://{simulator_address}",
        refusing=f"http://{refusing}",
    )
    await asyncio.to_thread(sys.stdin.buffer.read)
    codes = [await end(gateway), await end(simulator)]
    await asyncio.gather(*told, upstream_told)
    return codes


def main():
    configuration = sys.argv[1] if len(sys.argv) > 1 else str(HERE / "routes.yaml")
    # Bound and never listening: a port that refuses for as long as this process lives.
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        codes = asyncio.run(serve(configuration, "127.0.0.1:%d" % bound.getsockname()[1]))
    if any(codes):
        print(f"exit codes of the gateway and the simulator: {codes}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
