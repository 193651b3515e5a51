using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Flapjack.Runtime.Schemas;
using Flapjack.Runtime.Tools;
using Flapjack.Server.Platform;
using Flapjack.Server.Platform.Http;
using Flapjack.Server.Platform.Secrets;

namespace Flapjack.Server.Tools;

/// <summary>Tries tools out: a real call, signed like any other.</summary>
internal sealed class ToolTrial(WebhookCall call, SecretBox secrets, TimeProvider time)
{
    private static readonly JsonElement Nothing = JsonElement.Parse("{}");

    public async Task<ToolTestResponse> RunAsync(WebhookTool tool, JsonElement? sent, string? userId, CancellationToken cancellationToken)
    {
        var arguments = sent is { ValueKind: not JsonValueKind.Null } given ? given : Nothing;
        if (arguments.ValueKind != JsonValueKind.Object) throw ApiException.BadRequest("arguments: must be an object");
        var started = time.GetTimestamp();
        var reply = Mistakes(tool, arguments) is { } mistakes ? WebhookReply.Failed(ToolErrors.InvalidArguments, mistakes) : await SendAsync(tool, arguments, userId, cancellationToken);
        var events = reply.Custom.Select(e => new ToolTestEvent("custom", Json(new() { ["kind"] = e.Kind, ["payload"] = Node(e.Payload) }))).ToList();
        if (reply.Challenge is { } challenge) events.Add(new("auth_challenge", OfChallenge(tool.Name, challenge)));
        return new()
        {
            Ok = reply.Error is null && reply.Challenge is null,
            Status = reply.Status,
            DurationMs = (long)time.GetElapsedTime(started).TotalMilliseconds,
            Result = reply.Error is not null || reply.Challenge is not null ? null : ValueOf(reply),
            Error = reply.Challenge is null ? reply.Error : ToolErrors.AuthRequired,
            Detail = reply.Detail,
            Events = events,
        };
    }

    private async Task<WebhookReply> SendAsync(WebhookTool tool, JsonElement arguments, string? userId, CancellationToken cancellationToken)
    {
        WebhookTarget target;
        try
        {
            target = tool.TargetOf(secrets);
        }
        catch (CryptographicException)
        {
            return WebhookReply.Failed(ToolErrors.Failed, "The secrets of this tool were encrypted with another master key; set them again.");
        }
        var origin = new WebhookOrigin(tool.OrgId, $"test_{Ids.New():N}") { UserId = userId, IsTest = true };
        return await call.SendAsync(target, tool.Name, origin, Encoding.UTF8.GetBytes(arguments.GetRawText()), cancellationToken);
    }

    private static string? Mistakes(WebhookTool tool, JsonElement arguments)
    {
        var result = JsonSchema.Parse(JsonElement.Parse(tool.Parameters)).Validate(arguments);
        return result.IsValid ? null : string.Join("; ", result.Errors.Select(e => $"{(e.Path.Length == 0 ? "(root)" : e.Path)}: {e.Message}"));
    }

    private static JsonElement OfChallenge(string tool, AuthChallenge challenge)
    {
        var json = new JsonObject { ["provider"] = challenge.Provider, ["redirectUrl"] = challenge.RedirectUrl };
        if (challenge.Description is { } why) json["description"] = why;
        return Json(new() { ["toolName"] = tool, ["challenge"] = json });
    }

    // The text of a result is JSON where it can be: that is how streams show it.
    private static JsonElement ValueOf(WebhookReply reply)
    {
        try
        {
            return JsonElement.Parse(reply.IsText ? JsonSerializer.Serialize(reply.Value, WireJson.Responses) : reply.Value ?? "null");
        }
        catch (JsonException)
        {
            return JsonSerializer.SerializeToElement(reply.Value, WireJson.Responses);
        }
    }

    private static JsonElement Json(JsonObject json) => JsonSerializer.SerializeToElement(json);

    private static JsonNode? Node(JsonElement json) => JsonNode.Parse(json.GetRawText());
}
