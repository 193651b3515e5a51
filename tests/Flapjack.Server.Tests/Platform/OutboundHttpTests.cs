using System.IO.Compression;
using System.Net;
using System.Text;
using Flapjack.Server.Platform.Egress;
using Flapjack.Server.Platform.Settings;
using Flapjack.Server.Tests.Tools;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;

namespace Flapjack.Server.Tests.Platform;

/// <summary>Requests to addresses of strangers: what they may answer, where they may lead, and how every refusal is called.</summary>
public sealed class OutboundHttpTests : IAsyncLifetime
{
    private readonly ManualTime _time = new();
    private ToolReceiver _host = null!, _victim = null!;
    private OutboundHttp _http = null!;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        (_host, _victim) = (await ToolReceiver.StartAsync(), await ToolReceiver.StartAsync());
        _victim.Says("/secret", "inside");
        // The one host that is open; everything else that leads inside is closed, the other port of the same machine included.
        _http = Http($"open.example:{_host.Port}");
    }

    public async ValueTask DisposeAsync()
    {
        _http.Dispose();
        await _host.DisposeAsync();
        await _victim.DisposeAsync();
    }

    public static TheoryData<string> Inside =>
    [
        "http://127.0.0.1:VICTIM/secret", "http://127.1:VICTIM/secret", "http://2130706433:VICTIM/secret", "http://0x7f000001:VICTIM/secret", "http://0177.0.0.1:VICTIM/secret", "http://017700000001:VICTIM/secret",
        "http://[::1]:VICTIM/secret", "http://[::ffff:127.0.0.1]:VICTIM/secret", "http://[::ffff:7f00:1]:VICTIM/secret", "http://[::127.0.0.1]:VICTIM/secret", "http://[64:ff9b::7f00:1]:VICTIM/secret", "http://0.0.0.0:VICTIM/secret", "http://[::]:VICTIM/secret",
        "http://localhost:VICTIM/secret", "http://LOCALHOST.:VICTIM/secret", "http://open.example:VICTIM/secret", "http://inside.example:VICTIM/secret", "http://mixed.example:VICTIM/secret",
        "http://127。0。0。1:VICTIM/secret", "https://127.0.0.1:VICTIM/secret", "http://169.254.169.254/latest/meta-data/", "http://[fd00:ec2::254]/latest/meta-data/", "http://10.0.0.1/", "http://168.63.129.16/",
    ];

    [Theory, MemberData(nameof(Inside))]
    public async Task An_address_inside_is_never_dialled(string address)
    {
        (await FaultAsync(ToVictim(address))).Fault.ShouldBe(OutboundFault.Blocked);
        _victim.Hits.ShouldBeEmpty();
    }

    // Headers are ASCII.
    public static IEnumerable<TheoryDataRow<string>> InsideByHeader => Inside.Where(row => Ascii.IsValid(row.Data));

    [Theory, MemberData(nameof(InsideByHeader))]
    public async Task A_redirect_leads_nowhere_inside(string address)
    {
        _host.On("/go", (context, _) =>
        {
            (context.Response.StatusCode, context.Response.Headers.Location) = (302, ToVictim(address).AbsoluteUri);
            return Task.CompletedTask;
        });
        (await FaultAsync(Open("/go"))).Fault.ShouldBe(OutboundFault.Blocked);
        _victim.Hits.ShouldBeEmpty();
        _host.Hits.Count.ShouldBe(1);
    }

    [Theory]
    [InlineData("file:///etc/passwd", OutboundFault.RedirectRefused)]
    [InlineData("ftp://example.com/x", OutboundFault.RedirectRefused)]
    [InlineData("data:text/plain,x", OutboundFault.RedirectRefused)]
    [InlineData("http://user:secret@open.example/", OutboundFault.RedirectRefused)]
    [InlineData("//[::1/", null)]
    [InlineData("http://", null)]
    public async Task A_redirect_to_no_web_address_is_refused(string location, object? fault)
    {
        _host.On("/go", (context, _) =>
        {
            (context.Response.StatusCode, context.Response.Headers.Location) = (302, location);
            return Task.CompletedTask;
        });
        // What is no address at all is an answer like any other.
        if (fault is null) (await TryAsync(Open("/go"))).ShouldBeOneOf("302", nameof(OutboundFault.RedirectRefused));
        else (await FaultAsync(Open("/go"))).Fault.ShouldBe((OutboundFault)fault);
    }

    [Theory]
    [InlineData("ftp://example.com/")]
    [InlineData("file:///etc/passwd")]
    [InlineData("http://user:secret@8.8.8.8/")]
    public async Task An_address_of_another_kind_is_not_asked(string address) => (await FaultAsync(new(address))).Fault.ShouldBe(OutboundFault.Blocked);

    [Fact]
    public async Task Names_are_asked_again_for_every_connection()
    {
        var asked = 0;
        using var http = new OutboundHttp(new EgressGuard(Settings(), (_, _) => Task.FromResult(new[] { ++asked == 1 ? IPAddress.Parse("8.8.8.8") : IPAddress.Loopback })), _time);
        var guard = new EgressGuard(Settings(), (_, _) => Task.FromResult(new[] { ++asked == 1 ? IPAddress.Parse("8.8.8.8") : IPAddress.Loopback }));
        (await guard.RefusalAsync($"http://rebind.example:{_victim.Port}/secret", Token)).ShouldBeNull();
        var fault = await Should.ThrowAsync<OutboundException>(() => http.SendAsync(Get, new($"http://rebind.example:{_victim.Port}/secret"), Limits(), Token));
        fault.Fault.ShouldBe(OutboundFault.Blocked);
        _victim.Hits.ShouldBeEmpty();
    }

    [Fact]
    public async Task Another_origin_is_told_nothing_that_was_meant_for_the_first()
    {
        using var http = Http($"open.example:{_host.Port}", $"open.example:{_victim.Port}");
        Redirect("/go", 307, $"http://open.example:{_victim.Port}/secret");
        Redirect("/here", 307, "/there");
        _host.Says("/there", "ok");
        var answer = await http.SendAsync(Confidential, Open("/go"), Limits(), Token);
        (answer.Status, answer.Address.AbsolutePath).ShouldBe((200, "/secret"));
        var hit = _victim.Hits.ShouldHaveSingleItem();
        foreach (var header in (string[])["Authorization", "Cookie", "X-Api-Key", "X-Subscription-Token", "Referer"]) hit[header].ShouldBeNull(header);
        hit["User-Agent"].ShouldBe("flapjack");
        await http.SendAsync(Confidential, Open("/here"), Limits(), Token);
        _host.At("/there").Single()["X-Api-Key"].ShouldBe("secret");
        // A body is told to nobody else at all.
        (await Should.ThrowAsync<OutboundException>(() => http.SendAsync(Post, Open("/go"), Limits(), Token))).Fault.ShouldBe(OutboundFault.RedirectRefused);
        _victim.Hits.Count.ShouldBe(1);
    }

    [Fact]
    public async Task Redirects_have_an_end()
    {
        Redirect("/loop", 302, "/loop");
        (await FaultAsync(Open("/loop"))).Fault.ShouldBe(OutboundFault.RedirectRefused);
        _host.Hits.Count.ShouldBe(4);
        for (var i = 0; i < 3; i++) Redirect($"/{i}", 301, $"/{i + 1}");
        _host.Says("/3", "here");
        (await _http.SendAsync(Get, Open("/0"), Limits(), Token)).Status.ShouldBe(200);
        (await Should.ThrowAsync<OutboundException>(() => _http.SendAsync(Get, Open("/0"), Limits() with { MaxRedirects = 2 }, Token))).Fault.ShouldBe(OutboundFault.RedirectRefused);
    }

    [Fact]
    public async Task A_request_that_must_stay_stays()
    {
        Redirect("/go", 307, "http://8.8.8.8/");
        (await Should.ThrowAsync<OutboundException>(() => _http.SendAsync(Get, Open("/go"), Limits() with { SameOriginOnly = true }, Token))).Fault.ShouldBe(OutboundFault.RedirectRefused);
        Redirect("/post", 302, "/there");
        (await _http.SendAsync(Post, Open("/post"), Limits(), Token)).Status.ShouldBe(302);
    }

    [Fact]
    public async Task An_endless_body_is_cut_and_one_that_says_it_is_too_long_is_not_read()
    {
        _host.On("/endless", async (context, _) =>
        {
            var piece = new byte[16 * 1024];
            while (!context.RequestAborted.IsCancellationRequested) await context.Response.Body.WriteAsync(piece, context.RequestAborted);
        });
        _host.On("/large", (context, _) =>
        {
            context.Response.ContentLength = 1_000_000_000;
            return context.Response.StartAsync();
        });
        (await FaultAsync(Open("/endless"))).Fault.ShouldBe(OutboundFault.TooLarge);
        (await FaultAsync(Open("/large"))).Fault.ShouldBe(OutboundFault.TooLarge);
    }

    [Fact]
    public async Task Nothing_is_read_on_once_it_is_too_much()
    {
        using var listener = new System.Net.Sockets.TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var port = ((IPEndPoint)listener.LocalEndpoint).Port;
        using var http = Http($"open.example:{port}");
        var flooding = FloodAsync(listener);
        (await Should.ThrowAsync<OutboundException>(() => http.SendAsync(Get, new($"http://open.example:{port}/"), Limits(), Token))).Fault.ShouldBe(OutboundFault.TooLarge);
        // What stands in the buffers of both sides is all that may have gone out.
        (await flooding.WaitAsync(TimeSpan.FromSeconds(20), Token)).ShouldBeLessThan(32L << 20);
    }

    // Sends until the other side is gone, and says how much it took.
    private static async Task<long> FloodAsync(System.Net.Sockets.TcpListener listener)
    {
        using var socket = await listener.AcceptSocketAsync(Token);
        await socket.ReceiveAsync(new byte[4096], Token);
        await socket.SendAsync("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"u8.ToArray(), Token);
        var piece = Encoding.ASCII.GetBytes("10000\r\n" + new string('x', 0x10000) + "\r\n");
        for (var sent = 0L; ; sent += piece.Length)
        {
            try
            {
                await socket.SendAsync(piece, Token);
            }
            catch (System.Net.Sockets.SocketException)
            {
                return sent;
            }
        }
    }

    [Fact]
    public async Task A_body_of_exactly_the_limit_is_read()
    {
        _host.Says("/fits", new string('x', 100_000));
        (await _http.SendAsync(Get, Open("/fits"), Limits(), Token)).Body.Length.ShouldBe(100_000);
        _host.Says("/over", new string('x', 100_001));
        (await FaultAsync(Open("/over"))).Fault.ShouldBe(OutboundFault.TooLarge);
    }

    [Fact]
    public async Task A_slow_body_has_the_time_of_the_whole_request()
    {
        var sent = new TaskCompletionSource();
        _host.On("/slow", async (context, _) =>
        {
            await context.Response.WriteAsync("a", Token);
            await context.Response.Body.FlushAsync(Token);
            sent.TrySetResult();
            await Task.Delay(Timeout.Infinite, context.RequestAborted);
        });
        var sending = _http.SendAsync(Get, Open("/slow"), Limits(), Token);
        await sent.Task;
        _time.Advance(TimeSpan.FromSeconds(6));
        (await Should.ThrowAsync<OutboundException>(() => sending)).Fault.ShouldBe(OutboundFault.Timeout);
    }

    [Fact]
    public async Task A_cancellation_is_the_callers_own()
    {
        var reached = new TaskCompletionSource();
        _host.On("/silent", (context, _) =>
        {
            reached.TrySetResult();
            return Task.Delay(Timeout.Infinite, context.RequestAborted);
        });
        using var stop = new CancellationTokenSource();
        var sending = _http.SendAsync(Get, Open("/silent"), Limits(), stop.Token);
        await reached.Task;
        await stop.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(() => sending);
    }

    [Fact]
    public async Task A_compressed_body_is_not_asked_for_and_not_unpacked()
    {
        using var packed = new MemoryStream();
        await using (var gzip = new GZipStream(packed, CompressionLevel.SmallestSize, leaveOpen: true)) await gzip.WriteAsync(new byte[50_000_000], Token);
        _host.On("/bomb", async (context, _) =>
        {
            context.Response.Headers.ContentEncoding = "gzip";
            await context.Response.Body.WriteAsync(packed.ToArray(), Token);
        });
        var answer = await _http.SendAsync(Get, Open("/bomb"), Limits(), Token);
        answer.Body.Length.ShouldBe((int)packed.Length);
        _host.Hits.Single()["Accept-Encoding"].ShouldBeNull();
    }

    [Fact]
    public async Task A_connection_that_breaks_or_is_refused_is_unreachable()
    {
        _host.On("/abort", (context, _) =>
        {
            context.Abort();
            return Task.CompletedTask;
        });
        _host.On("/short", async (context, _) =>
        {
            context.Response.ContentLength = 100;
            await context.Response.WriteAsync("only this", Token);
            await context.Response.Body.FlushAsync(Token);
            context.Abort();
        });
        (await FaultAsync(Open("/abort"))).Fault.ShouldBe(OutboundFault.Unreachable);
        (await FaultAsync(Open("/short"))).Fault.ShouldBe(OutboundFault.Unreachable);
        (await FaultAsync(new("http://nowhere.example/"))).Fault.ShouldBe(OutboundFault.Unreachable);
        using var closed = Http("loopback");
        (await Should.ThrowAsync<OutboundException>(() => closed.SendAsync(Get, new("http://127.0.0.1:1/"), Limits(), Token))).Fault.ShouldBe(OutboundFault.Unreachable);
    }

    [Fact]
    public async Task No_refusal_tells_what_is_inside()
    {
        var fault = await FaultAsync(new($"http://inside.example:{_victim.Port}/secret"));
        fault.Message.ShouldContain("Network:AllowedHosts");
        fault.Message.ShouldNotContain("10.0.0.5");
    }

    private void Redirect(string path, int status, string location) => _host.On(path, (context, _) =>
    {
        (context.Response.StatusCode, context.Response.Headers.Location) = (status, location);
        return Task.CompletedTask;
    });

    private Uri Open(string path) => new($"http://open.example:{_host.Port}{path}");

    private Uri ToVictim(string address) => new(address.Replace("VICTIM", _victim.Port.ToString(System.Globalization.CultureInfo.InvariantCulture), StringComparison.Ordinal));

    private Task<OutboundException> FaultAsync(Uri address) => Should.ThrowAsync<OutboundException>(() => _http.SendAsync(Get, address, Limits(), Token));

    private async Task<string> TryAsync(Uri address)
    {
        try
        {
            return (await _http.SendAsync(Get, address, Limits(), Token)).Status.ToString(System.Globalization.CultureInfo.InvariantCulture);
        }
        catch (OutboundException fault)
        {
            return fault.Fault.ToString();
        }
    }

    private OutboundHttp Http(params string[] allowed) => new(new EgressGuard(Settings(allowed), Resolve), _time);

    private static OutboundLimits Limits() => new(TimeSpan.FromSeconds(5), 100_000);

    private static HttpRequestMessage Get(Uri address) => new(HttpMethod.Get, address);

    private static HttpRequestMessage Post(Uri address) => new(HttpMethod.Post, address) { Content = new ByteArrayContent(Encoding.UTF8.GetBytes("secret")) };

    private static HttpRequestMessage Confidential(Uri address)
    {
        var request = Get(address);
        foreach (var (name, value) in ((string, string)[])[("Authorization", "Bearer secret"), ("Cookie", "s=secret"), ("X-Api-Key", "secret"), ("X-Subscription-Token", "secret"), ("Referer", "http://open.example/private"), ("User-Agent", "flapjack")]) request.Headers.TryAddWithoutValidation(name, value);
        return request;
    }

    private static ServerSettings Settings(params string[] allowed) =>
        ServerSettings.Read(new ConfigurationBuilder().AddInMemoryCollection(allowed.Select((entry, i) => new KeyValuePair<string, string?>($"Network:AllowedHosts:{i}", entry))).Build());

    private static Task<IPAddress[]> Resolve(string host, CancellationToken cancellationToken) => host.TrimEnd('.').ToLowerInvariant() switch
    {
        "localhost" => Task.FromResult<IPAddress[]>([IPAddress.IPv6Loopback, IPAddress.Loopback]),
        "open.example" => Task.FromResult<IPAddress[]>([IPAddress.Loopback]),
        "inside.example" => Task.FromResult<IPAddress[]>([IPAddress.Parse("10.0.0.5")]),
        "mixed.example" => Task.FromResult<IPAddress[]>([IPAddress.Parse("8.8.8.8"), IPAddress.Loopback]),
        _ => throw new System.Net.Sockets.SocketException((int)System.Net.Sockets.SocketError.HostNotFound),
    };
}
