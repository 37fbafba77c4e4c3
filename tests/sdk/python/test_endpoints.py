"""Everything besides chat that the SDK offers and the gateway serves: embeddings, models, responses, moderations."""

import openai
import pytest


def test_embeddings_as_the_sdk_asks_by_default(client):
    # The SDK asks for base64 and decodes it; a list of floats arrives either way.
    answer = client.embeddings.create(model="auto", input="tollgate")
    assert len(answer.data[0].embedding) == 1536
    assert all(isinstance(number, float) for number in answer.data[0].embedding)
    assert answer.usage.prompt_tokens == 1


def test_embeddings_base64_and_float_are_the_same_numbers(client):
    packed = client.embeddings.create(model="auto", input=["a", "b"]).data
    plain = client.embeddings.create(model="auto", input=["a", "b"], encoding_format="float").data
    assert [item.index for item in packed] == [0, 1]
    for one, other in zip(packed, plain, strict=True):
        assert one.embedding == pytest.approx(other.embedding, abs=1e-6)


def test_models_are_those_of_the_configuration(client):
    assert [model.id for model in client.models.list()] == ["auto", "sim-small"]


def test_one_model_is_retrieved(client):
    model = client.models.retrieve("sim-small")
    assert (model.id, model.object) == ("sim-small", "model")


def test_unknown_model_is_not_retrieved(client):
    with pytest.raises(openai.NotFoundError) as caught:
        client.models.retrieve("nothing-like-it")
    assert caught.value.code == "model_not_found"


def test_responses_pass_through(client):
    answer = client.responses.create(model="auto", input="Say something about tollgates.")
    assert answer.status == "completed"
    assert answer.output_text


def test_responses_stream_passes_through(client):
    events = list(client.responses.create(model="auto", input="Say something about tollgates.", stream=True))
    assert events[0].type == "response.created"
    assert events[-1].type == "response.completed"
    text = "".join(event.delta for event in events if event.type == "response.output_text.delta")
    assert text == events[-1].response.output_text


def test_moderation_passes_through(client):
    answer = client.moderations.create(model="auto", input=["one", "two"])
    assert len(answer.results) == 2
