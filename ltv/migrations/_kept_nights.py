"""The nights that are kept: their money turned from one kind of column into another, their key into another key."""

from collections.abc import Iterable

REASONS = tuple(f"change_{reason}" for reason in ("time", "purchases", "refunds", "rates", "refit"))
# the nights that are kept apart from the partitioned table change with it
EACH = """
SET LOCAL statement_timeout = 0; -- seconds a night of a million
DO $$
DECLARE kept text;
BEGIN
    FOR kept IN
        SELECT c.relname FROM pg_class AS c
        WHERE c.relname ~ '^ltv_customerltv(_r[0-9]+(_p[0-9]+)?)?$' AND c.relkind IN ('r', 'p') AND NOT c.relispartition
            AND c.relnamespace = 'public'::regnamespace
    LOOP
{statements}
    END LOOP;
END $$;
"""
MONEY = """        EXECUTE format('ALTER TABLE %I DROP CONSTRAINT IF EXISTS ltv_changes_add_up', kept);
        EXECUTE format('ALTER TABLE %I {columns}', kept);
        EXECUTE format('ALTER TABLE %I ADD CONSTRAINT ltv_changes_add_up CHECK ({whole} = {reasons})', kept);"""
DROP_VIEW = "DROP VIEW ltv_current;"
CREATE_VIEW = """CREATE VIEW ltv_current AS
    SELECT * FROM ltv_customerltv WHERE run_id = (SELECT run_id FROM ltv_currentrun);
"""
KEY = """        EXECUTE format('ALTER TABLE %I DROP CONSTRAINT %I, ADD PRIMARY KEY {key}', kept, kept || '_pkey');"""
TO_THOUSANDTHS = "bigint", "({} * 1000)::bigint"
TO_AMOUNTS = "numeric(18, 3)", "{}::numeric / 1000"


def altered(names: Iterable[str], kind: str, using: str) -> str:
    """What follows ALTER TABLE: each column of another kind, made of its values."""
    return ", ".join(f"ALTER COLUMN {name} TYPE {kind} USING {using.format(name)}" for name in names)


def nights(names: Iterable[str], kind: str, using: str, whole: str) -> str:
    """These columns in every night; ``whole`` is the change of value that the reasons add up to."""
    money = MONEY.format(columns=altered(names, kind, using), whole=whole, reasons=" + ".join(REASONS))
    return DROP_VIEW + EACH.format(statements=money) + CREATE_VIEW


def keyed(key: str) -> str:
    """Another primary key in every night."""
    return EACH.format(statements=KEY.format(key=key))
