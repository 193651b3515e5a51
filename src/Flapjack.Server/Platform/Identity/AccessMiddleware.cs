using Flapjack.Server.Platform.Http;
using Flapjack.Server.Platform.Http.Addresses;
using Flapjack.Server.Platform.Settings;

namespace Flapjack.Server.Platform.Identity;

/// <summary>Decides for every request who calls and whether it may go on.</summary>
/// <remarks>
/// Endpoints for everybody count requests by address, before anything of them is read; those that are open at times count who brings a credential as a caller.
/// For all others the order is the contract's: 1 authentication, 2 caller kind, 3 demo key, 4 rate limit, 5 organisation, role and scope.
/// Body, resource, fields and state are checked by the endpoint, in that order.
/// </remarks>
internal sealed class AccessMiddleware(RequestDelegate next, IEnumerable<ICredentialReader> readers, RequestLimits limits, VisitorLimits visitors, ServerSettings settings)
{
    private readonly ICredentialReader[] _readers = [.. readers];
    private readonly Caller _demo = new() { Kind = CallerKind.Demo, OrgId = Guid.Empty };

    public async Task InvokeAsync(HttpContext context)
    {
        var endpoint = context.GetEndpoint();
        if (endpoint is null || IsRoutingsOwn(endpoint))
        {
            await next(context);
            return;
        }
        var rule = endpoint.Metadata.GetMetadata<AccessRule>();
        var open = endpoint.Metadata.GetMetadata<OpenWhen>();
        if (rule is { Anonymous: true } || open is not null && context.Request.Headers.Authorization.Count == 0)
        {
            if (endpoint.Metadata.GetMetadata<Uncounted>() is null) visitors.CountRequest(context);
            if (open is not null && !await open.Test(context)) throw NoCredential();
            await next(context);
            return;
        }
        if (rule is null) throw ApiException.Forbidden("this endpoint has no access rule");

        var caller = await AuthenticateAsync(context);
        if (rule.UsersOnly && caller.Kind != CallerKind.User) throw ApiException.Forbidden("this endpoint is for users; API keys cannot call it");
        if (caller.Kind == CallerKind.Demo)
        {
            await AnswerDemoAsync(context, endpoint);
            return;
        }
        limits.CountRequest(context, caller);
        // What is open to strangers is not closed to those of another organisation.
        if (open is not null && await open.Test(context))
        {
            await next(context);
            return;
        }
        if (rule.Scope is { } scope && !caller.Has(scope)) throw ApiException.Forbidden($"missing scope: {scope}");
        var access = context.RequestServices.GetRequiredService<CallerContext>();
        if (caller is { Kind: CallerKind.User, Roles.Count: 0 } && endpoint.Metadata.GetMetadata<NeedsNoOrg>() is not null) access.EnterAlone(caller);
        else access.Enter(caller, await OrgInBody.FindAsync(context, endpoint, caller) ?? SelectedOrg(context.Request, caller), rule.Role);
        await next(context);
    }

    private async ValueTask<Caller> AuthenticateAsync(HttpContext context)
    {
        var header = context.Request.Headers.Authorization.ToString();
        if (!header.StartsWith("Bearer ", StringComparison.OrdinalIgnoreCase)) throw NoCredential();
        var token = header[7..].Trim();
        if (token.StartsWith(ApiKeyFormat.DemoPrefix, StringComparison.Ordinal))
            return settings.Demo.Enabled && token == ApiKeyFormat.DemoKey ? _demo : throw ApiException.Unauthorized("unknown key");
        foreach (var reader in _readers)
        {
            if (reader.Recognises(token) && await reader.ReadAsync(token, context.RequestAborted) is { } caller) return caller;
        }
        throw ApiException.Unauthorized("the credential is unknown, revoked or expired");
    }

    private static ApiException NoCredential() => ApiException.Unauthorized("send an API key or token as 'Authorization: Bearer …'");

    private static Guid SelectedOrg(HttpRequest request, Caller caller)
    {
        // An organisation in the path is the one acted in, so the role that counts is the one held there.
        if (request.RouteValues["orgId"] is string inPath && Guid.TryParse(inPath, out var pathOrg)) return caller.Kind == CallerKind.User || pathOrg == caller.OrgId ? pathOrg : throw ApiException.NotFound("Organisation");
        var named = request.Headers["X-Flapjack-Org"].ToString();
        if (named.Length == 0) named = new Query(request).Text("orgId", "org_id") ?? "";
        if (named.Length == 0) return caller.OrgId;
        if (!Guid.TryParseExact(named, "D", out var org)) throw ApiException.Invalid("orgId", "is not a UUID");
        if (caller.Kind == CallerKind.Key && org != caller.OrgId) throw ApiException.NotFound("Organisation");
        return org;
    }

    private async Task AnswerDemoAsync(HttpContext context, Endpoint endpoint)
    {
        if (endpoint.Metadata.GetMetadata<DemoAnswer>() is { } demo)
        {
            var result = await demo.Answer(context);
            await result.ExecuteAsync(context);
            return;
        }
        throw new ApiException(403, "DEMO_KEY_READ_ONLY", "The demo key cannot change anything.") { SignupUrl = PublicAddress.SignupUrl(context.Request, settings) };
    }

    // Routing itself answers 405 and 415 through endpoints of its own, which carry no rule and reveal nothing.
    private static bool IsRoutingsOwn(Endpoint endpoint) => endpoint.DisplayName is "405 HTTP Method Not Supported" or "415 HTTP Unsupported Media Type";
}
