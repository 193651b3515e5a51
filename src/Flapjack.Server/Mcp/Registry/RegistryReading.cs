using System.Text.Json;

namespace Flapjack.Server.Mcp.Registry;

/// <summary>Reads what a registry answers. Entries that lack what they must have are left out.</summary>
/// <remarks>https://registry.modelcontextprotocol.io/docs, the schema of server.json.</remarks>
internal static class RegistryReading
{
    public static RegistryPage Page(JsonElement json)
    {
        if (json.ValueKind != JsonValueKind.Object || !json.TryGetProperty("servers", out var servers) || servers.ValueKind != JsonValueKind.Array) throw new InvalidDataException("it answers with something else than servers");
        var found = servers.EnumerateArray().Where(entry => entry.ValueKind == JsonValueKind.Object).Select(Server).OfType<RegistryServer>().ToList();
        var cursor = json.TryGetProperty("metadata", out var metadata) ? Text(metadata, "nextCursor") ?? Text(metadata, "next_cursor") : null;
        return new(found, string.IsNullOrEmpty(cursor) ? null : cursor);
    }

    private static RegistryServer? Server(JsonElement entry)
    {
        // Newer registries wrap the server's own description; older ones do not.
        var server = entry.TryGetProperty("server", out var inner) && inner.ValueKind == JsonValueKind.Object ? inner : entry;
        if (Text(server, "name") is not { Length: > 0 } name) return null;
        return new()
        {
            Name = name,
            Title = Text(server, "title"),
            Description = Text(server, "description"),
            Version = Text(server, "version"),
            RepositoryUrl = server.TryGetProperty("repository", out var repository) ? Text(repository, "url") : null,
            WebsiteUrl = Text(server, "websiteUrl"),
            IconUrl = Items(server, "icons").Select(icon => Text(icon, "src")).FirstOrDefault(src => src?.StartsWith("https://", StringComparison.Ordinal) == true),
            Remotes = [.. Items(server, "remotes").Select(Remote).OfType<RegistryRemote>()],
            Packages = [.. Items(server, "packages").Select(Package).OfType<RegistryPackage>()],
        };
    }

    private static RegistryRemote? Remote(JsonElement remote)
    {
        var transport = Text(remote, "type") switch
        {
            "streamable-http" or "http" => McpTransports.StreamableHttp,
            "sse" => McpTransports.Sse,
            _ => null,
        };
        return transport is not null && Text(remote, "url") is { Length: > 0 } url ? new(transport, url, Inputs(remote, "headers")) : null;
    }

    private static RegistryPackage? Package(JsonElement package)
    {
        var (registry, id, version) = (Text(package, "registryType"), Text(package, "identifier"), Text(package, "version"));
        if (registry is null || id is null) return null;
        var (command, first) = (Text(package, "runtimeHint"), registry) switch
        {
            (var hint, "npm") => (hint ?? "npx", new[] { "-y", id }),
            (var hint, "pypi") => (hint ?? "uvx", [id]),
            (var hint, "oci") => (hint ?? "docker", ["run", "-i", "--rm", id]),
            (var hint, "nuget") => (hint ?? "dnx", [id, "--yes"]),
            var (hint, _) => (hint, []),
        };
        return new(registry, id, version, command, [.. Arguments(package, "runtimeArguments").Except(first), .. first, .. Arguments(package, "packageArguments")], Inputs(package, "environmentVariables"));
    }

    private static IEnumerable<string> Arguments(JsonElement package, string name)
    {
        foreach (var argument in Items(package, name))
        {
            if (Text(argument, "type") == "named" && Text(argument, "name") is { } flag) yield return flag;
            if ((Text(argument, "value") ?? Text(argument, "default")) is { } value) yield return value;
        }
    }

    private static List<RegistryInput> Inputs(JsonElement holder, string name) =>
        [.. Items(holder, name).Where(input => Text(input, "name") is not null).Select(input => new RegistryInput(Text(input, "name")!, Flag(input, "isRequired"), Flag(input, "isSecret"), Text(input, "description")))];

    private static IEnumerable<JsonElement> Items(JsonElement holder, string name) =>
        holder.ValueKind == JsonValueKind.Object && holder.TryGetProperty(name, out var items) && items.ValueKind == JsonValueKind.Array ? items.EnumerateArray().Where(item => item.ValueKind == JsonValueKind.Object) : [];

    private static string? Text(JsonElement holder, string name) => holder.ValueKind == JsonValueKind.Object && holder.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    private static bool Flag(JsonElement holder, string name) => holder.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.True;
}
