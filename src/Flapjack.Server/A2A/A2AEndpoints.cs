using System.Text.Json;
using Flapjack.Server.Agents;
using Flapjack.Server.Agents.Publishing;
using Flapjack.Server.Platform.Http;
using Flapjack.Server.Platform.Http.Addresses;
using Flapjack.Server.Platform.Idempotency;
using Flapjack.Server.Platform.Identity;
using Flapjack.Server.Platform.JsonRpc;
using Flapjack.Server.Platform.Settings;
using Flapjack.Server.Platform.Storage;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;

namespace Flapjack.Server.A2A;

internal static class A2AEndpoints
{
    public static void Map(IEndpointRouteBuilder app)
    {
        var agent = app.MapGroup("/a2a/agents/{agentId:guid}").WithTags("a2a").From("ext");
        agent.MapGet("/.well-known/agent-card.json", Card).WithName("getAgentCard").Access(Scopes.ThreadsWrite).OpenWhen(IsPublicAsync);
        agent.MapPost("", Post).WithName("postA2AMessage").Access(Scopes.ThreadsWrite, Role.Member).AnswersWithTurn(A2AReplay.Protocol).WithMetadata(new BodyLimit(BodyLimit.Messages))
            .Accepts<JsonRpcMessage>("application/json", "*/*").Produces<JsonElement>(200, "application/json", "text/event-stream");
    }

    /// <summary>Tells other agents what the agent is. Needs no credential when the agent is published as public.</summary>
    private static async Task<JsonHttpResult<AgentCard>> Card(Guid agentId, HttpRequest request, Databases databases, CallerContext access, ServerSettings settings, CancellationToken cancellationToken)
    {
        await using var db = access.IsKnown ? databases.Open(access) : databases.OpenForServer();
        var agents = access.IsKnown ? db.Agents : db.Agents.IgnoreQueryFilters();
        var agent = await agents.AsNoTracking().FindAliveAsync(agentId, cancellationToken);
        var description = string.IsNullOrWhiteSpace(agent.Description) ? "An AI agent that answers messages." : agent.Description;
        var card = new AgentCard { Name = agent.Name, Description = description, Url = $"{PublicAddress.Of(request, settings)}/a2a/agents/{agentId}", Version = RequestIds.Version, Skills = [new("chat", agent.Name, description, ["chat"])] };
        return TypedResults.Json(card, JsonRpcText.Wire, "application/json");
    }

    /// <summary>Takes a request of another agent: <c>message/send</c>, <c>message/stream</c>, <c>tasks/get</c>, <c>tasks/cancel</c>, <c>tasks/resubscribe</c>.</summary>
    private static async Task Post(Guid agentId, HttpRequest request, ClientConnection client, A2ATasks tasks, FlapjackDb db, CallerContext access, TimeProvider time)
    {
        await db.Agents.AsNoTracking().FindAliveAsync(agentId, client.Left);
        JsonElement? id = null;
        try
        {
            var call = JsonRpcCall.Parse(JsonRpcCall.ParseBody(await RequestBytes.ReadAsync(request, BodyLimit.Messages, client.Left)));
            id = call.Id ?? throw new JsonRpcException(JsonRpcErrors.InvalidRequest, "id is required");
            await AnswerAsync(new(tasks, client, agentId, call, access.Credential, time));
        }
        catch (JsonRpcException fault)
        {
            await client.SendJsonAsync(json => JsonRpcText.WriteError(json, fault.Id ?? id, fault));
        }
        catch (ApiException fault) when (id is not null)
        {
            var told = JsonRpcFaults.Of(fault);
            await client.SendJsonAsync(json => JsonRpcText.WriteError(json, id, told));
        }
    }

    private static Task AnswerAsync(A2ARequest request) => request.Call.Method switch
    {
        "message/send" => SendAsync(request),
        "message/stream" => StreamAsync(request),
        "tasks/get" => GetAsync(request),
        "tasks/cancel" => CancelAsync(request),
        "tasks/resubscribe" => ResubscribeAsync(request),
        "agent/getAuthenticatedExtendedCard" => throw new JsonRpcException(A2AErrors.NoExtendedCard, "There is no extended card"),
        var other when other.StartsWith("tasks/pushNotificationConfig/", StringComparison.Ordinal) => throw new JsonRpcException(A2AErrors.PushNotificationNotSupported, "Push notifications are not supported"),
        var other => throw new JsonRpcException(JsonRpcErrors.MethodNotFound, $"Unknown method: {other}"),
    };

    private static async Task SendAsync(A2ARequest request)
    {
        var message = A2AMessage.Parse(request.Call.Params, stream: false);
        var length = request.Call.Params.Object("configuration") is { } configuration ? HistoryLength(configuration) : null;
        using var opened = await request.Tasks.OpenAsync(request.AgentId, message, request.Client);
        if (message.Blocking) await opened.Live.Ended.WaitAsync(request.Client.Left);
        var task = await request.Tasks.ReadAsync(request.AgentId, opened.Live.TurnId, length, request.Client.Left);
        // Where to permit what the agent needs stands in its events only.
        if (task.Status is { State: A2AStates.AuthRequired, Message: null }) task = task with { Status = A2AStatus.Of(task.Status.State, request.Time.GetUtcNow().UtcDateTime, task.Id, task.ContextId, A2AStates.Saying(Challenges(opened.Live))) };
        await request.SendAsync(task);
    }

    private static async Task StreamAsync(A2ARequest request)
    {
        using var opened = await request.Tasks.OpenAsync(request.AgentId, A2AMessage.Parse(request.Call.Params, stream: true), request.Client);
        await request.Client.SendAsync(new TranslatedEvents(opened.Live, new A2AEvents(opened.Live, request.Id, 1, request.Time)));
    }

    private static async Task GetAsync(A2ARequest request) =>
        await request.SendAsync(await request.Tasks.ReadAsync(request.AgentId, A2ATasks.IdOf(request.Call.Params), HistoryLength(request.Call.Params), request.Client.Left));

    private static async Task CancelAsync(A2ARequest request) => await request.SendAsync(await request.Tasks.CancelAsync(request.AgentId, A2ATasks.IdOf(request.Call.Params), request.Client.Left));

    private static async Task ResubscribeAsync(A2ARequest request)
    {
        var taskId = A2ATasks.IdOf(request.Call.Params);
        using var found = await request.Tasks.FindStreamAsync(request.AgentId, taskId, request.Client.Left);
        if (found is not { Live: { } live }) throw new JsonRpcException(A2AErrors.UnsupportedOperation, "The task is over and its events are gone; ask for it with tasks/get");
        await request.Client.SendAsync(new TranslatedEvents(live, new A2AEvents(live, request.Id, Math.Max(1, (int)(live.NextSequence - live.FirstSequence)), request.Time)), request.Credential);
    }

    private static List<JsonElement> Challenges(EventLog log) => [.. log.Events().Where(e => e.Type == "auth_challenge").Select(e => JsonElement.Parse(e.Data.Span).GetProperty("challenge"))];

    private static int? HistoryLength(JsonElement parameters) => parameters.TryGetProperty("historyLength", out var value) && value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out var length) && length >= 0 ? length : null;

    private static ValueTask<bool> IsPublicAsync(HttpContext context) =>
        Guid.TryParse(context.Request.RouteValues["agentId"] as string, out var agentId)
            ? new(context.RequestServices.GetRequiredService<Publications>().IsPublicAsync(agentId, context.RequestAborted))
            : new(false);

    private sealed record A2ARequest(A2ATasks Tasks, ClientConnection Client, Guid AgentId, JsonRpcCall Call, Guid Credential, TimeProvider Time)
    {
        public JsonElement Id => Call.Id!.Value;

        public Task SendAsync(A2ATask task) => Client.SendJsonAsync(json => JsonRpcText.WriteResult(json, Id, task));
    }
}
