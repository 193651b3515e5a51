using Flapjack.Server.Platform.Storage.Postgres;
using Npgsql;

namespace Flapjack.Server.Tests.Platform;

/// <summary>Defaults of a PostgreSQL address hold unless the operator says otherwise.</summary>
public sealed class PostgresAddressTests
{
    [Theory]
    [InlineData("Host=db;Database=flapjack", 2, 2, 100)]
    [InlineData("postgresql://ada@db/flapjack", 2, 2, 100)]
    [InlineData("Host=db;Command Timeout=40;Timeout=9;Max Auto Prepare=0", 40, 9, 0)]
    public void Defaults_fill_what_is_not_set(string text, int command, int connect, int prepared)
    {
        var address = new NpgsqlConnectionStringBuilder(PostgresAddress.Normalise(text));
        (address.CommandTimeout, address.Timeout, address.MaxAutoPrepare).ShouldBe((command, connect, prepared));
    }
}
