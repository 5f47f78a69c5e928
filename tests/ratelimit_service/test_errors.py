from __future__ import annotations

from ratelimit_service.errors import InvalidRequestError, NoConfigurationError
from service_kit.valkey.errors import StoreUnavailableError


def test_every_error_has_a_code_of_its_own() -> None:
    codes = [InvalidRequestError.code, NoConfigurationError.code, StoreUnavailableError.code]
    assert len(set(codes)) == len(codes)
