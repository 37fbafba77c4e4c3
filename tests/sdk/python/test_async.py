"""The asynchronous client: other transport code in the SDK, many calls at once, and leaving early."""

import asyncio

import openai
import pytest

from conftest import CLIENT
from test_chat import HELLO, text_of


def with_client(stack, use):
    async def main():
        async with openai.AsyncOpenAI(base_url=stack.base_url, **CLIENT) as client:
            return await use(client)

    return asyncio.run(main())


async def collect(stream):
    return [chunk async for chunk in stream]


def test_json_and_stream_agree(stack):
    async def use(client):
        whole = await client.chat.completions.create(model="sim/a", messages=HELLO)
        chunks = await collect(await client.chat.completions.create(model="sim/a", messages=HELLO, stream=True))
        return whole.choices[0].message.content, text_of(chunks)

    whole, streamed = with_client(stack, use)
    assert whole and whole == streamed


def test_forty_streams_at_once_do_not_mix(stack):
    async def one(client, number):
        messages = [{"role": "user", "content": f"question {number}"}]
        whole = await client.chat.completions.create(model="sim/a", messages=messages)
        chunks = await collect(await client.chat.completions.create(model="sim/a", messages=messages, stream=True))
        return whole.choices[0].message.content, text_of(chunks)

    async def use(client):
        return await asyncio.gather(*(one(client, number) for number in range(40)))

    answers = with_client(stack, use)
    assert all(whole == streamed for whole, streamed in answers)
    assert len({whole for whole, _ in answers}) > 1


def test_error_classes_hold(stack):
    async def use(client):
        with pytest.raises(openai.RateLimitError):
            await client.chat.completions.create(model="sim/x,fault=rate_limit", messages=HELLO)
        with pytest.raises(openai.APIError):
            await collect(await client.chat.completions.create(model="sim/x,fault=error_event", messages=HELLO, stream=True))

    with_client(stack, use)


def test_cancelled_call_ends_the_call_at_the_provider(stack):
    model = f"hang-{stack.name('')}"

    async def use(client):
        call = asyncio.create_task(client.chat.completions.create(model=f"scripted/{model}", messages=HELLO))
        await asyncio.to_thread(stack.wait, "asked", model=model)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call

    with_client(stack, use)
    stack.wait("left", model=model)


def test_models_by_async_iteration(stack):
    async def use(client):
        return [model.id async for model in client.models.list()]

    assert with_client(stack, use) == ["auto", "sim-small"]
