"""Requests through the real Envoy, both services, the real Valkey, to an upstream that tells what it received."""

from __future__ import annotations

import base64
import json
import random
import ssl
import time
import uuid
from pathlib import Path

import httpx
import pytest

from tests.e2e.stack import Gateway

pytestmark = pytest.mark.e2e

SSN = "123-45-6789"
AWS_KEY = "AKIA" + "QWERTYUIOPAS2345"
GITHUB_TOKEN = "ghp_" + "a1B2c3D4e5" * 4


class TestAllowed:
    def test_an_allowed_request_reaches_the_upstream_with_the_callers_identity(self, gateway: Gateway) -> None:
        token = gateway.token(roles=("engineer",), sub="alice", agent_id="alice-laptop")
        seen = gateway.send("/allowed/1?x=1", token).seen()
        assert seen["path"] == "/allowed/1?x=1"
        assert seen["headers"]["x-agent-gateway-user"] == "alice"
        assert seen["headers"]["x-agent-gateway-agent"] == "alice-laptop"
        assert json.loads(seen["headers"]["x-agent-gateway-roles"]) == ["engineer"]
        assert seen["headers"]["x-agent-gateway-endpoint"] == "/allowed"

    def test_the_callers_token_never_reaches_the_upstream(self, gateway: Gateway) -> None:
        assert "authorization" not in gateway.send("/token", gateway.token()).seen()["headers"]

    def test_http2_clients_are_served_alike(self, gateway: Gateway) -> None:
        with gateway.http2() as client:
            response = client.get("/h2", headers={"authorization": f"Bearer {gateway.token(sub='bob')}"})
        assert response.http_version == "HTTP/2"
        assert dict(response.json()["headers"])["x-agent-gateway-user"] == "bob"

    def test_every_decision_is_one_audit_event(self, gateway: Gateway) -> None:
        answer = gateway.send("/audited/1?secret=x", gateway.token(sub="carol", agent_id="c1", roles=("engineer",)))
        event = gateway.audit(answer.headers["x-agent-gateway-decision-id"])
        assert event["decision"] == "allow"
        assert (event["user"], event["agent_id"], event["roles"]) == ("carol", "c1", ["engineer"])
        assert event["policy_id"] == "httpapi.authz/allow"
        assert (event["method"], event["path"], event["status"]) == ("GET", "/audited/1", 200)
        assert event["request_id"] == answer.headers["x-request-id"]


class TestTokens:
    def test_no_token_is_401_with_a_challenge_and_no_error_code(self, gateway: Gateway) -> None:
        answer = gateway.send("/x")
        assert answer.status == 401
        assert answer.headers["www-authenticate"] == 'Bearer realm="agent-gateway"'
        assert answer.json()["error"] == "credential_missing"
        assert gateway.audit(answer.json()["decision_id"])["decision"] == "deny"

    def test_an_expired_token_is_401(self, gateway: Gateway) -> None:
        now = int(time.time())
        assert gateway.send("/x", gateway.token(iat=now - 900, exp=now - 300)).status == 401

    def test_a_token_that_is_not_valid_yet_is_401(self, gateway: Gateway) -> None:
        assert gateway.send("/x", gateway.token(nbf=int(time.time()) + 300)).status == 401

    @pytest.mark.parametrize("audience", ["another-service", ["another-service"], None])
    def test_a_token_for_another_audience_is_401(self, gateway: Gateway, audience: str | list[str] | None) -> None:
        answer = gateway.send("/x", gateway.token(aud=audience))
        assert answer.status == 401
        assert 'error="invalid_token"' in answer.headers["www-authenticate"]
        assert answer.json()["error"] == "audience_wrong"

    def test_a_token_of_another_issuer_is_401(self, gateway: Gateway) -> None:
        assert gateway.send("/x", gateway.token(iss="https://elsewhere.example")).status == 401

    def test_a_token_without_expiry_is_401(self, gateway: Gateway) -> None:
        assert gateway.send("/x", gateway.token(exp=None)).status == 401

    def test_a_token_whose_claims_were_changed_is_401(self, gateway: Gateway) -> None:
        header, claims, signature = gateway.token().split(".")
        changed = json.loads(base64.urlsafe_b64decode(claims + "=="))
        changed["roles"] = ["hr_access"]
        forged = base64.urlsafe_b64encode(json.dumps(changed).encode()).decode().rstrip("=")
        assert gateway.send("/hr/salaries", f"{header}.{forged}.{signature}").status == 401

    def test_a_token_without_signature_is_401(self, gateway: Gateway) -> None:
        _, claims, _ = gateway.token().split(".")
        header = base64.urlsafe_b64encode(b'{"alg":"none","typ":"JWT"}').decode().rstrip("=")
        assert gateway.send("/x", f"{header}.{claims}.").status == 401

    def test_another_scheme_is_401(self, gateway: Gateway) -> None:
        assert gateway.send("/x", headers={"Authorization": "Basic dXNlcjpwYXNzd29yZA=="}).status == 401

    def test_two_tokens_at_once_are_401(self, gateway: Gateway) -> None:
        tokens = [("Authorization", f"Bearer {gateway.token(roles=(role,))}") for role in ("intern", "hr_access")]
        assert gateway.send("/hr/salaries", headers=tokens).status == 401


class TestPolicy:
    @pytest.mark.parametrize(
        "target",
        [
            "/hr/salaries",
            "//hr/salaries",
            "///hr/salaries",
            "/hr//salaries",
            "/hr/../hr/salaries",
            "/x/../hr/salaries",
            "/./hr/salaries",
            "/x/..//hr/salaries",
            "/%68r/salaries",
            "/h%72/salaries",
            "/%68%72/salaries",
            "/HR/salaries",
            "/Hr/salaries",
            "/%48R/salaries",
            "/hr%2Fsalaries",
            "/hr%2fsalaries",
            "/%2Fhr/salaries",
            "/hr%5Csalaries",
            "/hr\\salaries",
            "/x/%2e%2e/hr/salaries",
            "/x/%2E./hr/salaries",
            "/hr/%2e/salaries",
            "/hr/",
            "/hr",
            "/hr/salaries?x=/reports",
            "/hr/salaries%00",
            "/hr/salaries;x=1",
            "/hr;x/salaries",
            "/hr;/salaries",
            "/hr%3bx/salaries",
            "/;/hr/salaries",
            "/;x/hr/salaries",
            "/hr%20/salaries",
            "/hr./salaries",
            "/%2568r/salaries",
            "/hr%252fsalaries",
            "/%ef%bd%88r/salaries",
            "/%ef%bc%8fhr/salaries",
            "/a/..;/hr/salaries",
            "/hr#/salaries",
        ],
    )
    def test_no_spelling_of_a_protected_path_passes_without_its_role(self, gateway: Gateway, target: str) -> None:
        marker = uuid.uuid4().hex
        answer = gateway.send(target, gateway.token(roles=("engineer",)), {"x-marker": marker})
        assert answer.status in {400, 403}, answer.body
        assert not gateway.reached(marker)

    def test_the_role_opens_the_protected_path(self, gateway: Gateway) -> None:
        assert gateway.send("/hr/salaries", gateway.token(roles=("hr_access",))).seen()["path"] == "/hr/salaries"

    def test_a_denial_says_why_and_which_decision(self, gateway: Gateway) -> None:
        answer = gateway.send("/hr/salaries", gateway.token(sub="dave"))
        assert answer.status == 403
        assert answer.headers["content-type"] == "application/json"
        assert answer.json()["error"] == "role_missing"
        event = gateway.audit(answer.json()["decision_id"])
        assert (event["decision"], event["user"], event["code"]) == ("deny", "dave", "role_missing")

    def test_only_reading_is_allowed(self, gateway: Gateway) -> None:
        for method in ("POST", "PUT", "PATCH", "DELETE"):
            assert gateway.send("/things", gateway.token(), method=method, body=b"{}").status == 403

    @pytest.mark.parametrize(
        "body",
        [
            b'{"attachment": "file:///home/eve/payroll.csv"}',
            b'{"path": "C:\\\\Users\\\\eve\\\\payroll.csv"}',
            b"read /Users/eve/Documents/payroll.csv",
            rb'{"attachment": "file:\/\/\/home\/eve\/payroll.csv"}',
            b"attachment=%2Fhome%2Feve%2Fpayroll.csv",
        ],
    )
    def test_local_file_content_is_blocked_without_its_permission(self, gateway: Gateway, body: bytes) -> None:
        answer = gateway.send("/notes", gateway.token(email="eve@company.example"), body=body)
        assert answer.status == 403
        assert answer.json()["message"] == "local file content blocked for user eve@company.example"

    def test_local_file_content_passes_with_its_permission(self, gateway: Gateway) -> None:
        token = gateway.token(roles=("allow_local_file_use",))
        body = b'{"attachment": "file:///home/eve/payroll.csv"}'
        assert gateway.send("/notes", token, body=body).seen()["body"] == body.decode()

    def test_a_body_too_large_to_be_seen_whole_is_refused(self, gateway: Gateway) -> None:
        assert gateway.send("/notes", gateway.token(), body=b"x" * (1024 * 1024 + 1)).status == 413


class TestPretenders:
    def test_identity_headers_of_the_clients_own_gain_nothing(self, gateway: Gateway) -> None:
        headers = {
            "x-agent-gateway-user": "root",
            "X-Agent-Gateway-Roles": '["hr_access"]',
            "x-agent-gateway-agent": "trusted",
            "x-agent-gateway-endpoint": "/free",
            "x-agent-gateway-decision-id": "0",
        }
        token = gateway.token(sub="frank", agent_id="f1")
        assert gateway.send("/hr/salaries", token, headers).status == 403
        seen = gateway.send("/pretend", token, headers).seen()["headers"]
        assert (seen["x-agent-gateway-user"], seen["x-agent-gateway-agent"]) == ("frank", "f1")
        assert seen["x-agent-gateway-roles"] == "[]"
        assert seen["x-agent-gateway-endpoint"] == "/pretend"
        assert seen["x-agent-gateway-decision-id"] != "0"

    def test_an_agent_that_the_token_does_not_name_is_not_taken_from_a_header(self, gateway: Gateway) -> None:
        token = gateway.token(agent_id=None)
        seen = gateway.send("/pretend", token, {"x-agent-gateway-agent": "trusted"}).seen()["headers"]
        assert seen.get("x-agent-gateway-agent", "") == ""

    def test_a_forged_client_certificate_header_is_dropped(self, gateway: Gateway) -> None:
        forged = {"x-forwarded-client-cert": 'Hash=00;URI="spiffe://company.example/admin"'}
        seen = gateway.send("/pretend", gateway.token(), forged).seen()["headers"]
        assert "spiffe://company.example/admin" not in json.dumps(seen)

    def test_forwarding_headers_of_a_client_are_not_believed(self, gateway: Gateway) -> None:
        forged = {"x-envoy-internal": "true", "x-envoy-original-path": "/free", "x-forwarded-proto": "http"}
        seen = gateway.send("/pretend", gateway.token(), forged).seen()["headers"]
        assert seen["x-forwarded-proto"] == "https"
        assert "x-envoy-internal" not in seen
        assert seen.get("x-envoy-original-path") != "/free"

    @pytest.mark.parametrize(
        "name",
        [
            "x-agent-gateway-tenant",
            "x-http-method-override",
            "x-original-url",
            "x-rewrite-url",
            "x-forwarded-host",
            "x-forwarded-prefix",
            "forwarded",
            "x-real-ip",
            "x-envoy-attempt-count",
        ],
    )
    def test_no_header_tells_the_upstream_another_request_than_was_judged(self, gateway: Gateway, name: str) -> None:
        seen = gateway.send("/pretend", gateway.token(), {name: "/hr/salaries"}).seen()["headers"]
        assert "/hr/salaries" not in seen.values()

    def test_a_user_name_with_space_around_it_is_refused(self, gateway: Gateway) -> None:
        assert gateway.send("/pretend", gateway.token(sub=" hanna ")).status == 401

    def test_a_token_that_is_bound_to_a_key_is_refused(self, gateway: Gateway) -> None:
        assert gateway.send("/pretend", gateway.token(cnf={"jkt": "x"})).status == 401

    def test_a_token_in_the_query_is_neither_taken_nor_passed_on(self, gateway: Gateway) -> None:
        token = gateway.token()
        assert gateway.send(f"/pretend?access_token={token}").status == 401
        assert gateway.send(f"/pretend?access_token={token}&a=1", token).status == 400, "two credentials at once"

    def test_headers_with_underscores_are_refused(self, gateway: Gateway) -> None:
        # An upstream that reads x_agent_gateway_user as x-agent-gateway-user must not be fooled.
        headers = {"x_agent_gateway_user": "root", "x-marker": "underscores"}
        assert gateway.turns_away("/pretend", gateway.token(), headers)
        assert not gateway.reached("underscores")

    def test_limits_follow_the_verified_user_and_not_a_header(self, gateway: Gateway) -> None:
        gateway.in_one_minute()
        token = gateway.token()
        answers = [
            gateway.send("/reports/1", token, {"x-agent-gateway-user": f"user-{number}"}).status for number in range(6)
        ]
        assert answers == [200] * 5 + [429]


class TestLimits:
    def test_the_request_after_the_last_gets_429_with_rate_limit_headers(self, gateway: Gateway) -> None:
        gateway.in_one_minute()
        token = gateway.token()
        answers = [gateway.send("/reports/q3", token) for _ in range(6)]
        assert [answer.status for answer in answers] == [200] * 5 + [429]
        last = answers[-1].headers
        assert last["x-ratelimit-limit"].startswith("5, ")
        assert last["x-ratelimit-remaining"] == "0"
        assert 1 <= int(last["x-ratelimit-reset"]) <= 60
        assert [int(answer.headers["x-ratelimit-remaining"]) for answer in answers[:5]] == [4, 3, 2, 1, 0]

    def test_another_user_is_not_limited_by_the_first(self, gateway: Gateway) -> None:
        gateway.in_one_minute()
        first, second = gateway.token(), gateway.token()
        assert [gateway.send("/reports/q3", first).status for _ in range(6)][-1] == 429
        assert gateway.send("/reports/q3", second).status == 200

    def test_a_spelling_of_the_path_does_not_open_another_counter(self, gateway: Gateway) -> None:
        gateway.in_one_minute()
        token = gateway.token()
        targets = ["/reports/1", "//reports/2", "/%72eports/3", "/;/REPORTS./4", "/x/../reports/5", "/Reports;v=1/6"]
        assert [gateway.send(target, token).status for target in targets] == [200] * 5 + [429]

    def test_denied_requests_take_nothing_from_the_limit(self, gateway: Gateway) -> None:
        token = gateway.token()
        assert {gateway.send("/reports/1", token, method="POST", body=b"").status for _ in range(7)} == {403}
        assert gateway.send("/reports/1", token).status == 200


class TestRedaction:
    @pytest.mark.parametrize("secret", [SSN, AWS_KEY, GITHUB_TOKEN])
    @pytest.mark.parametrize("name", ["x-note", "cookie", "accept-language", "user-agent"])
    def test_a_secret_in_a_header_never_reaches_the_upstream(self, gateway: Gateway, name: str, secret: str) -> None:
        answer = gateway.send("/redact", gateway.token(), {name: f"a={secret}; b=2"})
        assert secret not in answer.body
        assert answer.seen()["headers"][name].startswith("a=[REDACTED:")

    def test_a_secret_in_each_of_two_headers_of_one_name_never_reaches_the_upstream(self, gateway: Gateway) -> None:
        answer = gateway.send("/redact", gateway.token(), [("x-note", SSN), ("X-Note", AWS_KEY)])
        assert answer.status == 200
        assert SSN not in answer.body
        assert AWS_KEY not in answer.body

    @pytest.mark.parametrize("secret", [SSN, AWS_KEY, GITHUB_TOKEN])
    @pytest.mark.parametrize(
        "query",
        [
            "q={}",
            "a=1&q={}&z=2",
            "q=x{}y+z",
            "q={}&q=clean",
            "q=clean&q={}",
            "{}=1",
            "{}",
            "q=%20{}%20",
            "a%2Db={}",
            "=={}",
        ],
    )
    def test_a_secret_in_the_query_never_reaches_the_upstream(self, gateway: Gateway, query: str, secret: str) -> None:
        written = query.format(secret)
        if secret == AWS_KEY and "x{}y" in query:
            written = query.format(secret).replace("y+z", "+z")
        answer = gateway.send(f"/redact?{written}", gateway.token())
        assert answer.status == 200
        assert secret not in answer.body
        assert "REDACTED" in answer.seen()["path"]

    def test_a_secret_written_with_percent_escapes_never_reaches_the_upstream(self, gateway: Gateway) -> None:
        written = "".join(f"%{byte:02X}" for byte in SSN.encode())
        answer = gateway.send(f"/redact?q={written}&page=2", gateway.token())
        assert answer.seen()["path"] == "/redact?page=2&q=%5BREDACTED%3Aus_ssn%5D"

    def test_what_holds_no_secret_is_left_as_it_is(self, gateway: Gateway) -> None:
        target = "/clean?b=2&a=1&a=3&order=1234-56-7890&empty=&bare"
        seen = gateway.send(target, gateway.token(), {"x-note": "call 555-0100, order 1234-56-7890"}).seen()
        assert seen["path"] == target
        assert seen["headers"]["x-note"] == "call 555-0100, order 1234-56-7890"

    def test_no_log_holds_a_secret_or_a_token(self, gateway: Gateway) -> None:
        ssn, token = "219-09-9998", gateway.token(roles=("engineer",))
        targets = [f"/logged?q={ssn}", f"/hr/x?q={ssn}", f"/logged/{ssn}", f"/{ssn}/x", f"/logged/{ssn}%zz?q={ssn}"]
        for target in targets:
            gateway.send(target, token, {"x-note": ssn}, body=f"my number is {ssn}".encode())
        assert gateway.send("/logged", token, {"Host": f"{ssn}.example"}).status == 400
        assert gateway.turns_away("/logged", token, method=f"X{ssn}")
        gateway.send(f"/logged?q={ssn}", token[:-6] + "AAAAAA", {"x-note": ssn})
        time.sleep(1.5)  # Envoy writes its access log twice a second
        files = list(Path(gateway.state.logs_folder).iterdir())
        text = {file.name: file.read_text() for file in files}
        assert "/logged" in text["audit.jsonl"]
        assert '"status":403' in text["access.jsonl"]
        for name, content in text.items():
            assert ssn not in content, name
            assert token.split(".")[2] not in content, name
            assert token.split(".")[1] not in content, name


class TestHostile:
    @pytest.mark.parametrize(
        "target",
        ["/x", "/x?" + "a&" * 7000, "/x?" + "&".join(f"n{n}=1" for n in range(2000)), "/x?q=" + "123-45-6789+" * 1300],
    )
    def test_large_requests_hold_nobody_up_and_leave_no_memory_behind(self, gateway: Gateway, target: str) -> None:
        near_misses = "".join(random.Random(1).choices(["ghs_", "a"], k=15_000))
        before = gateway.resident_bytes("authz_service")
        for token in [None, gateway.token()] * 10:
            answer = gateway.send(target, token, {"x-note": near_misses})
            assert answer.status in {200, 400, 401, 403}, answer.body
        started = time.monotonic()
        assert gateway.send("/after-the-storm", gateway.token()).status == 200
        assert time.monotonic() - started < 5
        assert gateway.resident_bytes("authz_service") - before < 64 * 1024 * 1024


class TestEdges:
    def test_no_call_to_a_service_ends_in_a_reset_where_no_client_went_away(self, gateway: Gateway) -> None:
        """HTTP/2 servers take a thousand of them for an attack, and close the connection that other calls are on."""
        before = resets(gateway)
        for _ in range(10):
            assert gateway.send("/whole", gateway.token()).status == 200
        assert resets(gateway) == before

    def test_the_access_log_names_the_caller_and_the_decision(self, gateway: Gateway) -> None:
        answer = gateway.send("/access-log?x=1", gateway.token(sub="grace", agent_id="g1"))
        log = Path(gateway.state.logs_folder) / "access.jsonl"
        lines: list[dict[str, object]] = []
        for _ in range(60):
            lines = [json.loads(line) for line in log.read_text().splitlines() if "/access-log" in line]
            if lines:
                break
            time.sleep(0.1)
        assert lines[0]["request_id"] == answer.headers["x-request-id"]
        assert lines[0]["decision_id"] == answer.headers["x-agent-gateway-decision-id"]
        assert (lines[0]["user"], lines[0]["agent"], lines[0]["endpoint"]) == ("grace", "g1", "/access-log")

    def test_metrics_and_readiness_are_told_over_http(self, gateway: Gateway) -> None:
        for service in (gateway.state.authz_service, gateway.state.ratelimit_service):
            assert httpx.get(f"{service.http}/healthz").status_code == 200
            assert httpx.get(f"{service.http}/readyz").json()["ready"] is True
        before = gateway.metric(gateway.state.authz_service.http, "authz_decisions_total")
        gateway.send("/metrics-test", gateway.token())
        assert gateway.metric(gateway.state.authz_service.http, "authz_decisions_total") == before + 1

    def test_a_client_certificate_is_optional_and_its_name_is_forwarded(self, gateway: Gateway) -> None:
        trust = ssl.create_default_context(cafile=gateway.state.ca_file)
        plain = gateway.send("/certificate", gateway.token()).seen()["headers"]
        assert "x-forwarded-client-cert" not in plain
        trust.load_cert_chain(gateway.state.client_certificate, gateway.state.client_key)
        named = Gateway(gateway.process, gateway.state, trust).send("/certificate", gateway.token()).seen()["headers"]
        assert "spiffe://company.example/agent/hanna-desktop" in named["x-forwarded-client-cert"]


def resets(gateway: Gateway) -> list[str]:
    """What Envoy counts of calls that it took back, by service."""
    stats = httpx.get(f"{gateway.state.envoy_admin_url}/stats?filter=_service.*upstream_rq_tx_reset").text
    return sorted(line for line in stats.splitlines() if line)
