"""What holds for all tests."""

# First of all, before anything that loads grpc, re2 or aiohttp: behind another C++ library regopy frees memory that it
# does not own, and alone before them it makes them do so. Our module loads it in such a way that neither happens.
import authz_service.policy.regopy_library  # noqa: F401
