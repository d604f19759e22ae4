"""The goal: a client is made of what the environment and the options say, and keeps its token to itself."""

from __future__ import annotations

import pickle
import traceback

import pytest

import agentstate
from agentstate.options import Endpoints, Settings, Token, settings_of


def settings(endpoints: Endpoints | None = None, token: Token = None) -> Settings:
    return settings_of(endpoints, region=None, token=token, timeout=1.0, retry=None, max_response_bytes=1)


def test_endpoints_come_from_the_options_then_the_environment_then_the_default(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def urls(endpoints: Endpoints | None = None) -> list[str]:
        return [one.url for one in settings(endpoints).endpoints]

    assert urls() == ["http://127.0.0.1:8080"]
    monkeypatch.setenv("AGENTSTATE_ENDPOINT", "http://a:1/, https://b/base/")
    assert urls() == ["http://a:1", "https://b/base"]
    assert urls(["http://c", agentstate.Endpoint("http://d", "eu")]) == ["http://c", "http://d"]


def test_tokens_come_from_the_option_then_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    assert settings().token() is None
    monkeypatch.setenv("AGENTSTATE_API_KEY", "key")
    assert settings().token() == "key"
    monkeypatch.setenv("AGENTSTATE_TOKEN", "token")
    assert settings().token() == "token"
    assert settings(token="given").token() == "given"
    assert settings(token=lambda: "fresh").token() == "fresh"
    assert settings(token=False).token() is None


@pytest.mark.parametrize("endpoint", ["ftp://x", "x", "http://", "http://h:x", "http://u:s3cret@host"])
def test_what_is_no_endpoint_is_refused(endpoint: str) -> None:
    with pytest.raises(agentstate.ConfigurationError) as raised:
        agentstate.Client(endpoint)
    assert "s3cret" not in str(raised.value)


@pytest.mark.parametrize("token", ["s3cret\n", "s3cret é", " s3cret"])
def test_a_token_that_no_header_can_carry_is_refused_without_being_repeated(token: str) -> None:
    with pytest.raises(agentstate.ConfigurationError) as raised:
        agentstate.Client(token=token)
    assert "s3cret" not in str(raised.value)
    client = agentstate.Client(token=lambda: token)
    with pytest.raises(agentstate.ConfigurationError) as later:
        client.get("ns", "id")
    assert "s3cret" not in str(later.value)


def test_neither_a_client_nor_an_error_shows_the_token() -> None:
    client = agentstate.Client("http://127.0.0.1:1", token="s3cret", retry=agentstate.Retry(max_retries=0))
    assert "s3cret" not in repr(client) + repr(vars(client)) + repr(vars(client._transport))
    with pytest.raises(agentstate.ConnectionError) as raised:
        client.get("ns", "id")
    assert "s3cret" not in "".join(traceback.format_exception(raised.value))


def test_errors_survive_a_process_boundary() -> None:
    error = agentstate.NotFoundError({"status": 404, "code": "not_found", "detail": "no", "request_id": "r"})
    copy = pickle.loads(pickle.dumps(error))
    assert (type(copy), copy.status, copy.code, str(copy)) == (type(error), 404, "not_found", str(error))


def test_a_model_can_be_a_body_and_be_read_as_one() -> None:
    from agentstate._calls import put

    class Task(agentstate.StoredObject):
        pass

    call = put("ns", {"id": "a", "body": Task(id="x", ns="n", commit_seq=1)}, {})
    assert call.request.content is not None and b'"commit_seq":1' in call.request.content
    stored = agentstate.StoredObject(id="a", ns="n", commit_seq=1, body={"id": "x", "ns": "n", "commit_seq": 5})
    assert stored.body_as(Task).commit_seq == 5
