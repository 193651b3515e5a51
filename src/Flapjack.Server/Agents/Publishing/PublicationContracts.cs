using System.Text.Json;
using Flapjack.Server.Agents.Configs;
using Flapjack.Server.Platform.Http;

namespace Flapjack.Server.Agents.Publishing;

/// <summary>Publishes an agent under a slug, or changes the fields that are sent of a slug it has. <c>null</c> restores a default.</summary>
public sealed record PublishRequest
{
    private const int MaxPrompts = 20, MaxOrigins = 50, PromptLength = 500, WelcomeLength = 10_000;

    /// <summary><c>^[a-z0-9][a-z0-9-]{1,62}$</c>, unique on the server. Required. 409 when it belongs to another agent.</summary>
    public Optional<string> Slug { get; init; }
    /// <summary><c>public</c> (default): the address suffices. <c>private</c>: visitors need a session.</summary>
    public Optional<string> Visibility { get; init; }
    /// <summary>At most 300 characters; default the agent's name.</summary>
    public Optional<string> Title { get; init; }
    /// <summary>At most 2,000 characters; default the agent's description.</summary>
    public Optional<string> Description { get; init; }
    /// <summary>What the page says before the visitor does, at most 10,000 characters.</summary>
    public Optional<string> WelcomeMessage { get; init; }
    /// <summary>Questions the page offers, at most 20 of 500 characters.</summary>
    public Optional<List<string?>> SuggestedPrompts { get; init; }
    /// <summary>Browser origins that may use the chat, such as <c>https://www.example.com</c>, at most 50; null = any.</summary>
    public Optional<List<string?>> AllowedOrigins { get; init; }
    /// <summary>Whether visitors may send images and files; default false.</summary>
    public Optional<bool?> AllowAttachments { get; init; }
    /// <summary>Whether visitors see arguments and results of tool calls; default false.</summary>
    public Optional<bool?> ExposeToolDetails { get; init; }

    internal string CheckedSlug()
    {
        if (Slug.Value is not { } slug) throw ApiException.Invalid("slug", "is required");
        return Publication.IsSlug(slug) ? slug : throw ApiException.Invalid("slug", "must match ^[a-z0-9][a-z0-9-]{1,62}$");
    }

    internal void Check()
    {
        var errors = new FieldErrors();
        errors.OneOf("visibility", Visibility.Value, Publication.Public, Publication.Private);
        errors.Text("title", Title.Value, 300, min: 1);
        errors.Text("description", Description.Value, 2_000);
        errors.Text("welcomeMessage", WelcomeMessage.Value, WelcomeLength);
        if (SuggestedPrompts.Value is { } prompts)
        {
            if (prompts.Count > MaxPrompts) errors.Add("suggestedPrompts", $"has more than {MaxPrompts} prompts");
            for (var i = 0; i < prompts.Count; i++) errors.Required($"suggestedPrompts[{i}]", prompts[i], PromptLength);
        }
        if (AllowedOrigins.Value is { } origins)
        {
            if (origins.Count > MaxOrigins) errors.Add("allowedOrigins", $"has more than {MaxOrigins} origins");
            for (var i = 0; i < origins.Count; i++)
            {
                if (OriginOf(origins[i]) is null) errors.Add($"allowedOrigins[{i}]", "is not an origin such as https://www.example.com");
            }
        }
        errors.ThrowIfAny();
    }

    /// <summary>Takes over what was sent; it was checked.</summary>
    internal void ApplyTo(Publication publication)
    {
        publication.Visibility = Visibility.Over(publication.Visibility, Publication.Public);
        if (Title.IsSet) publication.Title = Title.Value;
        if (Description.IsSet) publication.Description = Description.Value;
        if (WelcomeMessage.IsSet) publication.WelcomeMessage = WelcomeMessage.Value;
        if (SuggestedPrompts.IsSet) publication.SuggestedPrompts = JsonSerializer.Serialize(SuggestedPrompts.Value ?? [], WireJson.Responses);
        if (AllowedOrigins.IsSet) publication.AllowedOrigins = AllowedOrigins.Value is { } origins ? JsonSerializer.Serialize(origins.Select(OriginOf).Distinct(), WireJson.Responses) : null;
        publication.AllowAttachments = AllowAttachments.Over(publication.AllowAttachments, false);
        publication.ExposeToolDetails = ExposeToolDetails.Over(publication.ExposeToolDetails, false);
        publication.IsActive = true;
    }

    // As browsers send it: scheme and host in lower case, the port only where it is not the scheme's own.
    private static string? OriginOf(string? text) =>
        text is { Length: <= 300 } && Uri.TryCreate(text, UriKind.Absolute, out var uri) && uri.Scheme is "http" or "https" && uri is { PathAndQuery: "/", UserInfo: "", Fragment: "", IdnHost.Length: > 0 }
            ? $"{uri.Scheme}://{(uri.HostNameType == UriHostNameType.IPv6 ? uri.Host : uri.IdnHost)}{(uri.IsDefaultPort ? "" : $":{uri.Port}")}"
            : null;
}

/// <summary>Ends a publication.</summary>
public sealed record UnpublishRequest
{
    /// <summary>The one to end; without it all of the agent end. May also stand in the query.</summary>
    public Optional<string> Slug { get; init; }
}

/// <summary>An agent that people talk to without an account.</summary>
public sealed record PublicationResponse
{
    /// <summary>UUID.</summary>
    public required Guid Id { get; init; }
    /// <summary>The agent.</summary>
    public required Guid AgentId { get; init; }
    /// <summary>Last part of its address; stays the agent's when it is not active.</summary>
    public required string Slug { get; init; }
    /// <summary><c>public</c> or <c>private</c>.</summary>
    public required string Visibility { get; init; }
    /// <summary>Shown by the page; the agent's name unless another was given.</summary>
    public required string Title { get; init; }
    /// <summary>Shown by the page; the agent's description unless another was given.</summary>
    public required string? Description { get; init; }
    /// <summary>False once unpublished.</summary>
    public required bool IsActive { get; init; }
    /// <summary>The page.</summary>
    public required string Url { get; init; }
    /// <summary>What the page says before the visitor does.</summary>
    public required string? WelcomeMessage { get; init; }
    /// <summary>Questions the page offers.</summary>
    public required IReadOnlyList<string> SuggestedPrompts { get; init; }
    /// <summary>Browser origins that may use the chat; null = any.</summary>
    public required IReadOnlyList<string>? AllowedOrigins { get; init; }
    /// <summary>Whether visitors may send images and files.</summary>
    public required bool AllowAttachments { get; init; }
    /// <summary>Whether visitors see arguments and results of tool calls.</summary>
    public required bool ExposeToolDetails { get; init; }
    /// <summary>Time of the first publication, UTC.</summary>
    public required DateTime CreatedAt { get; init; }

    internal static PublicationResponse From(Publication publication, Agent agent, string address) => new()
    {
        Id = publication.Id,
        AgentId = publication.AgentId,
        Slug = publication.Slug,
        Visibility = publication.Visibility,
        Title = publication.Title ?? agent.Name,
        Description = publication.Description ?? agent.Description,
        IsActive = publication.IsActive,
        Url = $"{address}/chat/{publication.Slug}",
        WelcomeMessage = publication.WelcomeMessage,
        SuggestedPrompts = publication.Prompts,
        AllowedOrigins = publication.Origins,
        AllowAttachments = publication.AllowAttachments,
        ExposeToolDetails = publication.ExposeToolDetails,
        CreatedAt = publication.CreatedAt,
    };
}
