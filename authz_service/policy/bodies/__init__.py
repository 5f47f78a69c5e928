"""A request's body → the value that policies see. Each form is read by one meaning, or refused.

reading      which form it is, whether it came whole, and its value, when somebody asks for it
media_type   `Content-Type` and its like, parsed
json_body    JSON, with exact numbers and without doubled names
form         form encoding, which queries have too
multipart    multipart/form-data
grpc_body    gRPC messages, by the operator's descriptors; the only one that knows protobuf

What comes in is an unknown's. Depth, count and size have bounds, and what is said of a fault holds nothing of the body.
"""
