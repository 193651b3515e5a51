using NpgsqlTypes;

namespace Flapjack.Server.Integrations.Postgres;

/// <summary>The questions of an inspection. Functions are named with their schema, since a database may hold others of the same name.</summary>
internal static class InspectionSql
{
    /// <summary>Version, superuser.</summary>
    public static readonly Statement Role = new("""
        SELECT pg_catalog.current_setting('server_version'), r.rolsuper::pg_catalog.text
        FROM pg_catalog.pg_roles r WHERE r.rolname = current_user
        """, []);

    /// <summary>One row a readable column: schema, table, comment, owned, writable; column, type, base type, not null, in the primary key, comment.</summary>
    public static Statement Columns(IReadOnlyList<string> schemas) => new($"""
        WITH me AS (SELECT oid, rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user)
        SELECT n.nspname::pg_catalog.text, c.relname::pg_catalog.text, pg_catalog.left(pg_catalog.obj_description(c.oid, 'pg_class'), 500),
          (c.relowner = me.oid OR NOT me.rolsuper AND pg_catalog.pg_has_role(c.relowner, 'USAGE'))::pg_catalog.text,
          pg_catalog.has_table_privilege(c.oid, 'INSERT, UPDATE, DELETE, TRUNCATE')::pg_catalog.text,
          a.attname::pg_catalog.text, pg_catalog.format_type(a.atttypid, a.atttypmod),
          pg_catalog.format_type(CASE WHEN t.typtype = 'd' THEN t.typbasetype ELSE t.oid END, NULL),
          a.attnotnull::pg_catalog.text,
          (EXISTS (SELECT 1 FROM pg_catalog.pg_index i WHERE i.indrelid = c.oid AND i.indisprimary AND a.attnum = ANY (i.indkey)))::pg_catalog.text,
          pg_catalog.left(pg_catalog.col_description(c.oid, a.attnum), 500)
        FROM me, pg_catalog.pg_class c
          JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
          JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
          JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
        WHERE n.nspname IN ({string.Join(", ", schemas.Select((_, i) => $"${i + 1}"))})
          AND c.relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT c.relispartition
          AND pg_catalog.has_schema_privilege(n.oid, 'USAGE') AND pg_catalog.has_column_privilege(c.oid, a.attnum, 'SELECT')
        ORDER BY n.nspname, c.relname, a.attnum LIMIT ${schemas.Count + 1}
        """, [.. schemas.Select(schema => new BoundValue(schema, NpgsqlDbType.Text)), BoundValue.Of(DatabaseLimits.Columns)]);
}
