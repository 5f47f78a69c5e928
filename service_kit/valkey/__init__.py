"""Valkey or Redis, as both services speak to it.

address     where one server is, and how it is spoken to
topology    one server, Sentinels or a Cluster, as they are configured
sentinels   where the primary is, as Sentinels tell
connection  one connection: commands out, replies back in order
client      single commands to one server, the connection kept in the background
"""
