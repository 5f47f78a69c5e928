"""What happened, written down: one event for each decision, allowed or denied.

    event   the event's fields, all of them bounded, and their JSON form
    sink    writes events as lines beside the request's path, from a bounded queue

An event names people, agents, rules and places; it never holds a token, a body or a finding's value.
"""
