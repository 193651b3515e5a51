using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Flapjack.Runtime.Tools;
using Flapjack.Server.Platform.Egress;
using Flapjack.Server.Platform.Http;

namespace Flapjack.Server.Tools;

/// <summary>What came of a call: a result or an error, and what the endpoint wants shown to the user.</summary>
internal sealed record WebhookReply
{
    private const int MaxCustom = 20, MaxDetail = 2_000, MaxName = 200, MaxDescription = 2_000, MaxAddress = 4_000;
    private static readonly JsonElement NoPayload = JsonElement.Parse("null");

    /// <summary>HTTP status; null when no answer came.</summary>
    public int? Status { get; init; }

    /// <summary>The result, as JSON or plain text; null for none.</summary>
    public string? Value { get; init; }

    /// <summary>The value was a JSON string: a text, also where it looks like JSON.</summary>
    public bool IsText { get; init; }

    /// <summary>The value as a tool returns it.</summary>
    public object? Returned => IsText ? JsonSerializer.SerializeToElement(Value, WireJson.Responses) : Value;

    /// <summary>The code it failed with; null when it went well.</summary>
    public string? Error { get; init; }

    public string? Detail { get; init; }

    /// <summary>Events for the client, at most twenty.</summary>
    public IReadOnlyList<WebhookEvent> Custom { get; init; } = [];

    /// <summary>Where the user has to authorise first.</summary>
    public AuthChallenge? Challenge { get; init; }

    public static WebhookReply Failed(string code, string? detail, int? status = null) => new() { Error = code, Detail = detail, Status = status };

    /// <summary>No answer came.</summary>
    public static WebhookReply Failed(OutboundException fault) => Failed(fault.Fault switch
    {
        OutboundFault.Timeout => ToolErrors.Timeout,
        OutboundFault.Blocked => ToolErrors.BlockedAddress,
        OutboundFault.TooLarge => ToolErrors.ResponseTooLarge,
        OutboundFault.RedirectRefused => ToolErrors.RedirectRefused,
        _ => ToolErrors.Unreachable,
    }, fault.Message);

    /// <summary>Reads an answer.</summary>
    public static WebhookReply Of(OutboundAnswer answer)
    {
        var text = Encoding.UTF8.GetString(answer.Body).TrimStart('\uFEFF');
        if (!answer.IsSuccess) return Failed(string.Create(System.Globalization.CultureInfo.InvariantCulture, $"TOOL_HTTP_{answer.Status}"), text.Length == 0 ? null : Head(text, MaxDetail), answer.Status);
        if (string.IsNullOrWhiteSpace(text)) return new() { Status = answer.Status };
        using var json = Parse(text);
        return json?.RootElement.ValueKind == JsonValueKind.Object ? OfObject(json.RootElement, answer.Status) : new() { Status = answer.Status, Value = json is null ? text : TextOf(json.RootElement), IsText = json?.RootElement.ValueKind == JsonValueKind.String };
    }

    private static WebhookReply OfObject(JsonElement json, int status)
    {
        var (hasCustom, hasChallenge) = (json.TryGetProperty("custom", out var custom), json.TryGetProperty("auth_challenge", out var challenge));
        var reply = new WebhookReply
        {
            Status = status,
            Value = json.TryGetProperty("result", out var result) ? TextOf(result) : hasCustom || hasChallenge ? Without(json, "custom", "auth_challenge") : json.GetRawText(),
            IsText = result.ValueKind == JsonValueKind.String,
            Custom = hasCustom ? [.. Events(custom)] : [],
        };
        if (!hasChallenge || challenge.ValueKind == JsonValueKind.Null) return reply;
        return ChallengeOf(challenge) is { } asked ? reply with { Challenge = asked }
            : reply with { Value = null, IsText = false, Error = ToolErrors.Failed, Detail = "auth_challenge needs a provider and an https address as redirectUrl." };
    }

    // A string is its text, everything else the JSON as it was sent.
    private static string? TextOf(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Null => null,
        JsonValueKind.String => value.GetString(),
        _ => value.GetRawText(),
    };

    private static IEnumerable<WebhookEvent> Events(JsonElement custom)
    {
        if (custom.ValueKind != JsonValueKind.Array) return [];
        return custom.EnumerateArray().Where(e => TextOf(e, "kind") is { Length: > 0 and <= MaxName })
            .Take(MaxCustom).Select(e => new WebhookEvent(TextOf(e, "kind")!, e.TryGetProperty("payload", out var payload) ? payload.Clone() : NoPayload));
    }

    private static AuthChallenge? ChallengeOf(JsonElement json)
    {
        var address = TextOf(json, "redirectUrl") ?? TextOf(json, "redirect_url");
        return TextOf(json, "provider") is { Length: > 0 and <= MaxName } provider && address is { Length: <= MaxAddress } && Uri.TryCreate(address, UriKind.Absolute, out var uri) && uri.Scheme == Uri.UriSchemeHttps
            ? new(provider, address, TextOf(json, "description") is { } why ? Head(why, MaxDescription) : null) : null;
    }

    private static string? TextOf(JsonElement json, string name) =>
        json.ValueKind == JsonValueKind.Object && json.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    private static string Without(JsonElement json, params ReadOnlySpan<string> names)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer, new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            writer.WriteStartObject();
            foreach (var property in json.EnumerateObject())
            {
                if (!names.Contains(property.Name)) property.WriteTo(writer);
            }
            writer.WriteEndObject();
        }
        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    /// <summary>The answer as JSON; null when it is none, or holds half characters: those fail as soon as somebody reads them.</summary>
    private static JsonDocument? Parse(string text)
    {
        try
        {
            if (text.Contains(@"\ud", StringComparison.OrdinalIgnoreCase)) ReadStrings(Encoding.UTF8.GetBytes(text));
            return JsonDocument.Parse(text);
        }
        catch (Exception fault) when (fault is JsonException or InvalidOperationException or ArgumentException)
        {
            return null;
        }
    }

    private static void ReadStrings(byte[] json)
    {
        var reader = new Utf8JsonReader(json);
        while (reader.Read())
        {
            if (reader.TokenType is JsonTokenType.String or JsonTokenType.PropertyName) _ = reader.GetString();
        }
    }

    private static string Head(string text, int length) => text.Length <= length ? text : text[..(char.IsHighSurrogate(text[length - 1]) ? length - 1 : length)];
}

/// <summary>An event an endpoint wants the client to get.</summary>
internal sealed record WebhookEvent(string Kind, JsonElement Payload);
