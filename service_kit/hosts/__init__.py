"""gRPC hosts: what carries the calls of `rpc.Service`s.

Two hosts serve the same services. `grpcio_host` is a server in this process. `pyvoy` is Envoy with Python inside: its
HTTP/2 stack takes the calls, `asgi` turns each into a coroutine. `launching` picks one and starts it. A `worker` is a
process that serves; under pyvoy, and wherever there are several, a `supervisor` starts them, restarts those that die,
and lets calls in flight finish when it is told to end. `framing` is the wire format and `envoy_bootstrap` Envoy's
configuration, both without I/O.

A service is a coroutine `serve(arguments, process)`, named as `module:function`, so that every process can import it.
"""
