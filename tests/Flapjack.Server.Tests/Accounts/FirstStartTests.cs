using System.Diagnostics;
using System.Text;
using System.Text.RegularExpressions;
using Flapjack.Server.Agents;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace Flapjack.Server.Tests.Accounts;

/// <summary>The server as its operator meets it: a process and what it prints.</summary>
public sealed class FirstStartTests : IAsyncLifetime
{
    private readonly string _directory = Directory.CreateTempSubdirectory("flapjack-first-").FullName;
    private TestDatabase _database = null!;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _database = await TestDatabase.CreateAsync(_directory, empty: true);

    public async ValueTask DisposeAsync()
    {
        await _database.DisposeAsync();
        Directory.Delete(_directory, recursive: true);
    }

    [Fact]
    public async Task It_prints_a_working_login_link_and_key_once()
    {
        string token, key;
        await using (var server = await ServerProcess.StartAsync(Arguments()))
        {
            await server.PrintedAsync("curl -sN");
            token = Regex.Match(server.Output, $@"{Regex.Escape(server.Address)}/login\?token=([A-Za-z0-9_-]{{43}})\s").Groups[1].Value;
            key = Regex.Match(server.Output, @"API key: (fj_live_[0-9a-f]{64})\s").Groups[1].Value;
            token.ShouldNotBeEmpty(server.Output);
            key.ShouldNotBeEmpty(server.Output);
            server.Output.ShouldContain("owner@localhost");
            server.Output.ShouldNotContain(" fail: ");
            (await server.SendAsync(HttpMethod.Get, "/api/auth/me", key)).ShouldContain("\"name\":\"First key\"");
            (await server.SendAsync(HttpMethod.Post, "/api/auth/login", null, $$"""{"oneTimeToken":"{{token}}"}""")).ShouldContain("\"role\":\"owner\"");
        }
        await using (var again = await ServerProcess.StartAsync(Arguments()))
        {
            again.Output.ShouldNotContain("login?token");
            again.Output.ShouldNotContain("fj_live_");
            (await again.SendAsync(HttpMethod.Get, "/api/auth/me", key)).ShouldContain("\"name\":\"First key\"");
            (await again.SendAsync(HttpMethod.Post, "/api/auth/login", null, $$"""{"oneTimeToken":"{{token}}"}""")).ShouldContain("INVALID_CREDENTIALS");
        }
    }

    [Fact]
    public async Task What_the_operator_chose_is_used_and_not_printed()
    {
        await using var server = await ServerProcess.StartAsync([.. Arguments(), "--Bootstrap:Email=Ada@Example.com", "--Bootstrap:Password=correct horse battery", $"--Bootstrap:ApiKey={ServerFixture.ApiKey}", "--Bootstrap:OrgName=Ada & Söhne"]);
        await server.PrintedAsync("ada@example.com");
        server.Output.ShouldNotContain(ServerFixture.ApiKey);
        server.Output.ShouldNotContain("correct horse battery");
        server.Output.ShouldNotContain("login?token");
        (await server.SendAsync(HttpMethod.Get, "/api/auth/me", ServerFixture.ApiKey)).ShouldContain("\"slug\":\"ada-s-hne\"");
        (await server.SendAsync(HttpMethod.Post, "/api/auth/login", null, """{"email":"ada@example.com","password":"correct horse battery"}""")).ShouldContain("access_token");
    }

    [Fact]
    public async Task Of_servers_that_start_together_one_sets_the_database_up()
    {
        var servers = await Task.WhenAll(Enumerable.Range(0, 3).Select(i => ServerProcess.StartAsync([.. Arguments(), $"--Bootstrap:OrgName=Node {i}", $"--Bootstrap:Email=node{i}@example.com"])));
        try
        {
            await await Task.WhenAny(servers.Select(s => s.PrintedAsync("login?token")));
            (await CountAsync("organisations"), await CountAsync("users"), await CountAsync("api_keys"), await CountAsync("signing_keys")).ShouldBe((1, 1, 1, 1));
            servers.Count(s => s.Output.Contains("login?token", StringComparison.Ordinal)).ShouldBe(1, string.Join("\n---\n", servers.Select(s => s.Output)));
        }
        finally
        {
            foreach (var server in servers) await server.DisposeAsync();
        }
    }

    [Fact]
    public async Task A_lost_link_is_issued_again_by_the_command_line()
    {
        (await ServerProcess.RunAsync(["login-link", .. Arguments()])).ShouldBe((1, "There is no owner yet. Start the server once; it creates one."));
        await using var server = await ServerProcess.StartAsync(Arguments());
        (await ServerProcess.RunAsync(["login-link", "--email", "nobody@example.com", .. Arguments()])).ShouldBe((1, "There is no account with the e-mail nobody@example.com."));
        var (code, output) = await ServerProcess.RunAsync(["login-link", "--email", "Owner@localhost", "--Server:PublicUrl=https://flapjack.example.com", .. Arguments()]);
        code.ShouldBe(0, output);
        var token = Regex.Match(output, @"https://flapjack\.example\.com/login\?token=([A-Za-z0-9_-]{43})").Groups[1].Value;
        (await server.SendAsync(HttpMethod.Post, "/api/auth/login", null, $$"""{"oneTimeToken":"{{token}}"}""")).ShouldContain("access_token");
        (await ServerProcess.RunAsync(["login-link", .. Arguments()])).Output.ShouldContain("owner@localhost");
    }

    [Fact]
    public async Task The_printed_commands_work_as_pasted()
    {
        var bodies = new List<string>();
        await using var stand = await StandInAsync(bodies);
        var address = stand.Urls.First();
        var agentId = Guid.CreateVersion7();
        var text = new Flapjack.Server.Accounts.Welcome("owner@localhost", "token", ServerFixture.ApiKey, agentId).Text(address, address);
        var commands = string.Join('\n', text.Split('\n').Where(line => line.StartsWith("KEY=", StringComparison.Ordinal) || line.StartsWith("THREAD=", StringComparison.Ordinal) || line.StartsWith("curl", StringComparison.Ordinal)));
        commands.Split('\n').Length.ShouldBe(3);
        var start = new ProcessStartInfo("bash") { RedirectStandardOutput = true, RedirectStandardInput = true };
        using var shell = Process.Start(start)!;
        await shell.StandardInput.WriteAsync(commands + "\n");
        shell.StandardInput.Close();
        var output = await shell.StandardOutput.ReadToEndAsync(Token);
        await shell.WaitForExitAsync(Token);
        output.ShouldContain("event: done");
        bodies.ShouldBe([$$"""{"agentId":"{{agentId}}"}""", """{"content":"How do I stream a message?"}"""]);
    }

    [Fact]
    public async Task The_demo_agent_is_there_with_its_documents()
    {
        await using var server = await ServerFixture.StartAsync();
        await using var db = server.Database();
        // The test belongs to no organisation.
        var agent = await db.Agents.IgnoreQueryFilters().SingleAsync(Token);
        agent.OrgId.ShouldBe(await server.FirstOrgAsync());
        agent.DefaultModel.ShouldBe("flapjack-offline");
        agent.StablePreamble!.Split("<document title=").Length.ShouldBe(6);
        agent.StablePreamble.Length.ShouldBeLessThan(200_000);
        DemoAgent.Create(agent.OrgId, agent.CreatedAt).StablePreamble.ShouldBe(agent.StablePreamble);
    }

    private async Task<long> CountAsync(string table)
    {
        await using System.Data.Common.DbConnection connection = TestDatabase.IsPostgres ? new NpgsqlConnection(_database.ConnectionString) : new SqliteConnection(_database.ConnectionString);
        await connection.OpenAsync(Token);
        await using var command = connection.CreateCommand();
        command.CommandText = $"SELECT count(*) FROM {table}";
        return (long)(await command.ExecuteScalarAsync(Token))!;
    }

    private string[] Arguments() => [$"--DataDirectory={_directory}", $"--ConnectionStrings:Flapjack={_database.ConnectionString}", "--urls=http://127.0.0.1:0"];

    // Answers the two calls as the contract says; the thread's id is not the only id in it.
    private static async Task<WebApplication> StandInAsync(List<string> bodies)
    {
        var builder = WebApplication.CreateSlimBuilder();
        var app = builder.Build();
        app.Urls.Add("http://127.0.0.1:0");
        const string Thread = "01900000-0000-7000-8000-0000000000aa";
        app.MapPost("/api/threads", async context =>
        {
            await RecordAsync(context, bodies);
            await context.Response.WriteAsync($$"""{"org_id":"x","agent_id":"y","id":"{{Thread}}","resource_bindings":[{"type":"t","id":"other"}]}""");
        });
        app.MapPost($"/api/threads/{Thread}/messages", async context =>
        {
            await RecordAsync(context, bodies);
            await context.Response.WriteAsync("event: done\ndata: {}\n\n");
        });
        await app.StartAsync(Token);
        return app;
    }

    private static async Task RecordAsync(HttpContext context, List<string> bodies)
    {
        context.Request.Headers.Authorization.ToString().ShouldBe("Bearer " + ServerFixture.ApiKey);
        using var reader = new StreamReader(context.Request.Body, Encoding.UTF8);
        bodies.Add(await reader.ReadToEndAsync(Token));
    }
}
