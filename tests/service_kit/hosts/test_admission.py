"""Who gets in: calls share a bound, health has a reserve, and services with places of their own take nobody else's."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from service_kit.hosts.admission import HEALTH_CALLS, Admission
from service_kit.rpc import Service
from service_kit.wire import ext_authz_pb2, ext_proc_pb2, health_pb2

CHECK = "/envoy.service.auth.v3.Authorization/Check"
PROCESS = "/envoy.service.ext_proc.v3.ExternalProcessor/Process"
HEALTH = "/grpc.health.v1.Health/Check"
WATCH = "/grpc.health.v1.Health/Watch"
BOUND, OWN = 3, 5


def _service(descriptor: Any, own_calls: int = 0) -> Service:
    return Service(descriptor, dict.fromkeys((each.name for each in descriptor.methods), print), own_calls)


def _admission(own_calls: int = OWN) -> Admission:
    return Admission(
        [
            _service(ext_authz_pb2.DESCRIPTOR.services_by_name["Authorization"]),
            _service(ext_proc_pb2.DESCRIPTOR.services_by_name["ExternalProcessor"], own_calls),
            _service(health_pb2.DESCRIPTOR.services_by_name["Health"]),
        ],
        BOUND,
    )


def test_calls_share_the_bound_and_give_their_place_back() -> None:
    admission = _admission()
    assert [admission.enter(path) for path in (CHECK, WATCH, "/none", CHECK)] == [True, True, True, False]
    admission.leave(WATCH)
    assert [admission.enter(CHECK), admission.enter(CHECK)] == [True, False]


def test_who_asks_for_health_has_places_in_reserve_in_bounded_number() -> None:
    admission = _admission()
    assert all(admission.enter(CHECK) for _ in range(BOUND))
    assert not admission.enter(WATCH)
    assert [admission.enter(HEALTH) for _ in range(HEALTH_CALLS + 1)] == [True] * HEALTH_CALLS + [False]


def test_a_service_without_places_of_its_own_shares_the_bound() -> None:
    admission = _admission(own_calls=0)
    assert all(admission.enter(PROCESS) for _ in range(BOUND))
    assert not admission.enter(CHECK)


def test_the_most_of_all_has_room_for_each_kind() -> None:
    assert _admission().most == BOUND + HEALTH_CALLS + OWN


@given(st.lists(st.sampled_from([CHECK, PROCESS]), max_size=30))
def test_calls_of_a_service_with_places_of_its_own_change_nothing_for_the_others(paths: list[str]) -> None:
    mixed, alone = _admission(), _admission()
    among = [entered for path in paths for entered in [mixed.enter(path)] if path == CHECK]
    assert among == [alone.enter(CHECK) for _ in range(paths.count(CHECK))]
