-- Statements of this transaction give up after this long. Parameters: patience (such as '3s').
SELECT set_config('statement_timeout', %(patience)s, true)
