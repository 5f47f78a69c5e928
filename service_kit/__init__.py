"""What both services share and that knows neither of them.

    faults         what is wrong with a configuration: file, line, text, all of it at once
    yaml_tree      YAML from bytes to a bounded tree of nodes with their places
    strict_yaml    the tree read strictly into typed values, every fault with its place
    environment    the same for environment variables
    rpc            a gRPC service as plain coroutines over messages; statuses; knows no host
    health         what the process says of itself, and the gRPC health service over it
    listening      addresses and certificates to listen with
    hosts/         serves `rpc.Service`s: Envoy's HTTP/2 stack or grpcio; TLS, limits, workers, graceful drain
    valkey/        one connection to Valkey or Redis, and where the server is
    http_host      /metrics, /healthz, /readyz
    breaker        when a server is worth asking
    http_client    one bounded exchange with an HTTP server
    logs           JSON lines on standard error
    reload         watches files, loads anew, keeps the last good value
    lifetime       runs the parts of a process until it is told to stop
    wire/          the messages, generated from proto/ at build time

Imports run downwards only: nothing in here imports a service. Only `hosts` imports grpc, only `valkey/connection`
hiredis, only `http_host` and `http_client` aiohttp, only the two about YAML yaml.
"""
