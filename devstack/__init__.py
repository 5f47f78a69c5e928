"""The whole gateway on one machine: `python -m devstack` (what `make run` starts, and what the end-to-end tests start).

    ports         which ports: the documented ones, or free ones
    certificates  a certificate authority made at start, and what it signs
    issuer        a development issuer: a key made at start, its key set over HTTP, tokens for the sample agents
    upstream      an API that answers with what it received
    envoy_config  envoy/envoy.yaml, bound to this machine's ports and files
    processes     child processes: start, watch, end; nothing is left behind
    stack         all of it together: start in order, wait until healthy, write state.json
    state         what state.json holds
    demo          the sample requests, as curl lines and as real requests with what became of each
    terminal      prints, and tells when nobody reads any more

It needs a checkout: policies, limits and Envoy's configuration are those of the folders beside it. Development only:
keys live in `.devstack/`, issuer and upstream believe everybody.
"""
