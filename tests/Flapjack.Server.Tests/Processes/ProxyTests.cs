using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using Flapjack.Server.Tests.Contract;
using Flapjack.Server.Tests.Faults;
using Flapjack.Testing;

namespace Flapjack.Server.Tests.Processes;

/// <summary>Behind nginx as it comes, with its buffering and compression on, every token still arrives as soon as the model said it.</summary>
public sealed class ProxyTests(FaultWorld world) : IClassFixture<FaultWorld>, IAsyncLifetime
{
    private readonly string _directory = Directory.CreateTempSubdirectory("flapjack-nginx-").FullName;
    private Process? _nginx;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        if (_nginx is not null)
        {
            _nginx.Kill(entireProcessTree: true);
            await _nginx.WaitForExitAsync(CancellationToken.None);
            _nginx.Dispose();
        }
        Directory.Delete(_directory, recursive: true);
    }

    [Theory]
    [InlineData("gzip on; gzip_proxied any; gzip_min_length 1;")]
    [InlineData("gzip on; gzip_proxied any; gzip_min_length 1; gzip_types *;")]
    [InlineData("proxy_http_version 1.1; proxy_set_header Connection \"\";")]
    public async Task Tokens_arrive_one_by_one(string extra)
    {
        using var client = await StartNginxAsync(port => $$"""
            server {
              listen 127.0.0.1:{{port}};
              {{extra}}
              location / { proxy_pass {{world.Server.BaseAddress}}; }
            }
            """);
        await ShouldPassAtOnceAsync(client);
    }

    /// <summary>The file that <c>deploy/compose.postgres.yaml</c> mounts, with the addresses there are here; one of its two nodes is not up.</summary>
    [Fact]
    public async Task The_shipped_configuration_streams_and_names_requests()
    {
        var shipped = await File.ReadAllTextAsync(Path.Combine(Repository.Root, "deploy", "nginx.conf"), Token);
        using var client = await StartNginxAsync(port => shipped.Replace("listen 80;", $"listen 127.0.0.1:{port};", StringComparison.Ordinal)
            .Replace("node-1:3000", world.Server.BaseAddress.Authority, StringComparison.Ordinal).Replace("node-2:3000", "127.0.0.1:1", StringComparison.Ordinal));
        await ShouldPassAtOnceAsync(client);
        using var unnamed = await client.GetAsync("/healthz", Token);
        unnamed.Header("X-Request-Id").ShouldNotBeNull();
        using var named = new HttpRequestMessage(HttpMethod.Get, "/healthz") { Headers = { { "X-Request-Id", "client-chose-this" } } };
        using var answer = await client.SendAsync(named, Token);
        answer.Header("X-Request-Id").ShouldBe("client-chose-this");
        (await client.GetAsync("/metrics", Token)).StatusCode.ShouldBe(HttpStatusCode.NotFound);
    }

    private async Task ShouldPassAtOnceAsync(HttpClient client)
    {
        var thread = await world.ThreadAsync(Protocol.Responses);
        const int Pieces = 5;
        var seen = Enumerable.Range(0, Pieces + 1).Select(_ => new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).ToArray();
        seen[0].SetResult();
        var piece = 0;
        world.Upstream.Forget();
        // The model says a word only when the client has read the one before: a proxy that holds anything back stops the conversation.
        world.Upstream.Reply(Script.Text("one ", "two ", "three ", "four ", "five").Paced(() => seen[piece++].Task));
        using var request = new HttpRequestMessage(HttpMethod.Post, $"/api/threads/{thread}/messages") { Content = JsonText.Content("""{"content":"count"}""") };
        using var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Token).WaitAsync(TimeSpan.FromSeconds(30), Token);
        ((int)response.StatusCode).ShouldBe(200);
        var events = new List<ServerEvent>();
        await foreach (var @event in ServerEvent.ReadAsync(response, Token).WithCancellation(Token))
        {
            events.Add(@event);
            if (@event.Event == "token") seen[events.Count(e => e.Event == "token")].SetResult();
        }
        events.Select(e => e.Event).ShouldBe(["meta", "token", "token", "token", "token", "token", "done"]);
    }

    private async Task<HttpClient> StartNginxAsync(Func<int, string> serversAt)
    {
        var nginx = Environment.GetEnvironmentVariable("FLAPJACK_TEST_NGINX");
        Assert.SkipWhen(string.IsNullOrEmpty(nginx), "FLAPJACK_TEST_NGINX is not set; bin/test finds or installs nginx and sets it");
        const int MostTries = 5;
        for (var tries = 1; ; tries++)
        {
            var port = KeptPort.Next();
            await WriteConfigurationAsync(port, serversAt);
            var client = ClientOf(port);
            if (await StartsAsync(nginx!, client, mayFail: tries < MostTries)) return client;
            client.Dispose();
        }
    }

    private string Configuration => Path.Combine(_directory, "nginx.conf");

    private string ErrorLog => Path.Combine(_directory, "error.log");

    private static HttpClient ClientOf(int port)
    {
        var client = new HttpClient(new SocketsHttpHandler { UseProxy = false, AutomaticDecompression = DecompressionMethods.All }) { BaseAddress = new Uri($"http://127.0.0.1:{port}"), Timeout = TimeSpan.FromSeconds(60) };
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", ServerFixture.ApiKey);
        return client;
    }

    private async Task WriteConfigurationAsync(int port, Func<int, string> serversAt)
    {
        await File.WriteAllTextAsync(Configuration, $$"""
            daemon off;
            master_process off;
            pid {{_directory}}/nginx.pid;
            error_log {{ErrorLog}};
            events { }
            http {
              access_log off;
              client_body_temp_path {{_directory}}/body;
              proxy_temp_path {{_directory}}/proxy;
              fastcgi_temp_path {{_directory}}/fastcgi;
              uwsgi_temp_path {{_directory}}/uwsgi;
              scgi_temp_path {{_directory}}/scgi;
              {{serversAt(port)}}
            }
            """, Token);
    }

    // False when somebody else took the port in between.
    private async Task<bool> StartsAsync(string nginx, HttpClient client, bool mayFail)
    {
        string[] arguments = ["-p", _directory, "-c", Configuration, "-e", ErrorLog];
        var (code, output) = await PublishedServer.RunAsync(new ProcessStartInfo(nginx, ["-t", .. arguments]));
        if (mayFail && IsTaken(output)) return false;
        code.ShouldBe(0, output);
        _nginx?.Dispose();
        _nginx = Process.Start(new ProcessStartInfo(nginx, arguments))!;
        await PublishedServer.UntilAsync(TimeSpan.FromSeconds(30), "nginx answers or ends", async () => _nginx.HasExited || await AnswersAsync(client));
        if (!_nginx.HasExited) return true;
        var reason = await File.ReadAllTextAsync(ErrorLog, Token);
        return mayFail && IsTaken(reason) ? false : throw new InvalidOperationException(reason);
    }

    private static bool IsTaken(string output) => output.Contains("Address already in use", StringComparison.OrdinalIgnoreCase);

    private static async Task<bool> AnswersAsync(HttpClient client)
    {
        // Whoever has the port instead may take a connection and never answer.
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(Token);
        patience.CancelAfter(TimeSpan.FromSeconds(5));
        try
        {
            using var response = await client.GetAsync("/healthz", patience.Token);
            return response.IsSuccessStatusCode;
        }
        catch (Exception fault) when (fault is HttpRequestException or OperationCanceledException && !Token.IsCancellationRequested)
        {
            return false;
        }
    }
}
