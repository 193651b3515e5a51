using System.Text.Json;
using Flapjack.Server.Tests.Accounts;
using Flapjack.Server.Tests.Tools;
using Microsoft.AspNetCore.Http;

namespace Flapjack.Server.Tests.Processes;

/// <summary><c>kill -9</c> while applications work on calls of tools. An application that counts sees no call twice, unless its tool says that it may, and then it is the same call.</summary>
/// <remarks><c>bin/endure tools</c> runs this with more rounds.</remarks>
public sealed class ToolCrashTests
{
    private const int Threads = 12;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Kill_9_between_a_call_and_its_result_repeats_no_effect()
    {
        await using var home = await ServerHome.CreateAsync();
        await using var receiver = await ToolReceiver.StartAsync();
        string[] settings = [.. home.Settings, "--Turns:LeaseSeconds=10", "--Network:AllowedHosts:0=loopback"];
        var server = await PublishedServer.StartAsync(settings);
        try
        {
            for (var round = 0; round < Endurance.Rounds(2); round++)
            {
                var calls = new List<Call>();
                for (var i = 0; i < Threads; i++) calls.Add(await OpenAsync(server, receiver, $"r{round}_{i}", idempotent: i % 2 == 0));
                await CallAndKillAsync(server, receiver, calls);
                await server.DisposeAsync();
                server = await PublishedServer.StartAsync(settings);
                foreach (var call in calls) await CheckAsync(server, receiver, call);
                Endurance.Say($"round {round + 1}: {calls.Count} calls under way when the server was killed, {calls.Sum(c => receiver.At("/" + c.Tool).Count())} requests in all, {calls.Count} effects");
            }
        }
        finally
        {
            await server.DisposeAsync();
        }
    }

    private static async Task<Call> OpenAsync(PublishedServer server, ToolReceiver receiver, string name, bool idempotent)
    {
        var agent = (await server.CallAsync(HttpMethod.Post, "/api/agents", """{"name":"Ada","defaultModel":"flapjack-offline"}""", 201)).Text("id");
        await server.CallAsync(HttpMethod.Post, "/api/tools", JsonSerializer.Serialize(new { name, description = "Pays", url = receiver.UrlOf("/" + name), idempotent, retries = 3, agentId = agent }), 201);
        var thread = (await server.CallAsync(HttpMethod.Post, "/api/threads", JsonSerializer.Serialize(new { agentId = agent }))).GetProperty("id").GetGuid();
        return new(thread, name, idempotent);
    }

    // Every call has arrived and none is answered when the process dies.
    private static async Task CallAndKillAsync(PublishedServer server, ToolReceiver receiver, List<Call> calls)
    {
        var arrived = new CountdownEvent(calls.Count);
        var killed = new TaskCompletionSource();
        foreach (var call in calls)
        {
            receiver.On("/" + call.Tool, async (context, _) =>
            {
                if (!killed.Task.IsCompleted)
                {
                    arrived.Signal();
                    await killed.Task;
                }
                await context.Response.WriteAsync("""{"result":"paid"}""");
            });
        }
        var streams = new List<HttpResponseMessage>();
        foreach (var call in calls) streams.Add(await server.PostAsync(call.Thread, $$"""/tool {{call.Tool}} {"amount":7}""", onDisconnect: "continue"));
        await PublishedServer.UntilAsync(TimeSpan.FromSeconds(30), "all calls arrive", () => Task.FromResult(arrived.IsSet));
        await server.KillAsync();
        killed.SetResult();
        foreach (var stream in streams) stream.Dispose();
        arrived.Dispose();
    }

    private static async Task CheckAsync(PublishedServer server, ToolReceiver receiver, Call call)
    {
        var answer = "";
        await PublishedServer.UntilAsync(TimeSpan.FromSeconds(60), $"the call of {call.Tool} is answered", async () =>
        {
            var last = (await server.MessagesAsync(call.Thread))[^1];
            answer = last.Text("content");
            return last.Text("role") == "assistant";
        });
        var hits = receiver.At("/" + call.Tool).ToList();
        answer.ShouldContain(call.Idempotent ? "paid" : "OUTCOME_UNKNOWN");
        if (call.Idempotent) hits.Count.ShouldBeGreaterThan(1, call.Tool);
        else hits.Count.ShouldBe(1, call.Tool);
        // What an application that remembers keys does once.
        hits.Select(h => h["Idempotency-Key"]).Distinct().Count().ShouldBe(1);
    }

    private sealed record Call(Guid Thread, string Tool, bool Idempotent);
}
