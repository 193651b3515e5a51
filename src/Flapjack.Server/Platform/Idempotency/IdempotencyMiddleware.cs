using System.Text;
using Flapjack.Server.Platform.Http;
using Flapjack.Server.Platform.Identity;
using Microsoft.AspNetCore.Http.Features;

namespace Flapjack.Server.Platform.Idempotency;

/// <summary>Executes a POST with an <c>Idempotency-Key</c> once and gives its answer again to every repeat for 24 hours.</summary>
/// <remarks>
/// 1 let strangers in, read the body and name the scope, 2 claim the key or answer from its record, 3 execute with the answer held back,
/// 4 keep the answer or give the key back, 5 send. An event stream is not held back; its turn is noted before its first byte.
/// </remarks>
internal sealed class IdempotencyMiddleware(RequestDelegate next, IdempotencyStore store)
{
    public const string Header = "Idempotency-Key", Replayed = "Idempotency-Replayed";

    public Task InvokeAsync(HttpContext context)
    {
        var key = context.Request.Headers[Header].ToString();
        if (key.Length == 0 || !HttpMethods.IsPost(context.Request.Method) || context.GetEndpoint() is not { } endpoint || !TakesKeys(context, endpoint)) return next(context);
        if (key.Length > 255) throw ApiException.Invalid(Header, "must have 1 to 255 characters");
        return InvokeOnceAsync(context, endpoint, key);
    }

    private async Task InvokeOnceAsync(HttpContext context, Endpoint endpoint, string key)
    {
        var access = context.RequestServices.GetRequiredService<CallerContext>();
        // Settled before strangers are let in: from then on they are somebody.
        var (kept, scope, orgId) = (access.IsKnown ? Kept.Known : Kept.Stranger, Scope(context, endpoint, access, key), access.OrgId);
        var body = await BodyCopy.TakeAsync(context.Request, endpoint, access.IsKnown ? null : await AdmitAsync(context, endpoint));
        var bodyHash = body.Hash(context.Request.QueryString.Value + orgId);

        for (var attempt = 0; attempt < 3; attempt++)
        {
            var claim = await store.ClaimAsync(orgId, scope, bodyHash, context.RequestAborted);
            if (claim is null && await store.FindAsync(scope, context.RequestAborted) is { } record)
            {
                if (record.BodyHash != bodyHash) throw new ApiException(422, "IDEMPOTENCY_MISMATCH", $"{Header}: was used for a different request");
                if (await AnswerAgainAsync(context, body.Bytes, record)) return;
                claim = record.TurnId is null ? await store.TakeOverAsync(record, context.RequestAborted) : null;
                if (claim is null) throw InProgress();
            }
            if (claim is null) continue;
            await ExecuteAsync(context, endpoint, claim, kept);
            return;
        }
        throw InProgress();
    }

    private async Task<bool> AnswerAgainAsync(HttpContext context, ReadOnlyMemory<byte> body, IdempotencyRecord record)
    {
        if (record.Status is null)
        {
            if (record.TurnId is not { } turnId || ReplayOf(context) is not { } replay) return false;
            context.Response.Headers[Replayed] = "true";
            if (await replay.ReplayAsync(new ClientConnection(context), body, turnId)) return true;
            context.Response.Headers.Remove(Replayed);
            return false;
        }
        var answer = store.Open(record);
        context.Response.Headers[Replayed] = "true";
        context.Response.StatusCode = answer.Status;
        context.Response.ContentType = answer.ContentType;
        foreach (var (name, value) in answer.Headers) context.Response.Headers[name] = value;
        if (answer.Body.Length == 0) return true;
        context.Response.ContentLength = answer.Body.Length;
        await context.Response.Body.WriteAsync(answer.Body, context.RequestAborted);
        return true;
    }

    private async Task ExecuteAsync(HttpContext context, Endpoint endpoint, IdempotencyClaim claim, Kept kept)
    {
        using var held = new HeldAnswer(context);
        var lifetime = context.Features.GetRequiredFeature<IHttpRequestLifetimeFeature>();
        context.Features.Set(claim);
        context.Response.OnStarting(() => NoteTurnAsync(context, claim));
        if (endpoint.Metadata.GetMetadata<AnswersWithTurn>() is null) context.Features.Set<IHttpRequestLifetimeFeature>(new RunsToItsEnd(lifetime));
        var settled = false;
        try
        {
            await RunAsync(context, kept);
            await held.CompleteAsync();
            await NoteTurnAsync(context, claim);
            if (held.IsStream) settled = context.Features.Get<IdempotentTurn>() is not null;
            else if (kept.Keeps(context.Response.StatusCode) && !held.IsTooLarge)
            {
                await store.KeepAsync(claim, new(context.Response.StatusCode, context.Response.ContentType, KeptAnswer.HeadersOf(context.Response.Headers), held.Bytes()));
                settled = true;
            }
        }
        catch (ApiException failure) when (!kept.Keeps(failure.Status) && !context.Response.HasStarted)
        {
            await store.ForgetAsync(claim);
            settled = true;
            throw;
        }
        finally
        {
            context.Features.Set(lifetime);
            held.Restore();
            if (!settled)
            {
                await NoteTurnAsync(context, claim);
                await store.ReleaseAsync(claim);
            }
        }
        await held.SendAsync();
    }

    // A refusal of the handler is an answer like any other. What is not kept goes on to whoever answers failures.
    private async Task RunAsync(HttpContext context, Kept kept)
    {
        try
        {
            await next(context);
        }
        catch (ApiException refusal) when (kept.Keeps(refusal.Status) && !context.Response.HasStarted)
        {
            await ErrorResponses.WriteAsync(context, refusal);
        }
    }

    private async Task NoteTurnAsync(HttpContext context, IdempotencyClaim claim)
    {
        if (context.Features.Get<IdempotentTurn>() is not { } turn || context.Features.Get<NotedTurn>() is not null) return;
        context.Features.Set(new NotedTurn());
        await store.NoteTurnAsync(claim, turn.TurnId);
    }

    private static IIdempotentReplay? ReplayOf(HttpContext context) => context.GetEndpoint()?.Metadata.GetMetadata<AnswersWithTurn>()?.Protocol is { } protocol
        ? context.RequestServices.GetKeyedService<IIdempotentReplay>(protocol)
        : context.RequestServices.GetService<IIdempotentReplay>();

    private static bool TakesKeys(HttpContext context, Endpoint endpoint) =>
        context.RequestServices.GetRequiredService<CallerContext>().IsKnown || endpoint.Metadata.GetMetadata<IdempotentForStrangers>() is not null;

    private static async Task<long?> AdmitAsync(HttpContext context, Endpoint endpoint) => endpoint.Metadata.GetMetadata<AdmitsStrangers>() is { } door ? await door.Admit(context) : null;

    private static ApiException InProgress() => new(409, "IDEMPOTENCY_IN_PROGRESS", "the first request with this key is still running") { RetryAfter = TimeSpan.FromSeconds(1) };

    // Public chat has no caller: its path names the chat, the session header the visitor.
    private static string Scope(HttpContext context, Endpoint endpoint, CallerContext access, string key)
    {
        var request = context.Request;
        var visitor = request.Headers["X-Flapjack-Session"].ToString();
        if (visitor.Length == 0 && endpoint.Metadata.GetMetadata<KeyedByAddress>() is not null) visitor = "at " + context.RequestServices.GetRequiredService<Http.Addresses.ClientAddress>().Of(context);
        var caller = access.IsKnown ? $"{access.Caller.Kind} {access.Caller.Identity}" : "visitor " + visitor;
        return BodyCopy.Hex(Encoding.UTF8.GetBytes(string.Join('\n', caller, request.Method, request.Path.Value!.TrimEnd('/'), key)));
    }

    /// <summary>Which answers are given again.</summary>
    private sealed record Kept(int Below)
    {
        public static readonly Kept Known = new(500), Stranger = new(400);

        public bool Keeps(int status) => status < Below && status is not (401 or 403 or 429);
    }

    private sealed record NotedTurn;

    private sealed class RunsToItsEnd(IHttpRequestLifetimeFeature inner) : IHttpRequestLifetimeFeature
    {
        public CancellationToken RequestAborted { get; set; } = CancellationToken.None;

        public void Abort() => inner.Abort();
    }
}
