"""The real sender, against real servers: what must not be reached first."""

from __future__ import annotations

import base64
import contextlib
import socket
import threading
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz_service.rego_engine.builtins.http_messages import HttpRequest, HttpResponse, NetworkFault, Tls
from authz_service.rego_engine.errors import BuiltinFault
from authz_service.rego_engine.http_client import MAX_REDIRECTS, Hosts, HttpClient
from tests.authz_service.rego_engine.http_servers import (
    LOCAL,
    Answer,
    Seen,
    certificate,
    server_context,
    serving,
)


def send(url: str, *hosts: str, seconds: float = 5.0, method: str = "GET", **more: Any) -> HttpResponse:
    """Send a request by a client for some hosts."""
    return HttpClient(Hosts(hosts or (LOCAL,))).send(HttpRequest(method, url, **more), seconds)


def fault_of(url: str, *hosts: str, **more: Any) -> BuiltinFault:
    """Return the fault of a request that must have no answer."""
    with pytest.raises(BuiltinFault) as caught:
        send(url, *hosts, **more)
    return caught.value


def ok(_: Seen) -> Answer:
    """Answer with a word."""
    return 200, {}, b"hello"


def to(location: str, status: int = 302) -> Any:
    """Return what sends everybody somewhere else, but answers there."""

    def answer(request: Seen) -> Answer:
        if request.path == "/there":
            return 200, {}, b"there"
        return status, {"Location": location}, b""

    return answer


# What must not be reached


@pytest.mark.parametrize(
    "url",
    [
        "http://{0}/", "http://localhost:{1}/", "http://127.1:{1}/", "http://2130706433:{1}/", "http://0x7f000001:{1}/",
        "http://[::1]:{1}/", "http://[::ffff:127.0.0.1]:{1}/", "http://0.0.0.0:{1}/", "http://127.0.0.2:{1}/",
        "http://listed.example@{0}/", "http://listed.example:80@{0}/", "http://{0}#@listed.example/",
        "http://{0}/@listed.example", "http://{0}?@listed.example", "http://listed.example.{0}/",
        "http://listed.example:x@{0}/", "https://{0}/", "HTTP://{0}/",
    ],
)  # fmt: skip
def test_a_host_that_is_not_listed_is_not_reached(url: str) -> None:
    """However it is written, and whatever listed name stands near it."""
    with serving(ok) as server:
        found = fault_of(url.format(f"{LOCAL}:{server.port}", server.port), "listed.example")
        assert "disallowed host" in found.text
        assert not isinstance(found, NetworkFault)
        assert server.seen == []


@pytest.mark.parametrize(
    "url",
    [
        "ftp://{0}/", "file:///etc/passwd", "unix://localhost/?socket=%2Ftmp%2Fx", "{0}", "//{0}/", "", "http:///",
        "http://{0}:0/", "http://" + LOCAL + ":99999/", "http://" + LOCAL + ":0000080/", "http://\u2460.example/",
        "http://a%00b/", "http://{0}\\@listed.example/", "http://[" + LOCAL + "]x/", "http://a b/", "http://a\r\nb/",
        "http://[fe80::1%25eth0]/",
    ],
)  # fmt: skip
def test_what_is_no_plain_url_of_http_is_not_sent(url: str) -> None:
    with serving(ok) as server:
        fault_of(url.format(f"{LOCAL}:{server.port}"), LOCAL, "listed.example")
        assert server.seen == []


def test_a_port_that_is_not_listed_is_not_reached() -> None:
    with serving(ok) as one, serving(ok) as other:
        assert send(one.url, f"{LOCAL}:{one.port}").status == 200
        assert "disallowed host" in fault_of(other.url, f"{LOCAL}:{one.port}").text


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_does_not_lead_to_a_host_that_is_not_listed(status: int) -> None:
    with serving(ok) as secret:
        for location in (secret.url, f"//{LOCAL}:{secret.port}/", f"http://localhost:{secret.port}/"):
            with serving(to(location, status)) as server:
                found = fault_of(server.url, f"{LOCAL}:{server.port}", follows_redirects=True)
                assert "disallowed host" in found.text
        assert secret.seen == []


@pytest.mark.parametrize(
    "location", ["ftp://127.0.0.1/", "file:///etc/passwd", "http://[", "http://a b/", "http://h:x/"]
)
def test_a_redirect_to_what_is_no_url_of_http_is_not_followed(location: str) -> None:
    with serving(to(location)) as server:
        assert "URL cannot be used" in fault_of(server.url, follows_redirects=True).text


def test_secrets_do_not_follow_a_redirect_to_another_origin() -> None:
    headers = (("Authorization", "hunter2"), ("cookie", "hunter2"), ("X-A", "b"))
    with serving(ok) as other, serving(to(other.url)) as server:
        url = server.url.replace("http://", "http://user:hunter2@")
        send(url, LOCAL, headers=headers, host="first.example", follows_redirects=True)
    assert "hunter2" in str(server.seen[0].headers)
    assert "hunter2" not in str(other.seen[0].headers)
    assert other.seen[0].headers["x-a"] == "b"
    assert other.seen[0].headers["host"] == f"{LOCAL}:{other.port}"


def test_a_redirect_does_not_leave_tls() -> None:
    made, key = certificate()
    with serving(ok) as plain, serving(to(plain.url), server_context(made, key)) as server:
        url = f"https://{LOCAL}:{server.port}/"
        found = fault_of(url, follows_redirects=True, tls=Tls(authorities=made))
        assert "from https to http" in found.text
        assert plain.seen == []


def test_redirects_have_a_bound() -> None:
    with serving(to("/again")) as server:
        found = fault_of(server.url, follows_redirects=True)
        assert f"stopped after {MAX_REDIRECTS} redirects" in found.text
        assert len(server.seen) == MAX_REDIRECTS + 1


def test_all_redirects_and_retries_share_one_deadline() -> None:
    def slow(_: Seen) -> Answer:
        time.sleep(0.15)
        return 302, {"Location": "/again"}, b""

    with serving(slow) as server:
        began = time.monotonic()
        found = fault_of(server.url, seconds=0.5, follows_redirects=True, retries=10)
        assert isinstance(found, NetworkFault)
        assert time.monotonic() - began < 2


def test_the_environment_s_proxies_are_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(ok) as proxy, serving(ok) as server:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
            monkeypatch.setenv(name, proxy.url)
        send(server.url)
        assert proxy.seen == []


def test_a_fault_does_not_quote_a_secret_of_the_url() -> None:
    with socket.create_server((LOCAL, 0)) as taken:
        port = taken.getsockname()[1]
    found = fault_of(f"http://user:hunter2@{LOCAL}:{port}/hunter2?token=hunter2")
    assert "hunter2" not in found.text


@pytest.mark.parametrize(
    "entry", ["", "a b", "a:b", "a:0", "a:99999", ":80", "http://a", "a/b", "é.example", "[::1", "u@h"]
)
def test_an_entry_that_is_no_host_is_refused(entry: str) -> None:
    with pytest.raises(ValueError, match="host"):
        Hosts([entry])


# What is sent


def test_a_request_is_sent() -> None:
    with serving(ok) as server:
        found = send(f"{server.url}/a%2fb?d=é e", method="PUT", headers=(("X-A", "é"),), body=b"body")
    assert found.body == b"hello"
    seen = server.seen[0]
    assert (seen.method, seen.path, seen.body) == ("PUT", "/a%2fb?d=%C3%A9%20e", b"body")
    assert seen.headers["x-a"].encode("latin-1") == "é".encode()
    assert seen.headers["user-agent"] == "agent-gateway"
    assert seen.headers["host"] == f"{LOCAL}:{server.port}"


def test_headers_of_the_policy_come_before_our_own() -> None:
    with serving(ok) as server:
        send(server.url, headers=(("User-Agent", "mine"), ("accept-encoding", "br")), host="h.example")
    headers = server.seen[0].headers
    assert (headers["user-agent"], headers["accept-encoding"], headers["host"]) == ("mine", "br", "h.example")


def test_credentials_in_a_url_are_sent_as_a_header() -> None:
    with serving(ok) as server:
        send(server.url.replace("http://", "http://user:p%40ss@"))
    expected = base64.b64encode(b"user:p@ss").decode()
    assert server.seen[0].headers["authorization"] == f"Basic {expected}"


@pytest.mark.parametrize(("method", "length"), [("GET", None), ("POST", "0"), ("PUT", "0"), ("HEAD", None)])
def test_an_empty_body_has_a_length_where_one_is_expected(method: str, length: str | None) -> None:
    with serving(ok) as server:
        send(server.url, method=method)
    assert server.seen[0].headers.get("content-length") == length


def test_a_name_is_one_whatever_its_spelling() -> None:
    with serving(ok) as server:
        for host in ("LOCALHOST", "localhost.", "localhost"):
            assert send(f"http://{host}:{server.port}/", "LocalHost.").status == 200
    hosts = Hosts(["::1", "[2001:DB8::0:1]:443"])
    assert hosts._listed == {("::1", None), ("2001:db8::1", 443)}


@pytest.mark.parametrize(
    ("status", "method", "then"),
    [
        (301, "POST", ("GET", b"")), (302, "PUT", ("GET", b"")), (303, "POST", ("GET", b"")),
        (303, "HEAD", ("HEAD", b"")), (307, "POST", ("POST", b"body")), (308, "PUT", ("PUT", b"body")),
    ],
)  # fmt: skip
def test_a_redirect_keeps_method_and_body_or_not(status: int, method: str, then: tuple[str, bytes]) -> None:
    with serving(to("/there", status)) as server:
        headers = (("Content-Type", "text/plain"), ("Authorization", "a"))
        send(server.url, method=method, body=b"body", headers=headers, follows_redirects=True)
    seen = server.seen[1]
    assert (seen.method, seen.body) == then
    assert ("content-type" in seen.headers) is bool(then[1])
    assert seen.headers["authorization"] == "a"


def test_a_redirect_is_an_answer_where_it_is_not_followed() -> None:
    with serving(to("/there")) as server:
        assert send(server.url).status == 302
    with serving(lambda _: (302, {}, b"")) as server:
        assert send(server.url, follows_redirects=True).status == 302


def test_the_host_header_names_the_server_for_tls() -> None:
    made, key = certificate("named.example", of=33)
    with serving(ok, server_context(made, key)) as server:
        url = f"https://{LOCAL}:{server.port}/"
        assert send(url, host="named.example:1", tls=Tls(authorities=made)).status == 200
        assert isinstance(fault_of(url, tls=Tls(authorities=made)), NetworkFault)


def test_variables_for_tls_come_from_the_environment_that_is_given() -> None:
    made, key = certificate()
    with serving(ok, server_context(made, key)) as server:
        client = HttpClient(Hosts([LOCAL]), environment={"CA": made})
        request = HttpRequest("GET", f"https://{LOCAL}:{server.port}/", tls=Tls(authorities_variable="CA"))
        assert client.send(request, 5.0).status == 200


def test_a_request_is_sent_again_after_a_network_fault() -> None:
    with socket.create_server((LOCAL, 0)) as listener:
        port = listener.getsockname()[1]
        accepted: list[int] = []

        def serve() -> None:
            for number in range(3):
                connection, _ = listener.accept()
                accepted.append(number)
                with connection:
                    if number == 2:
                        connection.recv(1_000)
                        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        assert send(f"http://{LOCAL}:{port}/", retries=2).status == 200
        thread.join()
    assert accepted == [0, 1, 2]


def test_a_request_is_not_sent_again_where_there_is_no_time_or_no_sense() -> None:
    with socket.create_server((LOCAL, 0)) as taken:
        port = taken.getsockname()[1]
    began = time.monotonic()
    fault_of(f"http://{LOCAL}:{port}/", retries=10, seconds=0.15)
    fault_of("http://other.example/", retries=10)
    assert time.monotonic() - began < 1


def test_an_answer_has_the_bound_that_is_given() -> None:
    with serving(lambda _: (200, {}, b"x" * 100)) as server:
        for most, fits in ((100, True), (99, False)):
            client = HttpClient(Hosts([LOCAL]), most_octets=most)
            if fits:
                assert client.send(HttpRequest("GET", server.url), 5.0).body == b"x" * 100
            else:
                with pytest.raises(NetworkFault, match="larger"):
                    client.send(HttpRequest("GET", server.url), 5.0)


@given(st.text(max_size=30))
def test_no_url_whatever_breaks_it(text: str) -> None:
    client = HttpClient(Hosts([]))
    for url in (text, f"http://{text}", f"http://h{text}/", f"http://h:{text}"):
        with contextlib.suppress(BuiltinFault):
            client.send(HttpRequest("GET", url), 0.01)
