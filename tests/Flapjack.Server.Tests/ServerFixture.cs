using System.Net.Http.Headers;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Mvc.Testing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;

namespace Flapjack.Server.Tests;

/// <summary>The real server on a real socket with a database, a data directory and a clock of its own. As a class fixture one server serves all tests of a class.</summary>
/// <example><c>await using var server = await ServerFixture.StartAsync(settings => settings["Turns:MaxToolCalls"] = "3");</c></example>
public sealed partial class ServerFixture : IAsyncLifetime
{
    public const string ApiKey = "fj_live_7e577e577e577e577e577e577e577e577e577e577e577e577e577e577e577e57";
    public const string OwnerEmail = "owner@example.com";
    public const string OwnerPassword = "correct horse battery";

    private readonly Dictionary<string, string?> _settings = new(StringComparer.OrdinalIgnoreCase);
    private readonly Action<IServiceCollection>? _services;
    private readonly string _directory = Directory.CreateTempSubdirectory("flapjack-test-").FullName;
    private TestDatabase? _database;
    private Host? _host;

    public ServerFixture() { }

    private ServerFixture(Action<IDictionary<string, string?>>? settings, Action<IServiceCollection>? services)
    {
        settings?.Invoke(_settings);
        _services = services;
    }

    /// <summary>Calls with the bootstrap API key.</summary>
    public HttpClient Client { get; private set; } = null!;

    /// <summary>Calls without a credential.</summary>
    public HttpClient Anonymous { get; private set; } = null!;

    public Uri BaseAddress { get; private set; } = null!;

    /// <summary>The server's clock. It survives <see cref="RestartAsync"/>.</summary>
    public ManualTime Time { get; } = new();

    public string DataDirectory => _directory;

    /// <summary>For what no client can see or do; prefer HTTP.</summary>
    public IServiceProvider Services => _host!.Services;

    /// <summary>Everything the server logged, newest last.</summary>
    public LogRecorder Log { get; } = new();

    public static async Task<ServerFixture> StartAsync(Action<IDictionary<string, string?>>? settings = null, Action<IServiceCollection>? services = null)
    {
        var fixture = new ServerFixture(settings, services);
        try
        {
            await fixture.InitializeAsync();
            return fixture;
        }
        catch
        {
            await fixture.DisposeAsync();
            throw;
        }
    }

    public async ValueTask InitializeAsync()
    {
        _database = await TestDatabase.CreateAsync(_directory);
        Run();
    }

    /// <summary>Ends the server and starts it again on the same database and data directory. Clients taken before are of no use afterwards.</summary>
    public async Task RestartAsync(Action<IDictionary<string, string?>>? settings = null)
    {
        settings?.Invoke(_settings);
        await StopAsync();
        Run();
    }

    /// <summary>A client with a credential of its own.</summary>
    public HttpClient ClientFor(string credential)
    {
        var client = NewClient();
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", credential);
        return client;
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        if (_database is not null) await _database.DisposeAsync();
        Directory.Delete(_directory, recursive: true);
    }

    private void Run()
    {
        _host = NewHost();
        BaseAddress = AddressOf(_host);
        Anonymous = NewClient();
        Client = ClientFor(ApiKey);
    }

    private Host NewHost()
    {
        var host = new Host(AllSettings(), services =>
        {
            services.Replace(ServiceDescriptor.Singleton<TimeProvider>(Time));
            services.AddSingleton<ILoggerProvider>(Log);
            _services?.Invoke(services);
        });
        host.UseKestrel(0);
        host.StartServer();
        return host;
    }

    private static Uri AddressOf(Host host) => new(host.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First());

    private async Task StopAsync()
    {
        Client?.Dispose();
        Anonymous?.Dispose();
        if (_host is not null) await _host.DisposeAsync();
        _host = null;
    }

    private HttpClient NewClient() => NewClient(BaseAddress);

    private static HttpClient NewClient(Uri address) => new(new SocketsHttpHandler { UseProxy = false, AllowAutoRedirect = false, UseCookies = false }) { BaseAddress = address, Timeout = TimeSpan.FromSeconds(30) };

    // Limits count in windows of the server's clock, which stands still here; a test of limits sets its own.
    private Dictionary<string, string?> AllSettings()
    {
        var all = new Dictionary<string, string?>(StringComparer.OrdinalIgnoreCase)
        {
            ["DataDirectory"] = _directory,
            ["ConnectionStrings:Flapjack"] = _database!.ConnectionString,
            ["Bootstrap:ApiKey"] = ApiKey,
            ["Bootstrap:Email"] = OwnerEmail,
            ["Bootstrap:Password"] = OwnerPassword,
            ["Limits:RequestsPerMinute"] = "0",
            ["Limits:MessagesPerMinute"] = "0",
            ["Limits:LoginFailures"] = "0",
            ["Server:ShutdownGraceSeconds"] = "2",
            ["Logging:LogLevel:Default"] = "Information",
        };
        foreach (var (key, value) in _settings) all[key] = value;
        return all;
    }

    private sealed class Host(IReadOnlyDictionary<string, string?> settings, Action<IServiceCollection> services) : WebApplicationFactory<Program>
    {
        protected override void ConfigureWebHost(IWebHostBuilder builder)
        {
            builder.UseContentRoot(AppContext.BaseDirectory).UseEnvironment("Production");
            foreach (var (key, value) in settings) builder.UseSetting(key, value);
            builder.ConfigureLogging(logging => logging.ClearProviders());
            builder.ConfigureServices(services);
        }
    }
}
