using Flapjack.Server.Platform.Storage;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Npgsql;

namespace Flapjack.Server.Tests;

/// <summary>A database of a fixture's own: a file in its directory, or with <c>FLAPJACK_TEST_DATABASE=postgres</c> one created beside <c>FLAPJACK_TEST_POSTGRES</c>.</summary>
internal sealed class TestDatabase : IAsyncDisposable
{
    private static readonly Lazy<Task<TestDatabase>> s_template = new(MakeTemplateAsync);
    private readonly string? _admin;
    private readonly string? _name;

    private TestDatabase(string connectionString, string? admin = null, string? name = null) => (ConnectionString, _admin, _name) = (connectionString, admin, name);

    public static bool IsPostgres => Environment.GetEnvironmentVariable("FLAPJACK_TEST_DATABASE") == "postgres";

    public string ConnectionString { get; }

    /// <summary>For a server of this process: patient, since it shares the machine with many, and modest, since the database has two hundred places for all.</summary>
    public string ForServer => IsPostgres ? new NpgsqlConnectionStringBuilder(ConnectionString) { Timeout = 30, CommandTimeout = 30, MaxPoolSize = 30 }.ConnectionString : ConnectionString;

    /// <summary>With the schema, which is made once and copied: hundreds of servers start in a run. <paramref name="empty"/> leaves it to the server.</summary>
    public static async Task<TestDatabase> CreateAsync(string directory, bool empty = false)
    {
        if (!IsPostgres)
        {
            var file = Path.Combine(directory, "flapjack.db");
            if (!empty)
            {
                File.Copy((await s_template.Value).FilePath, RealOf(file));
                // Links are exchanged in one step; moving a database away takes several, and somebody opens it in between.
                File.CreateSymbolicLink(file, RealOf(file));
            }
            return new($"Data Source={file}");
        }
        var name = NewName();
        await ExecuteAsync(Admin, $"CREATE DATABASE {name}{(empty ? "" : $" TEMPLATE {(await s_template.Value)._name}")}");
        return Named(name);
    }

    private static string Admin => Environment.GetEnvironmentVariable("FLAPJACK_TEST_POSTGRES")
        ?? throw new InvalidOperationException("Set FLAPJACK_TEST_POSTGRES to a connection string that may create databases.");

    private static string NewName() => "flapjack_test_" + Guid.NewGuid().ToString("N");

    private static TestDatabase Named(string name) => new(new NpgsqlConnectionStringBuilder(Admin) { Database = name }.ConnectionString, Admin, name);

    private static async Task<TestDatabase> MakeTemplateAsync()
    {
        var directory = Directory.CreateTempSubdirectory("flapjack-template-").FullName;
        var template = await CreateAsync(directory, empty: true);
        AppDomain.CurrentDomain.ProcessExit += (_, _) =>
        {
            template.DisposeAsync().AsTask().GetAwaiter().GetResult();
            Directory.Delete(directory, recursive: true);
        };
        var options = new DbContextOptionsBuilder<FlapjackDb>();
        // Without a pool nobody is connected afterwards, as copying wants it.
        if (IsPostgres) options.UseNpgsql(new NpgsqlConnectionStringBuilder(template.ConnectionString) { Pooling = false }.ConnectionString);
        else options.UseSqlite(template.ConnectionString + ";Pooling=False");
        options.ConfigureWarnings(warnings => warnings.Ignore(RelationalEventId.PendingModelChangesWarning));
        await using var db = new FlapjackDb(options.Options);
        await db.Database.MigrateAsync();
        return template;
    }

    public async ValueTask DisposeAsync()
    {
        if (_admin is null)
        {
            ClearPool();
            return;
        }
        await ExecuteAsync(_admin, $"DROP DATABASE IF EXISTS {_name} WITH (FORCE)");
    }

    /// <summary>The file is moved away and its name leads nowhere; PostgreSQL throws everybody out.</summary>
    public async Task BreakAsync()
    {
        if (_admin is not null)
        {
            await ExecuteAsync(_admin, $"ALTER DATABASE {_name} WITH ALLOW_CONNECTIONS false");
            await ExecuteAsync(_admin, $"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{_name}'");
            return;
        }
        LinkTo(Path.Combine(Path.GetDirectoryName(FilePath)!, "nowhere", "flapjack.db"));
        Rename("real.db", "moved.db");
        // Afterwards: a connection that was opened meanwhile would still see the file.
        ClearPool();
    }

    public async Task RepairAsync()
    {
        if (_admin is not null)
        {
            await ExecuteAsync(_admin, $"ALTER DATABASE {_name} WITH ALLOW_CONNECTIONS true");
            return;
        }
        Rename("moved.db", "real.db");
        LinkTo(RealOf(FilePath));
    }

    private string FilePath => new SqliteConnectionStringBuilder(ConnectionString).DataSource;

    private static string RealOf(string file) => Path.Combine(Path.GetDirectoryName(file)!, "real.db");

    // Connections that are open see that, and fail.
    private void Rename(string from, string to)
    {
        foreach (var file in Directory.GetFiles(Path.GetDirectoryName(FilePath)!, from + "*")) File.Move(file, file.Replace(from, to, StringComparison.Ordinal));
    }

    private void LinkTo(string target)
    {
        File.CreateSymbolicLink(FilePath + ".new", target);
        File.Move(FilePath + ".new", FilePath, overwrite: true);
    }

    private void ClearPool()
    {
        using var connection = new SqliteConnection(ConnectionString);
        SqliteConnection.ClearPool(connection);
    }

    private static async Task ExecuteAsync(string connectionString, string sql)
    {
        await using var connection = new NpgsqlConnection(connectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }
}
