using System.Text.Json;
using System.Text.Json.Serialization;

namespace Flapjack.Client;

/// <summary>How requests and answers are written. The server takes both spellings of fields; answers are in snake case.</summary>
internal static class Wire
{
    public static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    };

    /// <summary>The data of events is in camel case, but for the fields that say otherwise.</summary>
    public static readonly JsonSerializerOptions Events = new(JsonSerializerDefaults.Web);
}
