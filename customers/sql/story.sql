-- One customer's story, newest first; what happened at one instant stays together even above the limit.
-- Parameters: customer; before (exclusive); limit; kinds.
-- Every teller's query has the columns what, id, kind, at and facts, takes the same parameters, and gives its own newest.
SELECT * FROM ({tellers}) AS told
WHERE kind = ANY(%(kinds)s)
ORDER BY at DESC
FETCH FIRST (%(limit)s) ROWS WITH TIES
