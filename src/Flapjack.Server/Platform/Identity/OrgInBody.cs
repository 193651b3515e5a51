using System.Text.Json;
using Flapjack.Server.Platform.Http;

namespace Flapjack.Server.Platform.Identity;

/// <summary>Marks an endpoint whose body may name the organisation to act in. <see cref="JsonBody{T}"/> sets it for every request record with an <c>OrgId</c>.</summary>
/// <remarks>
/// The role that counts is the one in the organisation acted in, and the role is checked before the body is bound. So for users, and at these
/// endpoints only, the body is read early, searched for this one field and handed on. A key acts in its own organisation; its bodies are not touched.
/// </remarks>
internal sealed record OrgInBody
{
    public static readonly OrgInBody Mark = new();

    /// <summary>The organisation a creation names; null when it names none. What is wrong with the body is for the endpoint to say.</summary>
    public static async ValueTask<Guid?> FindAsync(HttpContext context, Endpoint endpoint, Caller caller)
    {
        var request = context.Request;
        // In a change of something that exists the field is ignored.
        if (caller.Kind != CallerKind.User || !HttpMethods.IsPost(request.Method) || endpoint.Metadata.GetMetadata<OrgInBody>() is null) return null;
        var limit = endpoint.Metadata.GetMetadata<BodyLimit>()?.Bytes ?? BodyLimit.Default;
        if (request.ContentLength is 0 || request.ContentLength > limit) return null;
        var bytes = await RequestBytes.ReadAllAsync(request, limit, context.RequestAborted);
        request.Body = new MemoryStream(bytes.ToArray(), writable: false);
        return Find(bytes.Span);
    }

    private static Guid? Find(ReadOnlySpan<byte> json)
    {
        if (json.StartsWith("\uFEFF"u8)) json = json[3..];
        string? camel = null, snake = null;
        var hasCamel = false;
        try
        {
            var reader = new Utf8JsonReader(json);
            if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject) return null;
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                var (isCamel, isSnake) = (reader.ValueTextEquals("orgId"u8), reader.ValueTextEquals("org_id"u8));
                reader.Read();
                hasCamel |= isCamel;
                if (isCamel) camel = reader.TokenType == JsonTokenType.String ? reader.GetString() : null;
                else if (isSnake) snake = reader.TokenType == JsonTokenType.String ? reader.GetString() : null;
                else reader.Skip();
            }
        }
        catch (Exception fault) when (fault is JsonException or InvalidOperationException)
        {
            return null;
        }
        return Guid.TryParseExact(hasCamel ? camel : snake, "D", out var org) ? org : null;
    }
}
