"""Services as plain coroutines over messages."""

from __future__ import annotations

from typing import Any

import grpc
import pytest

from service_kit.rpc import Method, RpcError, Service, Status
from service_kit.wire import ext_authz_pb2, ext_proc_pb2, health_pb2

AUTHORIZATION = ext_authz_pb2.DESCRIPTOR.services_by_name["Authorization"]
PROCESSOR = ext_proc_pb2.DESCRIPTOR.services_by_name["ExternalProcessor"]
HEALTH = health_pb2.DESCRIPTOR.services_by_name["Health"]


async def handler(request: Any) -> Any:
    """Answer with the request."""
    return request


def test_a_service_is_called_by_its_full_name() -> None:
    """Health checks and reflection use it."""
    assert Service(AUTHORIZATION, {"Check": handler}).name == "envoy.service.auth.v3.Authorization"


def test_a_unary_method_carries_its_path_and_its_message_classes() -> None:
    """A host needs nothing else to serve it."""
    assert list(Service(AUTHORIZATION, {"Check": handler}).methods()) == [
        Method(
            path="/envoy.service.auth.v3.Authorization/Check",
            handler=handler,
            request=ext_authz_pb2.CheckRequest,
            response=ext_authz_pb2.CheckResponse,
            streams_requests=False,
            streams_responses=False,
        )
    ]


def test_a_method_tells_which_side_streams() -> None:
    """Process streams both ways, Watch only its answers."""
    (process,) = Service(PROCESSOR, {"Process": handler}).methods()
    health = {
        method.path: method for method in Service(HEALTH, dict.fromkeys(("Check", "List", "Watch"), handler)).methods()
    }
    watch = health["/grpc.health.v1.Health/Watch"]
    assert (process.streams_requests, process.streams_responses) == (True, True)
    assert (watch.streams_requests, watch.streams_responses) == (False, True)


@pytest.mark.parametrize("names", [(), ("Check", "Chekc"), ("Chekc",)])
def test_handlers_that_do_not_fit_the_descriptor_are_refused(names: tuple[str, ...]) -> None:
    """A forgotten or mistyped method shows at start, not at its first call."""
    with pytest.raises(
        ValueError, match=r"envoy\.service\.auth\.v3\.Authorization declares \['Check'\], but handlers are"
    ):
        Service(AUTHORIZATION, dict.fromkeys(names, handler))


def test_an_error_carries_its_status_and_its_public_text() -> None:
    """The host sends exactly these two."""
    error = RpcError(Status.UNAVAILABLE, "try later")
    assert (error.status, error.text, str(error)) == (Status.UNAVAILABLE, "try later", "try later")


@pytest.mark.parametrize("status", Status)
def test_a_status_has_the_number_that_grpc_gives_it(status: Status) -> None:
    """The number is what goes over the wire."""
    assert grpc.StatusCode[status.name].value[0] == status
