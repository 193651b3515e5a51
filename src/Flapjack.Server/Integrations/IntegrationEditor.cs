using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text.Json;
using Flapjack.Server.Integrations.Postgres;
using Flapjack.Server.Platform;
using Flapjack.Server.Platform.Egress;
using Flapjack.Server.Platform.Http;
using Flapjack.Server.Platform.Secrets;

namespace Flapjack.Server.Integrations;

/// <summary>Applies requests to integrations and looks at their databases.</summary>
internal sealed class IntegrationEditor(SecretBox secrets, EgressGuard guard, DatabaseInspection inspection, TimeProvider time)
{
    private const int MaxSchemas = 20, LongestSchema = 63;

    /// <summary>The address of a connection string; adds faults, a host that the network rules forbid among them.</summary>
    public async Task<DatabaseAddress?> AddressAsync(string? text, FieldErrors errors, CancellationToken cancellationToken)
    {
        const string field = "connectionString";
        if (text is null)
        {
            errors.Add(field, "is required");
            return null;
        }
        var (address, fault) = DatabaseAddress.Parse(text.Trim());
        if (fault is not null) errors.Add(field, fault);
        else if (await RefusalAsync(address!, cancellationToken) is { } refusal) errors.Add(field, refusal);
        return address;
    }

    /// <summary>The schemas to read.</summary>
    public static IReadOnlyList<string> Schemas(Optional<List<string?>> sent, FieldErrors errors)
    {
        var schemas = sent.Value ?? ["public"];
        if (schemas.Count is 0 or > MaxSchemas) errors.Add("schemas", $"must have 1 to {MaxSchemas} entries");
        for (var i = 0; i < Math.Min(schemas.Count, MaxSchemas); i++)
        {
            var schema = schemas[i] ?? throw ApiException.BadRequest($"schemas[{i}]: must be a string");
            if (schema.Length is 0 or > LongestSchema) errors.Add($"schemas[{i}]", $"must have 1 to {LongestSchema} characters");
            else if (schema == "information_schema" || schema.StartsWith("pg_", StringComparison.Ordinal)) errors.Add($"schemas[{i}]", "is a schema of the database itself");
        }
        return [.. schemas.OfType<string>().Distinct(StringComparer.Ordinal)];
    }

    /// <summary>Gives an integration its connection.</summary>
    public void Connect(Integration row, string text, DatabaseAddress address) =>
        (row.Connection, row.Host, row.Database) = (secrets.Seal(text.Trim(), Integration.Place(row.OrgId, row.Id)), address.Host, address.Database);

    /// <summary>Looks at the database and notes what was found. When that fails, the schema known before stays.</summary>
    public async Task InspectAsync(Integration row, CancellationToken cancellationToken)
    {
        var (found, fault) = await LookAsync(row, cancellationToken);
        if (found is null)
        {
            (row.Status, row.LastError) = (Integration.Error, $"{fault!.Code}: {fault.Detail}");
            return;
        }
        (row.Status, row.LastError, row.IntrospectedAt) = (Integration.Active, null, time.Now());
        (row.Tables, row.TableCount, row.Warnings) = (DatabaseTable.Write(found.Tables), found.Tables.Count, JsonSerializer.Serialize(found.Warnings));
    }

    /// <summary>What is there now, or why that cannot be said.</summary>
    public async Task<(InspectedDatabase? Found, DatabaseFault? Fault)> LookAsync(Integration row, CancellationToken cancellationToken)
    {
        try
        {
            if (DatabaseAddress.Parse(secrets.Open(row.Connection, Integration.Place(row.OrgId, row.Id))).Address is not { } address) return (null, Unreadable);
            return (await inspection.RunAsync(row.Id, address, JsonSerializer.Deserialize<List<string>>(row.Schemas)!, cancellationToken), null);
        }
        catch (CryptographicException)
        {
            return (null, Unreadable);
        }
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested && DatabaseFault.Of(exception) is not null)
        {
            return (null, DatabaseFault.Of(exception));
        }
    }

    private static DatabaseFault Unreadable => new("CONNECT_FAILED", "the stored connection cannot be read; set it again", "");

    // A name that does not resolve now may later.
    private async Task<string?> RefusalAsync(DatabaseAddress address, CancellationToken cancellationToken)
    {
        try
        {
            await guard.ResolveAsync(address.Host, address.Port, cancellationToken);
            return null;
        }
        catch (EgressRefusedException refused)
        {
            return refused.Message;
        }
        catch (Exception exception) when (exception is SocketException or ArgumentException or TimeoutException)
        {
            return null;
        }
    }
}
