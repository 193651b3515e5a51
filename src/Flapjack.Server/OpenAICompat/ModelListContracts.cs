using System.Text.Json.Serialization;

namespace Flapjack.Server.OpenAICompat;

/// <summary>What can be named as <c>model</c>.</summary>
/// <param name="Data">Agents, newest first, at most 1,000; then models, where the server allows them.</param>
public sealed record ModelList(IReadOnlyList<ModelEntry> Data)
{
    /// <summary><c>list</c>.</summary>
    [JsonPropertyName("object")]
    public string Kind => "list";
}

/// <summary>An agent or a model.</summary>
/// <param name="Id"><c>agent:&lt;uuid&gt;</c>, or the id of a model.</param>
/// <param name="Created">Seconds since 1970; 0 for models.</param>
/// <param name="OwnedBy">Slug of the organisation, or the model's vendor.</param>
/// <param name="Name">For people.</param>
public sealed record ModelEntry(string Id, long Created, string OwnedBy, string Name)
{
    /// <summary><c>model</c>.</summary>
    [JsonPropertyName("object")]
    public string Kind => "model";
}
