"""Whether a text is a time, without raising: PostgreSQL 16 has the question built in, older ones must try."""

from django.db import migrations

BUILT_IN = """
CREATE FUNCTION customers_is_time(text) RETURNS boolean LANGUAGE sql STABLE
    RETURN pg_input_is_valid($1, 'timestamptz');
"""
BY_TRYING = """
CREATE FUNCTION customers_is_time(written text) RETURNS boolean LANGUAGE plpgsql STABLE AS $$
BEGIN
    PERFORM written::timestamptz;
    RETURN true;
EXCEPTION WHEN data_exception THEN
    RETURN false;
END $$;
"""


def create(apps, schema_editor):
    schema_editor.execute(BUILT_IN if schema_editor.connection.pg_version >= 160000 else BY_TRYING)


class Migration(migrations.Migration):
    dependencies = [("customers", "0003_lean_memberships")]
    operations = [migrations.RunPython(create, migrations.RunPython.noop)]
