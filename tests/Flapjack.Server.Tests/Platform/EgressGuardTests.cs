using System.Net;
using System.Net.Sockets;
using Flapjack.Server.Platform.Egress;
using Flapjack.Server.Platform.Settings;
using Microsoft.Extensions.Configuration;

namespace Flapjack.Server.Tests.Platform;

/// <summary>Hostile addresses, at save time and where connections are made.</summary>
public sealed class EgressGuardTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public static TheoryData<string> HostileUrls =>
    [
        "http://127.0.0.1/", "http://127.1/", "http://127.255.255.254:8080/x", "http://2130706433/", "http://0x7f000001/", "http://0x7f.0.0.1/", "http://0177.0.0.1/", "http://017700000001/",
        "http://0/", "http://0.0.0.0/", "http://10.0.0.1/", "http://172.16.0.1/", "http://172.31.255.255/", "http://192.168.1.1/", "http://100.64.0.1/", "http://100.100.100.200/",
        "http://169.254.169.254/latest/meta-data/", "http://2852039166/", "http://0xa9fea9fe/", "http://168.63.129.16/", "http://192.0.0.192/", "http://198.18.0.1/", "http://224.0.0.1/", "http://255.255.255.255/",
        "http://240.0.0.1/", "http://192.0.2.7/", "http://[::1]/", "http://[::]/", "http://[0:0:0:0:0:0:0:1]/", "http://[::ffff:127.0.0.1]/", "http://[::ffff:7f00:1]/", "http://[::ffff:169.254.169.254]/",
        "http://[::127.0.0.1]/", "http://[64:ff9b::7f00:1]/", "http://[64:ff9b::10.0.0.1]/", "http://[64:ff9b:1::1]/", "http://[fe80::1]/", "http://[fe80::1%25eth0]/", "http://[fc00::1]/", "http://[fd00:ec2::254]/",
        "http://[ff02::1]/", "http://[2002:7f00:1::]/", "http://[2001::1]/", "http://[2001:db8::1]/", "http://[100::1]/", "http://[fec0::1]/", "http://localhost/", "http://LOCALHOST./", "http://inside.example/",
        "http://mixed.example/", "http://mapped.example/", "http://127。0。0。1/",
    ];

    public static TheoryData<string> NoAddresses =>
        ["ftp://example.com/", "file:///etc/passwd", "gopher://example.com/", "//example.com/", "example.com", "", "http://user:secret@example.com/", "http://", "http:example.com"];

    [Theory, MemberData(nameof(HostileUrls))]
    public async Task Refuses_a_hostile_address_when_it_is_saved(string url)
    {
        var refusal = await Guard().RefusalAsync(url, Token);
        refusal.ShouldNotBeNull();
        refusal.ShouldContain("Network:AllowedHosts");
    }

    [Theory, MemberData(nameof(HostileUrls))]
    public async Task Refuses_a_hostile_address_where_the_connection_is_made(string url)
    {
        using var client = new HttpClient(Guard().NewHandler()) { Timeout = TimeSpan.FromSeconds(60) };
        var fault = await Should.ThrowAsync<HttpRequestException>(() => client.GetAsync(url, Token));
        fault.InnerException.ShouldBeOfType<EgressRefusedException>();
    }

    [Theory, MemberData(nameof(NoAddresses))]
    public async Task Refuses_what_is_no_web_address(string url) => (await Guard().RefusalAsync(url, Token)).ShouldNotBeNull();

    [Theory]
    [InlineData("https://api.example/v1")]
    [InlineData("https://8.8.8.8/")]
    [InlineData("http://[2606:4700:4700::1111]/")]
    [InlineData("http://[64:ff9b::8.8.8.8]/")]
    [InlineData("https://not.there.example/")]
    public async Task Lets_public_addresses_pass(string url) => (await Guard().RefusalAsync(url, Token)).ShouldBeNull();

    [Theory]
    [InlineData("inside.example", "http://inside.example/", true)]
    [InlineData("INSIDE.example", "http://inside.example:9/", true)]
    [InlineData("inside.example:8080", "http://inside.example:8080/", true)]
    [InlineData("inside.example:8080", "http://inside.example:8081/", false)]
    [InlineData("*.example", "http://inside.example/", true)]
    [InlineData("*.side.example", "http://inside.example/", false)]
    [InlineData("10.0.0.0/8", "http://inside.example/", true)]
    [InlineData("10.9.9.9/8", "http://10.1.2.3/", true)]
    [InlineData("10.0.0.0/8", "http://mixed.example/", true)]
    [InlineData("10.0.0.0/8", "http://192.168.0.1/", false)]
    [InlineData("10.0.0.5", "http://inside.example/", true)]
    [InlineData("10.0.0.5", "http://10.0.0.6/", false)]
    [InlineData("10.0.0.5:80", "http://10.0.0.5/", true)]
    [InlineData("loopback", "http://localhost:11434/", true)]
    [InlineData("loopback", "http://[::1]/", true)]
    [InlineData("loopback", "http://10.0.0.5/", false)]
    [InlineData("127.0.0.0/8", "http://[::ffff:127.0.0.1]/", true)]
    [InlineData("fd00::/8", "http://[fd00::1]/", true)]
    [InlineData("[fd00::1]:81", "http://[fd00::1]:81/", true)]
    [InlineData("example", "http://inside.example/", false)]
    public async Task The_operator_opens_hosts(string entry, string url, bool open) => (await Guard(entry).RefusalAsync(url, Token) is null).ShouldBe(open);

    [Theory]
    [InlineData("http://example.com")]
    [InlineData("10.0.0.0/33")]
    [InlineData("a b")]
    public void A_wrong_entry_stops_the_start(string entry)
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection([new("Network:AllowedHosts:0", entry)]).Build();
        Should.Throw<SettingsException>(() => ServerSettings.Read(configuration)).Faults.ShouldContain(f => f.StartsWith("Network:AllowedHosts", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_name_that_changes_its_answer_is_dialled_at_the_address_that_was_checked()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var asked = 0;
        var guard = new EgressGuard(Settings(), (_, _) => Task.FromResult(new[] { ++asked == 1 ? IPAddress.Parse("8.8.8.8") : IPAddress.Loopback }));
        (await guard.RefusalAsync("http://rebind.example/", Token)).ShouldBeNull();
        using var client = new HttpClient(guard.NewHandler());
        var fault = await Should.ThrowAsync<HttpRequestException>(() => client.GetAsync($"http://rebind.example:{((IPEndPoint)listener.LocalEndpoint).Port}/", Token));
        fault.InnerException.ShouldBeOfType<EgressRefusedException>();
        listener.Pending().ShouldBeFalse();
        asked.ShouldBe(2);
    }

    [Fact]
    public async Task An_opened_host_is_reached_even_when_its_first_address_is_dead()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var serving = ServeOnceAsync(listener);
        var guard = new EgressGuard(Settings("loopback"), (_, _) => Task.FromResult(new[] { IPAddress.IPv6Loopback, IPAddress.Loopback }));
        using var client = new HttpClient(guard.NewHandler());
        (await client.GetStringAsync($"http://two.example:{((IPEndPoint)listener.LocalEndpoint).Port}/", Token)).ShouldBe("ok");
        await serving;
    }

    private static async Task ServeOnceAsync(TcpListener listener)
    {
        using var socket = await listener.AcceptSocketAsync(Token);
        await socket.ReceiveAsync(new byte[4096], Token);
        await socket.SendAsync("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"u8.ToArray(), Token);
    }

    private static EgressGuard Guard(params string[] allowed) => new(Settings(allowed), Resolve);

    private static ServerSettings Settings(params string[] allowed)
    {
        var entries = allowed.Select((entry, i) => new KeyValuePair<string, string?>($"Network:AllowedHosts:{i}", entry));
        return ServerSettings.Read(new ConfigurationBuilder().AddInMemoryCollection(entries).Build());
    }

    private static Task<IPAddress[]> Resolve(string host, CancellationToken cancellationToken) => host.TrimEnd('.').ToLowerInvariant() switch
    {
        "localhost" => Task.FromResult<IPAddress[]>([IPAddress.IPv6Loopback, IPAddress.Loopback]),
        "inside.example" => Task.FromResult<IPAddress[]>([IPAddress.Parse("10.0.0.5")]),
        "mixed.example" => Task.FromResult<IPAddress[]>([IPAddress.Parse("8.8.8.8"), IPAddress.Parse("10.0.0.5")]),
        "mapped.example" => Task.FromResult<IPAddress[]>([IPAddress.Parse("::ffff:10.0.0.5")]),
        "api.example" => Task.FromResult<IPAddress[]>([IPAddress.Parse("8.8.4.4"), IPAddress.Parse("2001:4860:4860::8844")]),
        _ => throw new SocketException((int)SocketError.HostNotFound),
    };
}
