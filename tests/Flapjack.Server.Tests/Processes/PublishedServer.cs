using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Flapjack.Server.Tests.Processes;

/// <summary>The published server, run and killed as an operator's machine would.</summary>
internal sealed partial class PublishedServer : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private readonly Process _process;
    private readonly StringBuilder _output = new();
    private readonly Stopwatch _sinceStart = Stopwatch.StartNew();

    private PublishedServer(ProcessStartInfo start)
    {
        start.RedirectStandardOutput = start.RedirectStandardError = true;
        _process = Process.Start(start)!;
        _process.OutputDataReceived += (_, line) => Take(line.Data);
        _process.ErrorDataReceived += (_, line) => Take(line.Data);
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    public string Output
    {
        get { lock (_output) return _output.ToString(); }
    }

    public int Id => _process.Id;

    public HttpClient Client { get; private set; } = null!;

    /// <summary>From the start of the process to the first answer of <c>/readyz</c>.</summary>
    public TimeSpan ReadyAfter { get; private set; }

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    /// <summary>The program; a test without it is skipped.</summary>
    public static string Dll
    {
        get
        {
            var dll = Environment.GetEnvironmentVariable("FLAPJACK_SERVER_DLL");
            Assert.SkipWhen(string.IsNullOrEmpty(dll), "FLAPJACK_SERVER_DLL is not set; bin/test publishes the server and sets it");
            return dll!;
        }
    }

    /// <summary>Settings of a server of its own: data, database, a free port, the bootstrap key.</summary>
    public static string[] Settings(string directory, string connectionString) =>
        [$"--DataDirectory={directory}", $"--ConnectionStrings:Flapjack={connectionString}", "--urls=http://127.0.0.1:0", $"--Bootstrap:ApiKey={ServerFixture.ApiKey}", "--Limits:RequestsPerMinute=0", "--Limits:MessagesPerMinute=0", "--Limits:AnonymousRequestsPerMinute=0"];

    public static ProcessStartInfo Command(params string[] arguments) => new("dotnet", [Dll, .. arguments]);

    /// <summary>Starts and waits until the server is ready.</summary>
    public static async Task<PublishedServer> StartAsync(ProcessStartInfo start, string credential = ServerFixture.ApiKey)
    {
        var server = new PublishedServer(start);
        try
        {
            await server.WaitUntilReadyAsync(credential);
            return server;
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    public static Task<PublishedServer> StartAsync(params string[] arguments) => StartAsync(Command(arguments));

    /// <summary>Runs to the end: exit code and everything printed.</summary>
    public static async Task<(int Code, string Output)> RunAsync(ProcessStartInfo start, string input = "")
    {
        start.RedirectStandardOutput = start.RedirectStandardError = start.RedirectStandardInput = true;
        using var process = Process.Start(start)!;
        await process.StandardInput.WriteAsync(input);
        process.StandardInput.Close();
        var errors = process.StandardError.ReadToEndAsync(Token);
        var output = await process.StandardOutput.ReadToEndAsync(Token);
        await process.WaitForExitAsync(Token);
        return (process.ExitCode, output + await errors);
    }

    /// <summary>Asks until it is so, within a bound.</summary>
    public static async Task UntilAsync(TimeSpan atMost, string what, Func<Task<bool>> isSo, Func<string>? otherwise = null)
    {
        var since = Stopwatch.GetTimestamp();
        while (!await isSo())
        {
            if (Stopwatch.GetElapsedTime(since) > atMost) throw new TimeoutException($"not within {atMost.TotalSeconds} s: {what}\n{otherwise?.Invoke()}");
            await Task.Delay(25, Token);
        }
    }

    public async Task<JsonElement> CallAsync(HttpMethod method, string path, string? json = null, int status = 200)
    {
        using var request = new HttpRequestMessage(method, path) { Content = json is null ? null : JsonText.Content(json) };
        using var response = await Client.SendAsync(request, Token);
        if ((int)response.StatusCode >= 500 && status < 500) Assert.Fail($"{method} {path} answered {(int)response.StatusCode}\n{await ReasonAsync(response.Header("X-Request-Id")!)}");
        return await response.ShouldBeAsync(status);
    }

    public async Task<Guid> CreateThreadAsync()
    {
        var agent = (await CallAsync(HttpMethod.Post, "/api/agents", """{"name":"Ada"}""", 201)).GetProperty("id").GetGuid();
        return (await CallAsync(HttpMethod.Post, "/api/threads", $$"""{"agentId":"{{agent}}"}""")).GetProperty("id").GetGuid();
    }

    public Task<HttpResponseMessage> PostAsync(Guid thread, string content, string? idempotencyKey = null, string onDisconnect = "cancel")
    {
        var request = new HttpRequestMessage(HttpMethod.Post, $"/api/threads/{thread}/messages") { Content = JsonText.Content(JsonSerializer.Serialize(new { content, onDisconnect })) };
        if (idempotencyKey is not null) request.Headers.Add("Idempotency-Key", idempotencyKey);
        return Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Token);
    }

    public async Task<List<ServerEvent>> AskAsync(Guid thread, string content)
    {
        using var response = await PostAsync(thread, content);
        if (response.StatusCode != HttpStatusCode.OK) await response.ShouldBeAsync(200);
        var events = new List<ServerEvent>();
        await foreach (var @event in ServerEvent.ReadAsync(response, Token)) events.Add(@event);
        return events;
    }

    public async Task<List<JsonElement>> MessagesAsync(Guid thread) => [.. (await CallAsync(HttpMethod.Get, $"/api/threads/{thread}/messages?limit=200")).GetProperty("messages").EnumerateArray()];

    /// <summary>What <c>kill -9</c> does.</summary>
    public async Task KillAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync(Token);
    }

    public Task TerminateAsync() => SignalAsync("TERM");

    /// <summary>The process stands still, as on a machine that hangs; its connections stay.</summary>
    public Task FreezeAsync() => SignalAsync("STOP");

    public Task ThawAsync() => SignalAsync("CONT");

    public async Task<int> ExitCodeAsync(TimeSpan atMost)
    {
        await _process.WaitForExitAsync(Token).WaitAsync(atMost, Token);
        return _process.ExitCode;
    }

    /// <summary>Resident memory in MB.</summary>
    public long ResidentMegabytes() => long.Parse(Resident().Match(File.ReadAllText($"/proc/{Id}/status")).Groups[1].Value, System.Globalization.CultureInfo.InvariantCulture) / 1024;

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited) _process.Kill();
        await _process.WaitForExitAsync();
        Client?.Dispose();
        _process.Dispose();
    }

    private async Task WaitUntilReadyAsync(string credential)
    {
        await UntilAsync(Patience, "the server listens", () =>
            _process.HasExited ? throw new InvalidOperationException($"the server ended: {Output}") : Task.FromResult(Listening().IsMatch(Output)));
        Client = new HttpClient(new SocketsHttpHandler { UseProxy = false, MaxConnectionsPerServer = 200 }) { BaseAddress = new Uri(Listening().Match(Output).Groups[1].Value), Timeout = TimeSpan.FromSeconds(60) };
        Client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", credential);
        await UntilAsync(Patience, "the server is ready", async () =>
        {
            using var response = await Client.GetAsync("/readyz", Token);
            return response.IsSuccessStatusCode;
        });
        ReadyAfter = _sinceStart.Elapsed;
    }

    // The log comes through a pipe, a moment after the answer.
    private async Task<string> ReasonAsync(string requestId)
    {
        await UntilAsync(TimeSpan.FromSeconds(10), "the log has the reason", () => Task.FromResult(Output.Contains(requestId, StringComparison.Ordinal)), () => Output);
        return string.Join('\n', Output.Split('\n').Where(line => line.Contains(requestId, StringComparison.Ordinal)));
    }

    private async Task SignalAsync(string signal) => (await RunAsync(new ProcessStartInfo("kill", [$"-{signal}", Id.ToString(System.Globalization.CultureInfo.InvariantCulture)]))).Code.ShouldBe(0);

    private void Take(string? line)
    {
        lock (_output) _output.Append(line).Append('\n');
    }

    [GeneratedRegex(@"listens on (http[^;,\s]+)")]
    private static partial Regex Listening();

    [GeneratedRegex(@"VmRSS:\s+(\d+) kB")]
    private static partial Regex Resident();
}

/// <summary>A directory and a database for servers that come and go.</summary>
internal sealed class ServerHome : IAsyncDisposable
{
    private readonly TestDatabase _database;

    private ServerHome(string directory, TestDatabase database) => (Directory, _database) = (directory, database);

    public string Directory { get; }

    public string ConnectionString => _database.ConnectionString;

    public string[] Settings => PublishedServer.Settings(Directory, ConnectionString);

    public static async Task<ServerHome> CreateAsync()
    {
        _ = PublishedServer.Dll;
        var directory = System.IO.Directory.CreateTempSubdirectory("flapjack-process-").FullName;
        return new(directory, await TestDatabase.CreateAsync(directory, empty: true));
    }

    public async ValueTask DisposeAsync()
    {
        await _database.DisposeAsync();
        System.IO.Directory.Delete(Directory, recursive: true);
    }
}
