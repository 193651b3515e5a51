using Microsoft.Data.Sqlite;
using Npgsql;

namespace Flapjack.Server.Tests;

/// <summary>A database of a fixture's own: a file in its directory, or with <c>FLAPJACK_TEST_DATABASE=postgres</c> one created beside <c>FLAPJACK_TEST_POSTGRES</c>.</summary>
internal sealed class TestDatabase : IAsyncDisposable
{
    private readonly string? _admin;
    private readonly string? _name;

    private TestDatabase(string connectionString, string? admin = null, string? name = null) => (ConnectionString, _admin, _name) = (connectionString, admin, name);

    public static bool IsPostgres => Environment.GetEnvironmentVariable("FLAPJACK_TEST_DATABASE") == "postgres";

    public string ConnectionString { get; }

    public static async Task<TestDatabase> CreateAsync(string directory)
    {
        if (!IsPostgres) return new($"Data Source={Path.Combine(directory, "flapjack.db")}");
        var admin = Environment.GetEnvironmentVariable("FLAPJACK_TEST_POSTGRES")
            ?? throw new InvalidOperationException("Set FLAPJACK_TEST_POSTGRES to a connection string that may create databases.");
        var name = "flapjack_test_" + Guid.NewGuid().ToString("N");
        await ExecuteAsync(admin, $"CREATE DATABASE {name}");
        return new(new NpgsqlConnectionStringBuilder(admin) { Database = name }.ConnectionString, admin, name);
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

    /// <summary>The file is moved away and a directory takes its name; PostgreSQL throws everybody out.</summary>
    public async Task BreakAsync()
    {
        if (_admin is not null)
        {
            await ExecuteAsync(_admin, $"ALTER DATABASE {_name} WITH ALLOW_CONNECTIONS false");
            await ExecuteAsync(_admin, $"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{_name}'");
            return;
        }
        ClearPool();
        foreach (var file in Directory.GetFiles(Path.GetDirectoryName(FilePath)!, "flapjack.db*")) File.Move(file, file.Replace("flapjack.db", "moved.db", StringComparison.Ordinal));
        Directory.CreateDirectory(FilePath);
    }

    public async Task RepairAsync()
    {
        if (_admin is not null)
        {
            await ExecuteAsync(_admin, $"ALTER DATABASE {_name} WITH ALLOW_CONNECTIONS true");
            return;
        }
        Directory.Delete(FilePath);
        foreach (var file in Directory.GetFiles(Path.GetDirectoryName(FilePath)!, "moved.db*")) File.Move(file, file.Replace("moved.db", "flapjack.db", StringComparison.Ordinal));
    }

    private string FilePath => new SqliteConnectionStringBuilder(ConnectionString).DataSource;

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
