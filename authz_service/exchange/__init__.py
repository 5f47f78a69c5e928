"""One HTTP exchange as Envoy's ext_proc shows it, and what passes of it. Events in, actions out; no I/O.

    events        what came: headers, a part of a body, trailers; and what is to be done: let go, change, answer
    machine       the exchange: which event may follow which, and what is done on each
    passage       one direction of it, in the mode in which its body comes
    body          one body: decoded, redacted, encoded again, within bounds
    fields        what becomes of headers when a body may change
    refusals      what ends an exchange, and the answer that a client gets then
    mcp_headers   headers that mirror a body's arguments are kept consistent with it
    inspection    what finds and replaces: the port to `dlp`

What comes is let go only as an action says: an exchange that ends with an error has let nothing go that was not looked
at. Frames of WebSocket are masked and nothing can be found in them: upgrades are refused. gRPC's messages hold the
lengths of their texts: they are looked at as bytes, and what is found in them is not rewritten but refused.
"""
