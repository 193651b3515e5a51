using System.Text.Json;
using System.Text.Json.Serialization;
using Flapjack.Server.Platform.Http;

namespace Flapjack.Server.OpenAICompat.Responses;

/// <summary>A request of the Responses API. Fields not listed are ignored.</summary>
public sealed record CreateResponseRequest
{
    /// <summary><c>agent:&lt;uuid&gt;</c>; models themselves only where the server allows them. Required.</summary>
    public Optional<string> Model { get; init; }
    /// <summary>The user's text, or items: messages, which may hold images and files (<c>input_image</c>, <c>input_file</c>), calls the model made and their results. After a previous response only what is new.</summary>
    public Optional<JsonElement?> Input { get; init; }
    /// <summary>For the model, after the agent's own prompt; of this response only.</summary>
    public Optional<string> Instructions { get; init; }
    /// <summary>Goes on with the thread of that response.</summary>
    [JsonPropertyName("previous_response_id")]
    public Optional<string> PreviousResponseId { get; init; }
    /// <summary>True: server-sent events.</summary>
    public Optional<bool?> Stream { get; init; }
    /// <summary>Functions the client runs, at most 64. Hosted tools are 400.</summary>
    public Optional<List<ResponseToolRequest?>> Tools { get; init; }
    /// <summary><c>auto</c> (default) or <c>none</c>, which keeps the client's functions from the model.</summary>
    [JsonPropertyName("tool_choice")]
    public Optional<JsonElement?> ToolChoice { get; init; }
    /// <summary>How the text is to look.</summary>
    public Optional<ResponseTextRequest?> Text { get; init; }
    /// <summary>From 0 to 2, instead of the agent's.</summary>
    public Optional<double?> Temperature { get; init; }
    /// <summary>Largest answer in tokens; the agent's own limit holds as well.</summary>
    [JsonPropertyName("max_output_tokens")]
    public Optional<int?> MaxOutputTokens { get; init; }
    /// <summary>JSON object of at most 16 KB, copied to the trace.</summary>
    public Optional<JsonElement?> Metadata { get; init; }
    /// <summary>True (default): the thread is kept and can be continued. False: nothing of it stays after the answer; not together with <c>previous_response_id</c>.</summary>
    public Optional<bool?> Store { get; init; }
    /// <summary>The application's id of its end user, at most 255 characters.</summary>
    public Optional<string> User { get; init; }
    /// <summary>Only false.</summary>
    public Optional<bool?> Background { get; init; }
}

/// <summary>A tool the model may call.</summary>
public sealed record ResponseToolRequest
{
    /// <summary><c>function</c>; anything else is 400.</summary>
    public Optional<string> Type { get; init; }
    /// <summary><c>^[A-Za-z0-9_-]{1,64}$</c> without <c>__</c>, and not the name of a tool of the agent.</summary>
    public Optional<string> Name { get; init; }
    /// <summary>At most 4,000 characters; tells the model when to call it.</summary>
    public Optional<string> Description { get; init; }
    /// <summary>JSON Schema of the arguments, at most 64 KB.</summary>
    public Optional<JsonElement?> Parameters { get; init; }
}

/// <summary>How the text is to look.</summary>
public sealed record ResponseTextRequest
{
    /// <summary><c>{"type":"text"}</c>, <c>json_object</c>, or <c>json_schema</c> with <c>schema</c>, <c>name</c> and <c>strict</c>. JSON comes in one piece, once it is known to be valid.</summary>
    public Optional<JsonElement?> Format { get; init; }
}
