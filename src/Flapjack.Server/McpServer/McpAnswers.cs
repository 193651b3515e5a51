using System.Buffers;
using System.Text.Json;
using Flapjack.Server.Platform;
using Flapjack.Server.Platform.Http;
using Flapjack.Server.Platform.Identity;
using Flapjack.Server.Platform.JsonRpc;

namespace Flapjack.Server.McpServer;

/// <summary>Answers the requests of a session.</summary>
internal sealed class McpAnswers(McpMethods methods, McpCalls calls, CallerContext access, TimeProvider time)
{
    /// <summary>Takes a notification.</summary>
    public void Take(JsonRpcCall call, McpSession session)
    {
        if (call.Method == "notifications/cancelled" && call.Params.TryGetProperty("requestId", out var id) && id.ValueKind is JsonValueKind.String or JsonValueKind.Number) calls.Cancel(session.Id, id);
    }

    public Task AnswerAsync(McpRequest request, Accepted accepted) => request.Call.Method switch
    {
        "ping" => SendAsync(request, new { }),
        "tools/list" => SendAsync(request, methods.List(request.Session.AgentId)),
        "tools/call" => CallAsync(request, methods.Find(request.Call.Params, request.Session.AgentId), accepted),
        var other => throw new JsonRpcException(JsonRpcErrors.MethodNotFound, $"Unknown method: {other}"),
    };

    private async Task CallAsync(McpRequest request, IMcpTool tool, Accepted accepted)
    {
        if (tool.TakesTime && accepted.Stream)
        {
            await StreamAsync(request, tool);
            return;
        }
        // Nothing is sent where the client cancelled; it does not wait for it.
        if (await methods.CallAsync(tool, request, _ => { }) is { } result) await SendAsync(request, result);
    }

    private async Task StreamAsync(McpRequest request, IMcpTool tool)
    {
        var log = new EventLog(Ids.New(), 1);
        var calling = RunAsync(request, tool, log);
        try
        {
            await request.Client.StartEventsAsync();
            await request.Client.SendAsync(new TranslatedEvents(log, new McpMessages()), access.Credential);
        }
        finally
        {
            // Ends with the stream: it has been cancelled if the client left.
            await calling.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task RunAsync(McpRequest request, IMcpTool tool, EventLog log)
    {
        try
        {
            var result = await methods.CallAsync(tool, request, progress => log.Append("progress", progress, static (json, told) => JsonRpcText.WriteNotification(json, "notifications/progress", told)));
            if (result is not null) log.Append("result", (request.Call.Id!.Value, result), static (json, answer) => JsonRpcText.WriteResult(json, answer.Value, answer.result));
        }
        finally
        {
            log.End(time.Now());
        }
    }

    private static Task SendAsync(McpRequest request, object result) => request.Client.SendJsonAsync(json => JsonRpcText.WriteResult(json, request.Call.Id!.Value, result));

    /// <summary>The events of a call are whole messages already.</summary>
    private sealed class McpMessages : IEventTranslation
    {
        private static readonly byte[] Begin = "event: message\ndata: "u8.ToArray(), End = "\n\n"u8.ToArray();

        public void Write(string type, ReadOnlyMemory<byte> data, IBufferWriter<byte> output)
        {
            output.Write(Begin);
            output.Write(data.Span);
            output.Write(End);
        }
    }
}
