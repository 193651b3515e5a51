using System.Text.Json;
using Flapjack.Server.Agents.Configs;
using Flapjack.Server.Platform.Http;

namespace Flapjack.Server.Agents.Marketplace;

/// <summary>Creates the profile of an agent, or changes the fields that are sent. <c>null</c> restores a default.</summary>
public sealed record MarketplaceProfileRequest
{
    private const int MaxCapabilities = 20, MaxCategories = 5, LabelLength = 60;

    /// <summary><c>^[a-z0-9][a-z0-9-]{1,38}$</c>, unique on the server; 409 when another agent has it. Default: made from the agent's name.</summary>
    public Optional<string> Handle { get; init; }
    /// <summary>1 to 100 characters; default the agent's name.</summary>
    public Optional<string> DisplayName { get; init; }
    /// <summary>At most 160 characters; default the first line of the agent's description.</summary>
    public Optional<string> Tagline { get; init; }
    /// <summary>At most 5,000 characters; default the agent's description.</summary>
    public Optional<string> Description { get; init; }
    /// <summary>What the agent can do, at most 20 texts of 1 to 60 characters.</summary>
    public Optional<List<string?>> Capabilities { get; init; }
    /// <summary>Where it belongs, at most 5 texts of 1 to 60 characters.</summary>
    public Optional<List<string?>> Categories { get; init; }
    /// <summary><c>draft</c> (default) or <c>listed</c>. Listing a draft whose <c>readiness_score</c> would be below 60 is 409.</summary>
    public Optional<string> Visibility { get; init; }

    internal void Check()
    {
        var errors = new FieldErrors();
        if (Handle.Value is { } handle && !MarketplaceHandle.IsValid(handle)) errors.Add("handle", "must match ^[a-z0-9][a-z0-9-]{1,38}$");
        errors.Text("displayName", DisplayName.Value, 100, min: 1);
        errors.Text("tagline", Tagline.Value, 160);
        errors.Text("description", Description.Value, 5_000);
        CheckList(errors, "capabilities", Capabilities.Value, MaxCapabilities);
        CheckList(errors, "categories", Categories.Value, MaxCategories);
        errors.OneOf("visibility", Visibility.Value, MarketplaceProfile.Draft, MarketplaceProfile.Listed);
        errors.ThrowIfAny();
    }

    /// <summary>Takes over what was sent, but for the handle; it was checked.</summary>
    internal void ApplyTo(MarketplaceProfile profile)
    {
        if (DisplayName.IsSet) profile.DisplayName = DisplayName.Value;
        if (Tagline.IsSet) profile.Tagline = Tagline.Value;
        if (Description.IsSet) profile.Description = Description.Value;
        if (Capabilities.IsSet) profile.Capabilities = Json(Capabilities.Value);
        if (Categories.IsSet) profile.Categories = Json(Categories.Value);
        profile.Visibility = Visibility.Over(profile.Visibility, MarketplaceProfile.Draft);
    }

    private static string Json(List<string?>? texts) => JsonSerializer.Serialize(texts ?? [], WireJson.Responses);

    private static void CheckList(FieldErrors errors, string field, List<string?>? texts, int most)
    {
        if (texts is null) return;
        if (texts.Count > most) errors.Add(field, $"has more than {most} entries");
        for (var i = 0; i < Math.Min(texts.Count, most); i++) errors.Required($"{field}[{i}]", texts[i], LabelLength);
    }
}

/// <summary>How an agent is presented to people who look for one.</summary>
public sealed record MarketplaceProfileResponse
{
    /// <summary>The agent.</summary>
    public required Guid AgentId { get; init; }
    /// <summary>The name it is found under, unique on the server.</summary>
    public required string Handle { get; init; }
    /// <summary>The agent's name unless another was given.</summary>
    public required string DisplayName { get; init; }
    /// <summary>The first line of the agent's description unless another was given.</summary>
    public required string? Tagline { get; init; }
    /// <summary>The agent's description unless another was given.</summary>
    public required string? Description { get; init; }
    /// <summary>What the agent can do.</summary>
    public required IReadOnlyList<string> Capabilities { get; init; }
    /// <summary>Where it belongs.</summary>
    public required IReadOnlyList<string> Categories { get; init; }
    /// <summary><c>draft</c> or <c>listed</c>.</summary>
    public required string Visibility { get; init; }
    /// <summary>Where its picture is, for everybody; null without one.</summary>
    public required string? AvatarUrl { get; init; }
    /// <summary>0 to 100: the weights of the passed checks together, as they stand now.</summary>
    public required int ReadinessScore { get; init; }
    /// <summary>The checks.</summary>
    public required IReadOnlyList<ReadinessCheckResponse> Readiness { get; init; }
    /// <summary>Time of the first save, UTC.</summary>
    public required DateTime CreatedAt { get; init; }
    /// <summary>Time of the last change, UTC.</summary>
    public required DateTime UpdatedAt { get; init; }

    internal static MarketplaceProfileResponse From(ShownProfile shown, string? avatarUrl) => new()
    {
        AgentId = shown.Profile.AgentId,
        Handle = shown.Profile.Handle,
        DisplayName = shown.Profile.DisplayName ?? shown.Agent.Name.Head(100),
        Tagline = shown.Profile.Tagline ?? FirstLine(shown.Agent.Description),
        Description = shown.Profile.Description ?? shown.Agent.Description,
        Capabilities = MarketplaceProfile.ListOf(shown.Profile.Capabilities),
        Categories = MarketplaceProfile.ListOf(shown.Profile.Categories),
        Visibility = shown.Profile.Visibility,
        AvatarUrl = avatarUrl,
        ReadinessScore = shown.Readiness.Score,
        Readiness = [.. shown.Readiness.Checks.Select(c => new ReadinessCheckResponse(c.Check, c.Ok, c.Weight))],
        CreatedAt = shown.Profile.CreatedAt,
        UpdatedAt = shown.Profile.UpdatedAt,
    };

    private static string? FirstLine(string? description) => description?.Trim().Split('\n')[0].Trim() is { Length: > 0 } line ? line.Head(160) : null;
}

/// <summary>One check of an agent's readiness.</summary>
/// <param name="Check"><c>has_preamble</c>, <c>has_description</c>, <c>has_avatar</c>, <c>has_capabilities</c>, <c>has_tools_or_knowledge</c>, <c>published</c> or <c>has_traffic</c> (a turn in the last 30 days).</param>
/// <param name="Ok">Whether it is passed.</param>
/// <param name="Weight">What it adds to the score.</param>
public sealed record ReadinessCheckResponse(string Check, bool Ok, int Weight);

/// <summary>A picture to send, as the parts of a form (<c>multipart/form-data</c>).</summary>
public sealed record AvatarRequest
{
    /// <summary>A png, jpeg, webp or gif by its content, at most 2 MB and 2,048 pixels a side. Required. Stored and shown as sent, with whatever else is in it.</summary>
    public Optional<IFormFile> File { get; init; }
}

/// <summary>Where a picture is now.</summary>
/// <param name="AvatarUrl">For everybody. It never shows another picture; one that was replaced is 404.</param>
public sealed record AvatarResponse(string AvatarUrl);
