-- Remove one table.
DROP TABLE IF EXISTS {table}
