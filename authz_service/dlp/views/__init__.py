"""Bytes as they travel → text as the application will read it, and the way back.

piece       a part of what came, and how it reads
opening     a media type → the view that reads such bodies
json_text, escaped (forms, XML, mail), multipart, base64_text, wide_text, sse, sniffed
            the views, each in parts, whatever their size
folding     look-alikes → what they stand for
reading     a whole body → its text
json_paths  places in JSON → where they are in its tree
"""
