"""OPA bundles: a plan and data that `opa build -t plan` has made, from a file, a folder or a URL.

bundle        the whole: gather, verify, read
archive       a `.tar.gz`'s bytes → files; all of it is hostile
folder        an unpacked bundle → files
files         names and bounds that both share
signatures    `.signatures.json` against the files, keys and scope
digests       how OPA digests a file
keys          which signatures count
manifest      `.manifest`: revision and roots
data_files    the data document, in its roots
json_reading  JSON with bounds, lines and exact numbers
endpoint      I/O: a bundle behind a URL
"""
