from __future__ import annotations

from ratelimit_service import settings, variables
from ratelimit_service.variables import NO_EFFECT, VARIABLES

# The reference's, as its README and its settings name them.
OF_THE_REFERENCE = {
    "HOST",
    "PORT",
    "DEBUG_HOST",
    "DEBUG_PORT",
    "GRPC_HOST",
    "GRPC_PORT",
    "GRPC_UDS",
    "GRPC_SERVER_USE_TLS",
    "GRPC_SERVER_TLS_CERT",
    "GRPC_SERVER_TLS_KEY",
    "GRPC_CLIENT_TLS_CACERT",
    "LOG_LEVEL",
    "CONFIG_TYPE",
    "RUNTIME_ROOT",
    "RUNTIME_SUBDIRECTORY",
    "RUNTIME_APPDIRECTORY",
    "RUNTIME_WATCH_ROOT",
    "RUNTIME_IGNOREDOTFILES",
    "MERGE_DOMAIN_CONFIG",
    "CONFIG_GRPC_XDS_NODE_ID",
    "CONFIG_GRPC_XDS_SERVER_URL",
    "CONFIG_GRPC_XDS_SERVER_USE_TLS",
    "CONFIG_GRPC_XDS_CLIENT_TLS_CERT",
    "CONFIG_GRPC_XDS_CLIENT_TLS_KEY",
    "CONFIG_GRPC_XDS_SERVER_TLS_CACERT",
    "CONFIG_GRPC_XDS_SERVER_TLS_SAN",
    "CONFIG_GRPC_XDS_CLIENT_ADDITIONAL_HEADERS",
    "XDS_CLIENT_BACKOFF_INITIAL_INTERVAL",
    "XDS_CLIENT_BACKOFF_MAX_INTERVAL",
    "SHADOW_MODE",
    "QUOTA_MODE",
    "NEAR_LIMIT_RATIO",
    "LIMIT_RESPONSE_HEADERS_ENABLED",
    "LIMIT_LIMIT_HEADER",
    "LIMIT_REMAINING_HEADER",
    "LIMIT_RESET_HEADER",
    "RESPONSE_DYNAMIC_METADATA",
    "REDIS_TYPE",
    "REDIS_SOCKET_TYPE",
    "REDIS_URL",
    "REDIS_AUTH",
    "REDIS_SENTINEL_AUTH",
    "REDIS_TLS",
    "REDIS_TLS_CACERT",
    "REDIS_TLS_CLIENT_CERT",
    "REDIS_TLS_CLIENT_KEY",
    "REDIS_TLS_SKIP_HOSTNAME_VERIFICATION",
    "CACHE_KEY_PREFIX",
    "LOCAL_CACHE_SIZE_IN_BYTES",
    "STOP_CACHE_KEY_INCREMENT_WHEN_OVERLIMIT",
    "BACKEND_TYPE",
    "REDIS_PERSECOND",
    "REDIS_POOL_SIZE",
    "REDIS_POOL_ON_EMPTY_BEHAVIOR",
    "REDIS_PIPELINE_WINDOW",
    "REDIS_PIPELINE_LIMIT",
    "REDIS_TIMEOUT",
    "REDIS_HEALTH_CHECK_ACTIVE_CONNECTION",
    "EXPIRATION_JITTER_MAX_SECONDS",
    "USE_STATSD",
    "USE_DOG_STATSD",
    "USE_PROMETHEUS",
    "PROMETHEUS_ADDR",
    "TRACING_ENABLED",
    "CONFIG_GRPC_XDS_NODE_METADATA",
    "CONFIG_GRPC_XDS_SERVER_CONNECT_RETRY_INTERVAL",
    "XDS_CLIENT_BACKOFF_RANDOM_FACTOR",
    "XDS_CLIENT_BACKOFF_JITTER",
    "GRPC_MAX_CONNECTION_AGE",
    "GRPC_MAX_CONNECTION_AGE_GRACE",
    "HEALTHY_WITH_AT_LEAST_ONE_CONFIG_LOADED",
    "FORCE_START_WITHOUT_INITIAL_CONFIG",
    "LOG_FORMAT",
    "EXTRA_TAGS",
    "STATSD_HOST",
    "STATSD_PORT",
    "STATS_FLUSH_INTERVAL",
    "DISABLE_STATS",
    "PROMETHEUS_PATH",
    "PROMETHEUS_MAPPER_YAML",
    "REDIS_PERSECOND_URL",
}
OWN = {
    "STORE_DEADLINE",
    "FAILURE_MODE",
    "LOCAL_MAX_BUCKETS",
    "GRPC_SERVER",
    "GRPC_WORKERS",
    "GRPC_ENVOY_ADMIN",
}


def test_variables_are_the_references_and_a_few_more() -> None:
    assert {variable.name for variable in VARIABLES} | set(NO_EFFECT) == OF_THE_REFERENCE | OWN


def test_no_variable_stands_twice_or_both_has_an_effect_and_has_none() -> None:
    names = [variable.name for variable in VARIABLES] + list(NO_EFFECT)
    assert len(names) == len(set(names))


def test_every_default_is_one_that_is_taken() -> None:
    assert settings.read({variable.name: variable.default for variable in VARIABLES}) == settings.read({})


def test_help_names_every_variable_with_its_meaning_and_default() -> None:
    lines = variables.help_text().splitlines()
    assert len(lines) == len(VARIABLES)
    for variable, line in zip(VARIABLES, lines, strict=True):
        assert line.split()[0] == variable.name
        assert f"  {variable.meaning}. Default: {variable.default or 'empty'}" in line
