"""Bytes as they travel → text as the application will read it, and the way back.

piece      a part of what came, and how it reads
"""
