from __future__ import annotations

from ratelimit_service.errors import InvalidRequestError, NoConfigurationError, RateLimitError, StoreUnavailableError


def test_every_error_has_a_code_of_its_own() -> None:
    kinds = [RateLimitError, InvalidRequestError, NoConfigurationError, StoreUnavailableError]
    assert len({kind.code for kind in kinds}) == len(kinds)
