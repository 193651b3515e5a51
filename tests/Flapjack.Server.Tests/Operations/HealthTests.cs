using System.Net.Sockets;
using System.Text;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Flapjack.Server.Tests.Operations;

public sealed class HealthTests(ServerFixture server) : IClassFixture<ServerFixture>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_running_server_is_alive_and_ready()
    {
        (await server.Anonymous.GetAsync("/healthz", Token).ShouldBe(200)).ToString().ShouldBe("""{"status":"ok"}""");
        (await server.Anonymous.GetAsync("/readyz", Token).ShouldBe(200)).ToString()
            .ShouldBe("""{"status":"ready","checks":{"database":"ok","migrations":"ok","storage":"ok"}}""");
    }

    [Fact]
    public async Task Without_its_database_it_is_alive_not_ready_and_recovers_by_itself()
    {
        await using var own = await ServerFixture.StartAsync();
        await own.BreakDatabaseAsync();
        var answer = await own.Anonymous.GetAsync("/readyz", Token).ShouldBe(503);
        answer.GetProperty("checks").GetProperty("database").GetString().ShouldBe("failed");
        answer.GetProperty("checks").GetProperty("storage").GetString().ShouldBe("ok");
        answer.GetProperty("detail").GetString()!.ShouldContain("database");
        await own.Anonymous.GetAsync("/healthz", Token).ShouldBe(200);

        using (var refused = await own.Client.GetAsync("/api/agents", Token))
        {
            var error = await refused.ShouldBeErrorAsync(503, "SERVICE_UNAVAILABLE");
            refused.Header("Retry-After").ShouldNotBeNull();
            error.ToString().ShouldNotContain("sqlite", Case.Insensitive);
        }

        await own.RepairDatabaseAsync();
        await own.Anonymous.GetAsync("/readyz", Token).ShouldBe(200);
        await own.Client.GetAsync("/api/agents", Token).ShouldBe(200);
    }

    [Fact]
    public async Task A_stopping_server_says_so_while_running_requests_end()
    {
        await using var own = await ServerFixture.StartAsync(settings => settings["Server:ShutdownGraceSeconds"] = "60");
        await own.Client.GetAsync("/api/agents", Token).ShouldBe(200);
        await own.WaitForRunningRequestsAsync(0);
        var body = "{\"name\":\"slow\"}";
        using var slow = new TcpClient();
        await slow.ConnectAsync(own.BaseAddress.Host, own.BaseAddress.Port, Token);
        await using var stream = slow.GetStream();
        var head = $"POST /api/agents HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {ServerFixture.ApiKey}\r\nContent-Type: application/json\r\nContent-Length: {body.Length}\r\n\r\n";
        await stream.WriteAsync(Encoding.ASCII.GetBytes(head + body[..5]), Token);
        await own.WaitForRunningRequestsAsync(1);

        var stopping = own.Services.GetRequiredService<IHost>().StopAsync(Token);
        var ready = await own.Anonymous.GetAsync("/readyz", Token).ShouldBe(503);
        ready.GetProperty("status").GetString().ShouldBe("draining");
        await own.Anonymous.GetAsync("/healthz", Token).ShouldBe(200);

        await stream.WriteAsync(Encoding.ASCII.GetBytes(body[5..]), Token);
        using var reader = new StreamReader(stream);
        (await reader.ReadLineAsync(Token)).ShouldBe("HTTP/1.1 201 Created");
        await stopping.WaitAsync(TimeSpan.FromSeconds(40), Token);
    }

    [Fact]
    public async Task The_first_start_and_the_next_log_no_warning()
    {
        await using var own = await ServerFixture.StartAsync();
        await own.RestartAsync();
        own.Log.Lines.Where(l => !l.StartsWith("Information", StringComparison.Ordinal) && !IsOfTheMachine(l)).ShouldBeEmpty();
        own.Log.Lines.Count(l => l.Contains("listens on http://127.0.0.1:", StringComparison.Ordinal)).ShouldBe(2);
    }

    // Kestrel's heartbeat comes late where the machine has too much to do.
    private static bool IsOfTheMachine(string line) => line.Contains("Microsoft.AspNetCore.Server.Kestrel", StringComparison.Ordinal) && line.Contains("heartbeat", StringComparison.OrdinalIgnoreCase);

    [Fact]
    public async Task The_version_names_what_the_installation_offers()
    {
        await using var own = await ServerFixture.StartAsync(settings => (settings["Auth:SignupMode"], settings["Demo:Enabled"], settings["Mcp:Stdio"], settings["Knowledge:EmbeddingModel"]) = ("closed", "false", "host", "flapjack-offline/words"));
        var version = await own.Anonymous.GetAsync("/api/version", Token).ShouldBe(200);
        version.GetProperty("name").GetString().ShouldBe("flapjack-compatible-server");
        version.GetProperty("compat").GetString().ShouldBe("2026-05-11");
        version.GetProperty("features").GetProperty("signup").GetString().ShouldBe("closed");
        version.GetProperty("features").GetProperty("demo").GetBoolean().ShouldBeFalse();
        version.GetProperty("features").GetProperty("stdio_mcp").GetString().ShouldBe("host");
        version.GetProperty("features").GetProperty("embeddings").GetBoolean().ShouldBeTrue();
    }
}
