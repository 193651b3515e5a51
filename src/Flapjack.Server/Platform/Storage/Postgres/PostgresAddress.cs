using Npgsql;

namespace Flapjack.Server.Platform.Storage.Postgres;

/// <summary>Accepts both spellings of a PostgreSQL address.</summary>
internal static class PostgresAddress
{
    /// <summary>Statements are prepared after their second use; a database that does not answer is given up on soon enough for a 503 within five seconds.</summary>
    public static string Normalise(string text)
    {
        var builder = text.StartsWith("postgres", StringComparison.OrdinalIgnoreCase) ? FromUri(new Uri(text)) : new NpgsqlConnectionStringBuilder(text);
        // ContainsKey would say yes to every keyword there is.
        if (!builder.ShouldSerialize("Max Auto Prepare")) builder.MaxAutoPrepare = 100;
        if (!builder.ShouldSerialize("Auto Prepare Min Usages")) builder.AutoPrepareMinUsages = 2;
        if (!builder.ShouldSerialize("Timeout")) builder.Timeout = 2;
        if (!builder.ShouldSerialize("Command Timeout")) builder.CommandTimeout = 2;
        // A database that left a command unanswered would not answer its cancellation either.
        if (!builder.ShouldSerialize("Cancellation Timeout")) builder.CancellationTimeout = -1;
        // Trying it first would double the wait for a silent database.
        if (!builder.ShouldSerialize("GSS Encryption Mode")) builder.GssEncryptionMode = GssEncryptionMode.Disable;
        return builder.ConnectionString;
    }

    /// <summary>For the one connection that watches whether the database answers: it never waits behind others for a place in the pool.</summary>
    public static string OfPulse(string normalised) => new NpgsqlConnectionStringBuilder(normalised) { Pooling = false, MaxAutoPrepare = 0 }.ConnectionString;

    /// <summary>For the one connection that writes groups: what is set on it when it is opened stays.</summary>
    public static string OfGroups(string normalised) => new NpgsqlConnectionStringBuilder(normalised) { MinPoolSize = 0, MaxPoolSize = 1, NoResetOnClose = true }.ConnectionString;

    private static NpgsqlConnectionStringBuilder FromUri(Uri uri)
    {
        var user = uri.UserInfo.Split(':', 2);
        var builder = new NpgsqlConnectionStringBuilder
        {
            Host = uri.Host,
            Port = uri.Port > 0 ? uri.Port : 5432,
            Database = uri.AbsolutePath.TrimStart('/'),
            Username = user[0].Length > 0 ? Uri.UnescapeDataString(user[0]) : null,
            Password = user.Length > 1 ? Uri.UnescapeDataString(user[1]) : null,
        };
        foreach (var pair in uri.Query.TrimStart('?').Split('&', StringSplitOptions.RemoveEmptyEntries))
        {
            var (name, value) = pair.Split('=', 2) is [var n, var v] ? (n, Uri.UnescapeDataString(v)) : (pair, "");
            if (name == "sslmode") builder.SslMode = Enum.Parse<SslMode>(value.Replace("-", "", StringComparison.Ordinal), ignoreCase: true);
            else builder[name] = value;
        }
        return builder;
    }
}
