-- Fragment: HMAC-SHA256 of the normalised address of customer "c", as hex (see core.hashing).
-- Parameters: hash_inner, hash_outer (the key blocks, 64 bytes each).
encode(sha256(%(hash_outer)s::bytea || sha256(%(hash_inner)s::bytea || convert_to(c.email_normalised, 'UTF8'))), 'hex')
