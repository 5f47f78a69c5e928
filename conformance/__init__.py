"""`make conformance`: OPA's own compliance cases, through both front ends and the engine.

cases        the cases of an OPA module → queries as rules that can be asked for
front_ends   a case's policies → a plan, by `opa build` and by regopy
regopy_worker  compiles by regopy, in a process that a bad policy may end
judging      plan + case → passed, refused or wrong
report       outcomes → a table, and the refusals' page
"""
