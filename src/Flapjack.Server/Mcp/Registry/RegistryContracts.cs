using System.Text.Json.Serialization;

namespace Flapjack.Server.Mcp.Registry;

/// <summary>Servers found in the registry.</summary>
/// <param name="Servers">One page.</param>
/// <param name="NextCursor">For the next page; null on the last one.</param>
public sealed record RegistryPage([property: JsonPropertyName("servers")] IReadOnlyList<RegistryServer> Servers, [property: JsonPropertyName("nextCursor")] string? NextCursor);

/// <summary>A server in the registry.</summary>
public sealed record RegistryServer
{
    /// <summary>Its name there, such as <c>io.github.acme/weather</c>.</summary>
    [JsonPropertyName("name")] public required string Name { get; init; }
    /// <summary>For people.</summary>
    [JsonPropertyName("title")] public required string? Title { get; init; }
    /// <summary>What it does.</summary>
    [JsonPropertyName("description")] public required string? Description { get; init; }
    /// <summary>Its newest version.</summary>
    [JsonPropertyName("version")] public required string? Version { get; init; }
    /// <summary>Where its source is.</summary>
    [JsonPropertyName("repositoryUrl")] public required string? RepositoryUrl { get; init; }
    /// <summary>Where more is said of it.</summary>
    [JsonPropertyName("websiteUrl")] public required string? WebsiteUrl { get; init; }
    /// <summary>A picture.</summary>
    [JsonPropertyName("iconUrl")] public required string? IconUrl { get; init; }
    /// <summary>Where it runs already.</summary>
    [JsonPropertyName("remotes")] public required IReadOnlyList<RegistryRemote> Remotes { get; init; }
    /// <summary>As programs to run.</summary>
    [JsonPropertyName("packages")] public required IReadOnlyList<RegistryPackage> Packages { get; init; }
    /// <summary>The organisation's server with one of these addresses; null when it has none.</summary>
    [JsonPropertyName("installedId")] public Guid? InstalledId { get; init; }
}

/// <summary>An address of a server.</summary>
/// <param name="Transport"><c>streamable_http</c> or <c>sse</c>.</param>
/// <param name="Url">May hold placeholders in braces.</param>
/// <param name="Headers">What it wants to be sent.</param>
public sealed record RegistryRemote([property: JsonPropertyName("transport")] string Transport, [property: JsonPropertyName("url")] string Url, [property: JsonPropertyName("headers")] IReadOnlyList<RegistryInput> Headers);

/// <summary>A package of a server.</summary>
/// <param name="Registry">Where it is published, such as <c>npm</c>.</param>
/// <param name="Identifier">Its name there.</param>
/// <param name="Version">Its version.</param>
/// <param name="Command">The program that runs it; null when none is usual.</param>
/// <param name="Args">Arguments of the program.</param>
/// <param name="Env">Variables it wants.</param>
public sealed record RegistryPackage(
    [property: JsonPropertyName("registry")] string Registry, [property: JsonPropertyName("identifier")] string Identifier, [property: JsonPropertyName("version")] string? Version,
    [property: JsonPropertyName("command")] string? Command, [property: JsonPropertyName("args")] IReadOnlyList<string> Args, [property: JsonPropertyName("env")] IReadOnlyList<RegistryInput> Env);

/// <summary>A header or variable that a server wants.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Required">The server does not work without.</param>
/// <param name="Secret">It should not be shown.</param>
/// <param name="Description">What it is.</param>
public sealed record RegistryInput([property: JsonPropertyName("name")] string Name, [property: JsonPropertyName("required")] bool Required, [property: JsonPropertyName("secret")] bool Secret, [property: JsonPropertyName("description")] string? Description);

/// <summary>A well-known server that is connected with a click.</summary>
public sealed record ManagedProviderResponse
{
    /// <summary>The id for <c>managedProvider</c>.</summary>
    [JsonPropertyName("provider")] public required string Provider { get; init; }
    /// <summary>For people.</summary>
    [JsonPropertyName("name")] public required string Name { get; init; }
    /// <summary>What it is good for.</summary>
    [JsonPropertyName("description")] public required string Description { get; init; }
    /// <summary>A picture.</summary>
    [JsonPropertyName("iconUrl")] public required string? IconUrl { get; init; }
    /// <summary><c>streamable_http</c> or <c>sse</c>.</summary>
    [JsonPropertyName("transport")] public required string Transport { get; init; }
    /// <summary>Where it is.</summary>
    [JsonPropertyName("url")] public required string Url { get; init; }
    /// <summary>Null where the server says it.</summary>
    [JsonPropertyName("authorizeUrl")] public required string? AuthorizeUrl { get; init; }
    /// <summary>Null where the server says it.</summary>
    [JsonPropertyName("tokenUrl")] public required string? TokenUrl { get; init; }
    /// <summary>What is asked for.</summary>
    [JsonPropertyName("scopes")] public required IReadOnlyList<string> Scopes { get; init; }
    /// <summary>It can be connected without more settings.</summary>
    [JsonPropertyName("configured")] public required bool Configured { get; init; }
    /// <summary>The organisation's server of this provider; null when it has none.</summary>
    [JsonPropertyName("installedId")] public required Guid? InstalledId { get; init; }

    internal static ManagedProviderResponse From(McpProvider provider, Guid? installedId) => new()
    {
        Provider = provider.Id,
        Name = provider.Name,
        Description = provider.Description,
        IconUrl = null,
        Transport = provider.Transport,
        Url = provider.Url.ToString(),
        AuthorizeUrl = provider.AuthorizeUrl?.ToString(),
        TokenUrl = provider.TokenUrl?.ToString(),
        Scopes = provider.Scopes,
        Configured = true,
        InstalledId = installedId,
    };
}
