using System.Text.Json;
using System.Text.Json.Serialization;

namespace Flapjack.Client;

/// <summary>What all requests share: a property that is null is not sent, so it stays as it is.</summary>
public abstract record FlapjackRequest
{
    /// <summary>Fields by their name on the wire, sent as they are. A null clears a field that can be cleared: see <see cref="Clearing"/>.</summary>
    [JsonExtensionData]
    public Dictionary<string, JsonElement>? Extra { get; init; }

    /// <summary>For <see cref="Extra"/>: sends null for each of the fields.</summary>
    public static Dictionary<string, JsonElement> Clearing(params IEnumerable<string> fields) => fields.ToDictionary(field => field, _ => JsonElement.Parse("null"));
}
