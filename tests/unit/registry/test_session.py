"""Where a login goes and where it does not, and what a registry's wishes for one come to."""

from __future__ import annotations

from urllib.parse import parse_qs

import httpx2
import pytest

from baker.errors import NetworkError
from baker.registry.logins import Login
from tests.unit.registry.standin import manifest, registries

HOST = "registry.example.com"
LOGIN = Login(name="me", password="secret")  # noqa: S106
BEARER = {"WWW-Authenticate": f'Bearer realm="https://auth.{HOST}/token",service="it"'}


def ask(answer, name=f"{HOST}/speech/stt", login=LOGIN, pointer="latest"):
    with registries(answer, {name.partition("/")[0]: login} if login else {}).repository(name) as repository:
        return repository.find(pointer)


def test_a_token_is_asked_for_with_the_login_and_goes_to_the_registry_alone():
    seen = []

    def answer(request):
        seen.append((request.url.host, request.headers.get("Authorization", "")))
        if request.url.host == f"auth.{HOST}":
            assert parse_qs(request.url.query.decode()) == {
                "service": ["it"],
                "scope": ["repository:speech/stt:pull"],
            }
            return httpx2.Response(200, json={"token": "t"})
        return manifest() if "Authorization" in request.headers else httpx2.Response(401, headers=BEARER)

    assert ask(answer)
    assert seen == [(HOST, ""), (f"auth.{HOST}", LOGIN.basic), (HOST, "Bearer t")]


def test_a_token_that_has_run_out_is_asked_for_again():
    tokens = iter(["first", "second"])
    alive: set[str] = set()

    def answer(request):
        if request.url.host != HOST:
            token = next(tokens)
            alive.add(f"Bearer {token}")
            return httpx2.Response(200, json={"access_token": token})
        known = request.headers.get("Authorization") in alive
        return manifest() if known else httpx2.Response(401, headers=BEARER)

    with registries(answer).repository(f"{HOST}/stt") as repository:
        assert repository.find("latest")
        alive.clear()
        assert repository.find("latest")
    assert next(tokens, None) is None


def test_writing_asks_for_more_than_reading():
    scopes = []

    def answer(request):
        if request.url.host != HOST:
            scopes.append(request.url.params["scope"].rpartition(":")[2])
            return httpx2.Response(200, json={"token": scopes[-1]})
        allowed = "pull,push" if request.method == "PUT" else "pull"
        known = request.headers.get("Authorization") == f"Bearer {allowed}"
        return manifest() if known else httpx2.Response(401, headers=BEARER)

    with registries(answer).repository(f"{HOST}/stt") as repository:
        found = repository.find("latest")
        assert found is not None
        repository.tag(found, "next")
    assert scopes == ["pull", "pull,push"]


def test_an_identity_token_is_exchanged():
    def answer(request):
        if request.url.host != HOST:
            assert request.method == "POST"
            form = parse_qs(request.content.decode())
            assert form["grant_type"] == ["refresh_token"]
            assert form["refresh_token"] == ["identity"]
            return httpx2.Response(200, json={"access_token": "t"})
        known = request.headers.get("Authorization") == "Bearer t"
        return manifest() if known else httpx2.Response(401, headers=BEARER)

    assert ask(answer, login=Login(identity_token="identity"))  # noqa: S106


def test_name_and_password_where_the_registry_wants_them():
    def answer(request):
        known = request.headers.get("Authorization") == LOGIN.basic
        return manifest() if known else httpx2.Response(401, headers={"WWW-Authenticate": 'Basic realm="it"'})

    assert ask(answer)
    with pytest.raises(NetworkError, match=f"`docker login {HOST}`"):
        ask(answer, login=None)


@pytest.mark.parametrize("elsewhere", ["https://blobs.example.net/x", "https://registry.example.com:8443/x"])
@pytest.mark.parametrize("scheme", ["Basic", "Bearer"])
def test_no_login_goes_where_a_registry_redirects_to(elsewhere, scheme):
    strange = []

    def answer(request):
        if request.url.host == f"auth.{HOST}":
            return httpx2.Response(200, json={"token": "t"})
        if str(request.url) == elsewhere:
            strange.append(request.headers.get("Authorization"))
            return httpx2.Response(401, headers=BEARER if scheme == "Bearer" else {"WWW-Authenticate": "Basic"})
        if "Authorization" in request.headers:
            return httpx2.Response(307, headers={"Location": elsewhere})
        return httpx2.Response(401, headers=BEARER if scheme == "Bearer" else {"WWW-Authenticate": "Basic"})

    with pytest.raises(NetworkError, match="the registry has sent us there"):
        ask(answer)
    assert strange == [None]


def test_nothing_is_sent_from_https_to_http():
    def answer(request):
        assert request.url.scheme == "https"
        return httpx2.Response(302, headers={"Location": f"http://{HOST}/v2/speech/stt/manifests/latest"})

    with pytest.raises(NetworkError, match="which has no TLS"):
        ask(answer)


def test_a_token_server_without_tls_gets_no_login():
    def answer(request):
        assert request.url.scheme == "https"
        return httpx2.Response(401, headers={"WWW-Authenticate": f'Bearer realm="http://auth.{HOST}/token"'})

    with pytest.raises(NetworkError, match="no login was sent"):
        ask(answer)


@pytest.mark.parametrize(("host", "scheme"), [("127.0.0.1:5000", "http"), ("localhost.example.com", "https")])
def test_only_this_machine_is_asked_without_tls(host, scheme):
    def answer(request):
        assert request.url.scheme == scheme
        return manifest()

    assert ask(answer, name=f"{host}/stt")


@pytest.mark.parametrize(
    ("challenge", "says"),
    [
        ('Bearer service="it"', "no realm"),
        ('Bearer realm="nonsense"', "no realm"),
        ("", "docker login .* does not say what login"),
        ('Negotiate x="y"', "docker login .* does not say what login"),
    ],
)
def test_a_challenge_that_names_nothing(challenge, says):
    with pytest.raises(NetworkError, match=says):
        ask(lambda _: httpx2.Response(401, headers={"WWW-Authenticate": challenge}))


@pytest.mark.parametrize(
    ("token", "says"),
    [
        (httpx2.Response(200, text="<html>log in to the hotel's network</html>"), "no JSON"),
        (httpx2.Response(200, json=["token"]), "another shape"),
        (httpx2.Response(200, json={"token": 3}), "without a token"),
        (httpx2.Response(200, json={"token": "a\r\nHost: b"}), "without a token"),
        (httpx2.Response(200, json={}), "without a token"),
        (httpx2.Response(401, text="wrong password"), f"`docker login {HOST}`"),
        (httpx2.Response(418), "HTTP 418"),
    ],
)
def test_a_token_server_that_talks_nonsense(token, says):
    def answer(request):
        return token if request.url.host != HOST else httpx2.Response(401, headers=BEARER)

    with pytest.raises(NetworkError, match=says):
        ask(answer)


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (httpx2.Response(403, json={"errors": [{"message": "denied"}]}), "docker login"),
        (httpx2.Response(429, json={}), "too many requests"),
        (httpx2.Response(507, text="full"), "the disk of the registry is full"),
        (httpx2.Response(500, json={"errors": [{"detail": {"Err": 28}}]}), "the disk of the registry is full"),
        (httpx2.Response(400, json={"errors": [{"message": "a fault"}, {"message": "another"}]}), "a fault; another"),
        (httpx2.Response(400, json=[1]), "HTTP 400"),
    ],
)
def test_what_a_registry_refuses_is_said_in_a_line(answer, says):
    with pytest.raises(NetworkError, match=says) as caught:
        ask(lambda _: answer)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("reason", "says"),
    [
        ("[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: self-signed", f"/etc/docker/certs.d/{HOST}/ca"),
        ("[SSL: WRONG_VERSION_NUMBER] wrong version number (_ssl.c:1006)", f"{HOST} answers without TLS"),
    ],
)
def test_what_is_wrong_with_tls_is_said_with_what_helps(reason, says):
    def answer(_):
        raise httpx2.ConnectError(reason)

    with pytest.raises(NetworkError, match=says) as caught:
        ask(answer)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("host", "says"),
    [
        ("ghcr.io", "write:packages"),
        ("docker.io", "as an account that may do this there"),
        (HOST, f"`docker login {HOST}`$"),
    ],
)
def test_a_refusal_names_the_login_that_this_registry_wants(host, says):
    registry = registries(lambda _: httpx2.Response(403))
    with registry.repository(f"{host}/me/stt") as repository, pytest.raises(NetworkError, match=says):
        repository.find("latest")
