using System.Buffers;
using System.Text.Json;
using Flapjack.Server.Platform.Egress;
using Flapjack.Server.Platform.Http;
using Flapjack.Server.Platform.Secrets;

namespace Flapjack.Server.Tools;

/// <summary>Applies a request to a tool: what is absent stays, null clears. Faults are collected, so a tool that is not saved may be half changed.</summary>
internal sealed class ToolEditor(SecretBox secrets, EgressGuard guard)
{
    private const int MaxDescription = 4_000, MaxUrl = 2_000, MaxHeaders = 20, MaxHeaderValue = 8_192;
    private static readonly SearchValues<char> TokenChars = SearchValues.Create("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ");

    // What frames a request or steers its connection, and what every call brings by itself.
    private static readonly HashSet<string> Taken = new(StringComparer.OrdinalIgnoreCase)
    {
        "Host", "Connection", "Transfer-Encoding", "Upgrade", "TE", "Trailer", "Expect", "Keep-Alive", "Proxy-Authorization", "Proxy-Connection", "Idempotency-Key", "traceparent", "tracestate",
    };

    public async Task ApplyAsync(WebhookTool tool, ToolRequest request, FieldErrors errors, CancellationToken cancellationToken)
    {
        Name(tool, request, errors);
        if (request.Description.IsSet)
        {
            errors.Required("description", request.Description.Value, MaxDescription);
            tool.Description = request.Description.Value ?? "";
        }
        Parameters(tool, request, errors);
        Headers(tool, request, errors);
        Secret(tool, request, errors);
        Numbers(tool, request, errors);
        if (request.Idempotent.IsSet) tool.Idempotent = request.Idempotent.Value ?? false;
        if (request.Enabled.IsSet) tool.Enabled = request.Enabled.Value ?? true;
        await UrlAsync(tool, request, errors, cancellationToken);
    }

    private static void Name(WebhookTool tool, ToolRequest request, FieldErrors errors)
    {
        if (!request.Name.IsSet) return;
        var name = request.Name.Value;
        if (name is null) errors.Add("name", "is required");
        else if (!FieldRules.IsToolName(name)) errors.Add("name", "must match ^[A-Za-z0-9_-]{1,64}$");
        else if (name.Contains("__", StringComparison.Ordinal)) errors.Add("name", "must not contain __");
        else if (BuiltInTools.Contains(name)) errors.Add("name", "is the name of a built-in tool");
        tool.Name = name ?? "";
    }

    private async Task UrlAsync(WebhookTool tool, ToolRequest request, FieldErrors errors, CancellationToken cancellationToken)
    {
        if (!request.Url.IsSet) return;
        tool.Url = request.Url.Value?.Trim() ?? "";
        var before = errors.Count;
        errors.Required("url", request.Url.Value, MaxUrl);
        if (errors.Count == before && await guard.RefusalAsync(tool.Url, cancellationToken) is { } refusal) errors.Add("url", refusal);
    }

    private static void Parameters(WebhookTool tool, ToolRequest request, FieldErrors errors)
    {
        if (!request.Parameters.IsSet) return;
        ToolSchemas.Check(errors, "parameters", request.Parameters.Value);
        tool.Parameters = request.Parameters.Value is { ValueKind: JsonValueKind.Object } schema ? schema.GetRawText() : WebhookTool.AnyArguments;
    }

    private void Headers(WebhookTool tool, ToolRequest request, FieldErrors errors)
    {
        if (!request.Headers.IsSet) return;
        var headers = request.Headers.Value ?? [];
        var before = errors.Count;
        if (headers.Count > MaxHeaders) errors.Add("headers", $"has more than {MaxHeaders} entries");
        foreach (var (name, value) in headers)
        {
            var field = $"headers.{name}";
            if (name.Length is 0 or > 100 || name.AsSpan().ContainsAnyExcept(TokenChars)) errors.Add(field, "is not a header name");
            else if (IsTaken(name)) errors.Add(field, "cannot be set");
            if (value is null || value.Length > MaxHeaderValue || value.AsSpan().ContainsAnyExceptInRange(' ', '~')) errors.Add(field, $"must be at most {MaxHeaderValue} printable ASCII characters");
        }
        if (headers.Keys.Distinct(StringComparer.OrdinalIgnoreCase).Count() != headers.Count) errors.Add("headers", "names one header twice");
        if (errors.Count == before) tool.SetHeaders(headers!, secrets);
    }

    private static bool IsTaken(string name) =>
        Taken.Contains(name) || name.StartsWith("X-Flapjack-", StringComparison.OrdinalIgnoreCase) || name.StartsWith("Content-", StringComparison.OrdinalIgnoreCase);

    private void Secret(WebhookTool tool, ToolRequest request, FieldErrors errors)
    {
        if (!request.Secret.IsSet) return;
        if (request.Secret.Value is { Length: < 16 or > 200 }) errors.Add("secret", "must have 16 to 200 characters");
        else tool.SetSecret(request.Secret.Value, secrets);
    }

    private static void Numbers(WebhookTool tool, ToolRequest request, FieldErrors errors)
    {
        errors.Range("timeoutMs", request.TimeoutMs.Value, 1_000, 120_000);
        errors.Range("retries", request.Retries.Value, 0, 3);
        if (request.TimeoutMs.IsSet) tool.TimeoutMs = request.TimeoutMs.Value ?? WebhookTool.DefaultTimeoutMs;
        if (request.Retries.IsSet) tool.Retries = request.Retries.Value ?? 0;
    }
}
