using System.Text.Json;
using Flapjack.Server.Mcp.Registry;
using Flapjack.Server.Platform.Egress;
using Flapjack.Server.Platform.Http;
using Flapjack.Server.Platform.Identity;
using Flapjack.Server.Platform.Secrets;
using Flapjack.Server.Platform.Settings;

namespace Flapjack.Server.Mcp;

/// <summary>Applies a request to a server: what is absent stays. Throws one 422 for all faults, so a server it threw for must not be saved.</summary>
internal sealed class McpEditor(SecretBox secrets, EgressGuard guard, ServerSettings settings, ManagedProviders managed, CallerContext access)
{
    private const int MaxArgs = 64, MaxAllowed = 1_000, MaxText = 4_000;

    public async Task ApplyAsync(McpServer server, McpServerRequest request, CancellationToken cancellationToken)
    {
        var errors = new FieldErrors();
        var (way, receiver, credentials) = (server.Way, ReceiverOf(server), server.Credentials);
        if (request.Name.IsSet) server.Name = request.Name.Value?.Trim() ?? "";
        errors.Required("name", server.Name, 100);
        Provider(server, request, errors);
        if (request.Transport.IsSet) server.Transport = request.Transport.Value ?? "";
        if (server.Transport.Length == 0) errors.Add("transport", "is required");
        else errors.OneOf("transport", server.Transport, McpTransports.StreamableHttp, McpTransports.Sse, McpTransports.Stdio);
        if (server.Transport == McpTransports.Stdio && (request.Transport.IsSet || request.Command.IsSet || request.Args.IsSet || request.Credentials.IsSet)) RequirePrograms();
        Program(server, request, errors);
        await UrlAsync(server, request, errors, cancellationToken);
        if (way != server.Way) KeepToProvider(server, request, errors);
        Credentials(server, request, receiver, errors);
        if (request.AllowedTools.IsSet) server.AllowedTools = Names("allowedTools", request.AllowedTools.Value, MaxAllowed, errors);
        if (request.Enabled.IsSet) server.Enabled = request.Enabled.Value ?? true;
        errors.ThrowIfAny();
        if (way != server.Way) server.Forget();
        else if (credentials == server.Credentials) return;
        server.Revision++;
    }

    /// <summary>A list of names as it is stored; null stays null.</summary>
    public static string? Names(string field, List<string?>? names, int max, FieldErrors errors)
    {
        if (names is null) return null;
        if (names.Count > max) errors.Add(field, $"has more than {max} entries");
        for (var i = 0; i < Math.Min(names.Count, max); i++) errors.Required($"{field}[{i}]", names[i], 128);
        return JsonSerializer.Serialize(names.Distinct());
    }

    private void Provider(McpServer server, McpServerRequest request, FieldErrors errors)
    {
        if (!request.ManagedProvider.IsSet) return;
        server.ManagedProvider = request.ManagedProvider.Value;
        if (server.ManagedProvider is not { } id) return;
        if (managed.Find(id) is not { } provider)
        {
            errors.Add("managedProvider", "is not one of GET /api/mcp-registry/managed");
            return;
        }
        if (!request.Transport.IsSet) server.Transport = provider.Transport;
        if (!request.Url.IsSet) server.Url = provider.Url.ToString();
    }

    // The operator's client and the provider's tokens are for the provider alone. Only a change of the server counts: the operator may have moved the provider.
    private void KeepToProvider(McpServer server, McpServerRequest request, FieldErrors errors)
    {
        if (managed.Find(server.ManagedProvider) is not { } provider || provider.Is(server)) return;
        if (request.ManagedProvider.IsSet) errors.Add("url", "is settled by managedProvider");
        else server.ManagedProvider = null;
    }

    // Whoever may name a program of the host may do what the server may do.
    private void RequirePrograms()
    {
        if (settings.Mcp.Stdio == McpSettings.Off) throw new ApiException(403, "FEATURE_DISABLED", "programs (transport stdio) are switched off on this server: Mcp:Stdio");
        if (settings.Mcp.Stdio == McpSettings.Host && access.Role is not (Role.Admin or Role.Owner))
            throw ApiException.Forbidden(access.Role is null ? "API keys cannot run programs on the host (Mcp:Stdio is host)" : "requires role: admin");
    }

    private static void Program(McpServer server, McpServerRequest request, FieldErrors errors)
    {
        if (server.Transport != McpTransports.Stdio)
        {
            (server.Command, server.Args) = (null, "[]");
            return;
        }
        server.Url = null;
        if (request.Command.IsSet) server.Command = request.Command.Value?.Trim();
        errors.Required("command", server.Command, MaxText);
        if (server.Command is ['-', ..]) errors.Add("command", "must not begin with -");
        if (!request.Args.IsSet) return;
        var args = request.Args.Value ?? [];
        if (args.Count > MaxArgs) errors.Add("args", $"has more than {MaxArgs} entries");
        for (var i = 0; i < Math.Min(args.Count, MaxArgs); i++)
        {
            if (args[i] is null) errors.Add($"args[{i}]", "must be a string");
            else errors.Text($"args[{i}]", args[i], MaxText);
        }
        server.Args = JsonSerializer.Serialize(args);
    }

    private async Task UrlAsync(McpServer server, McpServerRequest request, FieldErrors errors, CancellationToken cancellationToken)
    {
        if (server.Transport == McpTransports.Stdio) return;
        if (request.Url.IsSet) server.Url = request.Url.Value?.Trim();
        errors.Required("url", server.Url, 2_000);
        if (string.IsNullOrEmpty(server.Url)) return;
        if (await guard.RefusalAsync(server.Url, cancellationToken) is { } refusal) errors.Add("url", refusal);
        else if (server.Url.Contains('#', StringComparison.Ordinal)) errors.Add("url", "must not contain a fragment");
    }

    // What is stored was meant for whom it was sent with: it does not follow to another host or program.
    private void Credentials(McpServer server, McpServerRequest request, (string, string?, string?, string) receiver, FieldErrors errors)
    {
        if (!request.Credentials.IsSet)
        {
            if (receiver != ReceiverOf(server)) (server.Credentials, server.CredentialKind) = (null, McpCredentials.None);
            return;
        }
        var credentials = McpCredentials.Read(request.Credentials.Value, errors);
        (server.Credentials, server.CredentialKind) = (credentials.Seal(secrets, server.OrgId, server.Id), credentials.Kind);
    }

    private static (string, string?, string?, string) ReceiverOf(McpServer server) =>
        (server.Transport, Uri.TryCreate(server.Url, UriKind.Absolute, out var url) ? $"{url.Scheme}://{url.Authority}" : server.Url, server.Command, server.Args);
}
