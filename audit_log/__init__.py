"""What happened, written down: one event for each decision, allowed or denied, and for each revocation.

    event             the fields of a decision's event, all of them bounded, and their JSON form
    revocation_event  those of a revocation's
    body_event        those of what was found in a body, or why it was cut off
    sink              writes events as lines beside the request's path, from a bounded queue

An event names people, agents, rules and places; it never holds a token, a body or a finding's value.
"""
