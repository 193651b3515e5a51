using System.Text.Json;
using Flapjack.Server.Platform.Http;
using Flapjack.Server.Platform.Identity;
using Flapjack.Server.Platform.JsonRpc;
using Flapjack.Server.Platform.Storage;
using Flapjack.Server.Threads;
using Flapjack.Server.Threads.Conversations;
using Flapjack.Server.Threads.Streams;
using Flapjack.Server.Threads.Turns;
using Microsoft.EntityFrameworkCore;

namespace Flapjack.Server.McpServer.Tools;

/// <summary>Brings a question of an MCP client to its turn and waits for the answer.</summary>
/// <remarks>The protocol wants a lost connection not to be taken for a cancellation: the turn goes on and stands in its thread. A cancellation stops it.</remarks>
internal sealed class Asking(GuestTurns guests, TurnStops stops, Databases databases, CallerContext access)
{
    /// <summary>Schema of the result.</summary>
    public static readonly JsonElement Answer = JsonElement.Parse("""
        {"type":"object","required":["threadId","content"],"properties":{"threadId":{"type":"string","description":"Name it to go on with the conversation."},
        "messageId":{"type":"string"},"content":{"type":"string","description":"The agent's answer."},
        "authorization":{"type":"array","description":"Services the user has to permit the agent to use, before asking again.","items":{"type":"object",
        "properties":{"provider":{"type":"string"},"redirectUrl":{"type":"string"},"description":{"type":["string","null"]}}}}}}
        """);

    public async Task<JsonElement> AskAsync(Guid agentId, McpToolCall call, CancellationToken cancellationToken)
    {
        var errors = new FieldErrors();
        var message = call.Arguments.GetProperty("message").GetString()!;
        errors.Text("message", message, MessageDraft.ContentLimit, min: 1);
        if (message.Contains('\0', StringComparison.Ordinal)) errors.Add("message", "must not contain the character U+0000");
        errors.ThrowIfAny();
        var draft = new MessageDraft { Content = message, Attachments = [], Results = [], BringsTools = false, OnBusy = "reject", Stream = false, Options = new() { Source = TurnDoors.Mcp, ContinueOnDisconnect = true } };
        using var opened = call.Id("threadId") is { } threadId
            ? await guests.ContinueAsync(threadId, agentId, "agentId", draft, call.Client)
            : await guests.BeginAsync(new(agentId, new(null, ThreadKinds.Single, null, null, "[]", access.UserId, "{}"), draft, null), call.Client);
        try
        {
            return await FollowAsync(opened.Live, call, cancellationToken);
        }
        catch (OperationCanceledException) when (call.Cancelled.IsCancellationRequested)
        {
            await StopAsync(opened.Live);
            throw;
        }
    }

    private static async Task<JsonElement> FollowAsync(LiveTurn live, McpToolCall call, CancellationToken cancellationToken)
    {
        var (answer, challenges) = (new AnswerSoFar(live), new List<JsonElement>());
        string? messageId = null;
        await foreach (var happened in live.FollowAsync(cancellationToken))
        {
            answer.Take(happened.Type, happened.Data);
            if (happened.Type is not ("tool_executing" or "auth_challenge" or "done")) continue;
            var data = JsonElement.Parse(happened.Data.Span);
            if (happened.Type == "tool_executing") call.Progress($"Calling {data.Text("tool_name")}");
            else if (happened.Type == "auth_challenge") challenges.Add(data.GetProperty("challenge"));
            else messageId = data.Text("messageId");
        }
        if (!answer.IsWhole) throw answer.Failure ?? TurnAnswer.TakenOver();
        return JsonSerializer.SerializeToElement(new { live.ThreadId, messageId, content = answer.Text, authorization = challenges.Count == 0 ? null : challenges }, JsonRpcText.Wire);
    }

    private async Task StopAsync(LiveTurn live)
    {
        await using var db = databases.Open(live.OrgId);
        if (await db.Threads.AsNoTracking().FirstOrDefaultAsync(t => t.Id == live.ThreadId) is { } thread) await stops.StopTurnAsync(thread, live.TurnId, CancellationToken.None);
    }
}
