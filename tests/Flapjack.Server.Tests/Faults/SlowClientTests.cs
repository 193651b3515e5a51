using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Flapjack.Server.Tests.Threads;
using Flapjack.Testing;

namespace Flapjack.Server.Tests.Faults;

/// <summary>A client that stops reading holds up neither the model nor anybody else who reads.</summary>
public sealed class SlowClientTests(FaultWorld world) : IClassFixture<FaultWorld>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_model_and_other_readers_go_on()
    {
        // Far more than the buffers between two sockets hold.
        const int Pieces = 400;
        var text = new string('x', 32 * 1024);
        var thread = await world.ThreadAsync(Protocol.ChatCompletions);
        var begin = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var sent = 0;
        var allSent = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        world.Upstream.Forget();
        world.Upstream.Reply(Script.Text([.. Enumerable.Repeat(text, Pieces)]).Paced(() =>
        {
            if (++sent == Pieces) allSent.SetResult();
            return begin.Task;
        }));
        using var lazy = await SendAndReadNoMoreThanTheHeadAsync(thread);
        using var request = new HttpRequestMessage(HttpMethod.Get, $"/api/threads/{thread}/stream");
        using var reader = await world.Server.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Token);
        ((int)reader.StatusCode).ShouldBe(200);
        begin.SetResult();
        var events = new List<ServerEvent>();
        await foreach (var @event in ServerFixture.ReadEventsAsync(reader)) events.Add(@event);
        allSent.Task.IsCompleted.ShouldBeTrue();
        events[^1].Event.ShouldBe("done");
        events[^1].Data.GetProperty("content").GetString()!.Length.ShouldBe(Pieces * text.Length);
        // The lazy one has read nothing since; the turn is over and stored all the same, and the thread takes the next message.
        (await world.MessagesAsync(thread))[^1].GetProperty("content").GetString()!.Length.ShouldBe(Pieces * text.Length);
        world.Upstream.Reply(Script.Text("next"));
        (await world.Server.AskAsync(thread, "go on"))[^1].Event.ShouldBe("done");
        var (read, end) = await ReadToEndAsync(lazy);
        end.ShouldContain("\"finishReason\":\"stop\"", Case.Sensitive, $"{read} bytes were read, the last: {end[^Math.Min(end.Length, 200)..]}");
    }

    [Fact]
    public async Task A_client_that_never_reads_counts_as_left_after_a_while()
    {
        const int Pieces = 400;
        var thread = await world.ThreadAsync(Protocol.ChatCompletions);
        world.Upstream.Forget();
        world.Upstream.Reply(Script.Text([.. Enumerable.Repeat(new string('x', 32 * 1024), Pieces)]).SilentAfter(Pieces));
        using var lazy = await SendAndReadNoMoreThanTheHeadAsync(thread);
        // Somebody else reads all there is: from here on only the lazy one keeps the turn, and no clock can overtake the model.
        await using (var reader = await EventStream.OpenAsync(await world.Server.Client.GetAsync($"/api/threads/{thread}/stream", HttpCompletionOption.ResponseHeadersRead, Token)))
        {
            for (var read = 0; read < Pieces * 32 * 1024;) read += (await reader.UntilAsync("token")).Data.GetProperty("delta").GetString()!.Length;
        }
        await world.Server.WaitForRunningRequestsAsync(1);
        var turn = await world.Server.Client.GetAsync($"/api/threads/{thread}", Token).ShouldBe(200);
        turn.GetProperty("active_turn_id").ValueKind.ShouldBe(JsonValueKind.String);
        var deadline = Environment.TickCount64 + 120_000;
        while (turn.GetProperty("active_turn_id").ValueKind == JsonValueKind.String && Environment.TickCount64 < deadline)
        {
            world.Server.Time.Advance(TimeSpan.FromSeconds(1));
            turn = await world.Server.Client.GetAsync($"/api/threads/{thread}", Token).ShouldBe(200);
        }
        (await world.MessagesAsync(thread))[^1].GetProperty("stopped").GetBoolean().ShouldBeTrue("its only listener was given up");
    }

    private async Task<Socket> SendAndReadNoMoreThanTheHeadAsync(Guid thread)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { ReceiveBufferSize = 4096 };
        await socket.ConnectAsync(world.Server.BaseAddress.Host, world.Server.BaseAddress.Port, Token);
        const string Body = "{\"content\":\"talk\"}";
        // HTTP/1.0 has no chunks, whose borders fall anywhere into the text.
        var head = $"POST /api/threads/{thread}/messages HTTP/1.0\r\nHost: test\r\nAuthorization: Bearer {ServerFixture.ApiKey}\r\nContent-Type: application/json\r\nContent-Length: {Body.Length}\r\n\r\n{Body}";
        await socket.SendAsync(Encoding.ASCII.GetBytes(head), Token);
        var seen = new StringBuilder();
        var buffer = new byte[256];
        while (!seen.ToString().Contains("event: meta", StringComparison.Ordinal)) seen.Append(Encoding.ASCII.GetString(buffer, 0, await socket.ReceiveAsync(buffer, Token)));
        return socket;
    }

    private static async Task<(long Length, string End)> ReadToEndAsync(Socket socket)
    {
        var (total, last) = (0L, "");
        var buffer = new byte[64 * 1024];
        while (await socket.ReceiveAsync(buffer, Token) is > 0 and var read) (total, last) = (total + read, last[Math.Max(0, last.Length - 200)..] + Encoding.ASCII.GetString(buffer, 0, read));
        return (total, last);
    }
}
