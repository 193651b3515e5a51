using System.Text.Json;
using Flapjack.Server.Integrations.Postgres;
using Flapjack.Server.Tests.Threads;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Npgsql;

namespace Flapjack.Server.Tests.Integrations;

/// <summary>A server and a customer's database on a real PostgreSQL, which is needed whatever the server itself stores in. Without <c>FLAPJACK_TEST_POSTGRES</c> the tests are skipped.</summary>
public sealed class IntegrationWorld : IAsyncLifetime
{
    private const string Schema = """
        CREATE SCHEMA sales;
        CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy');
        CREATE DOMAIN email AS text;
        CREATE TABLE customers (
            id integer PRIMARY KEY, name varchar(100) NOT NULL, mail email, born date, seen timestamptz, balance numeric(12,2), score double precision,
            active boolean, mood mood, tags text[], extra jsonb, photo bytea, big bigint);
        COMMENT ON TABLE customers IS 'People who buy';
        COMMENT ON COLUMN customers.mail IS 'Where they read';
        INSERT INTO customers VALUES
            (1, 'Ada', 'ada@example.com', '1815-12-10', '2026-04-01 12:00:00+02', 12.50, 1.5, true, 'happy', '{a,b}', '{"vip":true}', '\x0102ff', 9007199254740993),
            (2, 'Bob', NULL, NULL, NULL, NULL, 'NaN', false, 'sad', NULL, '[1]', NULL, NULL),
            (3, 'O''Hara; DROP TABLE customers; --', 'x%_y', '2000-02-29', '1999-12-31 23:59:59.123456Z', -1, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
        CREATE TABLE sales.orders (id integer PRIMARY KEY, customer_id integer);
        INSERT INTO sales.orders SELECT n, 1 + n % 3 FROM generate_series(1, 120) n;
        CREATE TABLE "Odd ""name"" $1; --" ("select" integer PRIMARY KEY, "a ""b"" $2; DROP TABLE customers; --" text);
        INSERT INTO "Odd ""name"" $1; --" VALUES (1, 'odd');
        CREATE VIEW grown AS SELECT id, name FROM customers WHERE born < '2008-01-01';
        CREATE VIEW slow AS SELECT pg_sleep(30)::text AS nap;
        CREATE FUNCTION wipe() RETURNS integer LANGUAGE plpgsql VOLATILE AS 'BEGIN DELETE FROM customers; RETURN 1; END';
        CREATE VIEW trap AS SELECT wipe() AS done;
        CREATE VIEW locks AS SELECT pg_advisory_lock(4711)::text AS taken;
        CREATE VIEW held AS SELECT count(*) AS n FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid();
        CREATE TABLE wide AS SELECT n AS id, repeat('é', 5000) AS body, repeat('x', 3000) AS more FROM generate_series(1, 30) n;
        CREATE TABLE hidden (secret text);
        """;

    private static readonly string? Admin = Environment.GetEnvironmentVariable("FLAPJACK_TEST_POSTGRES");
    private readonly string _name = "flapjack_customer_" + Guid.NewGuid().ToString("N");

    /// <summary>Owner of nothing, may read.</summary>
    public string Reader => $"reader_{_name[^12..]}";

    public string Password { get; } = "p@ss:w/rd " + Guid.NewGuid().ToString("N");

    public TurnWorld World { get; private set; } = null!;

    public ServerFixture Server => World.Server;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    /// <summary>Connection string of the reader as a customer would write it.</summary>
    public string Url => UrlOf(Reader, Password, _name);

    /// <summary>Connection string of the database's superuser.</summary>
    public string SuperUrl
    {
        get
        {
            var admin = new NpgsqlConnectionStringBuilder(Admin);
            return UrlOf(admin.Username!, admin.Password ?? "none", _name);
        }
    }

    public async ValueTask InitializeAsync()
    {
        World = await TurnWorld.StartAsync(settings => settings["Network:AllowedHosts:0"] = "loopback", services => services.Replace(ServiceDescriptor.Singleton(new DatabaseLimits { Connect = TimeSpan.FromSeconds(15), Statement = TimeSpan.FromSeconds(5), ResultBytes = 20_000 })));
        if (Admin is null) return;
        await ExecuteAsync(Admin, $"CREATE DATABASE {_name}");
        await CustomerAsync(Schema);
        await CustomerAsync($"CREATE ROLE {Reader} LOGIN PASSWORD '{Password}'; GRANT USAGE ON SCHEMA sales TO {Reader}; GRANT SELECT ON ALL TABLES IN SCHEMA public, sales TO {Reader}; REVOKE ALL ON hidden FROM {Reader};");
    }

    public async ValueTask DisposeAsync()
    {
        if (World is not null) await World.DisposeAsync();
        if (Admin is null) return;
        await CustomerAsync($"DROP OWNED BY {Reader}");
        await ExecuteAsync(Admin, $"DROP DATABASE IF EXISTS {_name} WITH (FORCE)");
        await ExecuteAsync(Admin, $"DROP ROLE IF EXISTS {Reader}");
    }

    public static void Require() => Assert.SkipWhen(Admin is null, "FLAPJACK_TEST_POSTGRES is not set; bin/test starts a PostgreSQL and sets it");

    /// <summary>Does something in the customer's database as its owner.</summary>
    public Task CustomerAsync(string sql) => ExecuteAsync(new NpgsqlConnectionStringBuilder(Admin) { Database = _name, Pooling = false }.ConnectionString, sql);

    /// <summary>One value of the customer's database.</summary>
    public async Task<object?> AskCustomerAsync(string sql)
    {
        await using var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(Admin) { Database = _name, Pooling = false }.ConnectionString);
        await connection.OpenAsync(Token);
        await using var command = new NpgsqlCommand(sql, connection);
        return await command.ExecuteScalarAsync(Token);
    }

    public async Task<JsonElement> CreateAsync(string name = "CRM", string? url = null, string[]? schemas = null) =>
        await World.PostAsync("/api/integrations", new { name, kind = "postgres", connectionString = url ?? Url, schemas = schemas ?? ["public"] }).ShouldBe(201);

    /// <summary>A thread of a new agent that has these databases.</summary>
    public async Task<Guid> OpenAsync(params (JsonElement Integration, string[]? AllowedTables)[] attached)
    {
        var agent = await Server.CreateAgentAsync("Ada", new { defaultModel = "flapjack-offline", maxToolCalls = 100 });
        foreach (var (integration, tables) in attached) await AttachAsync(agent, integration, tables).ShouldBe(201);
        return await Server.CreateThreadAsync(agent);
    }

    public Task<HttpResponseMessage> AttachAsync(Guid agent, JsonElement integration, string[]? tables = null) =>
        World.PostAsync($"/api/agents/{agent}/integrations", new { integrationId = integration.GetProperty("id").GetString(), allowedTables = tables });

    /// <summary>Has the model call one tool and gives the result.</summary>
    public async Task<JsonElement> CallAsync(Guid thread, string tool, string arguments)
    {
        var events = await Server.AskAsync(thread, $"/tool {tool} {arguments.ReplaceLineEndings(" ")}");
        return events.Of("tool_result").Single().GetProperty("result");
    }

    private static string UrlOf(string user, string password, string database)
    {
        var admin = new NpgsqlConnectionStringBuilder(Admin);
        return $"postgresql://{Uri.EscapeDataString(user)}:{Uri.EscapeDataString(password)}@{admin.Host}:{admin.Port}/{database}";
    }

    private static async Task ExecuteAsync(string connectionString, string sql)
    {
        await using var connection = new NpgsqlConnection(connectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }
}
