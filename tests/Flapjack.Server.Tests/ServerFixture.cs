using System.Net.Http.Headers;
using Flapjack.Server.Platform.Storage.Postgres;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Identity;
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
    private readonly string _directory;
    private readonly bool _isPeer;
    private TestDatabase? _database;
    private Host? _host;

    public ServerFixture() : this(null, null) { }

    private ServerFixture(Action<IDictionary<string, string?>>? settings, Action<IServiceCollection>? services)
    {
        _directory = Directory.CreateTempSubdirectory("flapjack-test-").FullName;
        settings?.Invoke(_settings);
        _services = services;
    }

    private ServerFixture(ServerFixture first)
    {
        (_isPeer, _directory, _database, _services, Time) = (true, first._directory, first._database, first._services, first.Time);
        foreach (var (key, value) in first._settings) _settings[key] = value;
    }

    /// <summary>Calls with the bootstrap API key.</summary>
    public HttpClient Client { get; private set; } = null!;

    /// <summary>Calls without a credential.</summary>
    public HttpClient Anonymous { get; private set; } = null!;

    public Uri BaseAddress { get; private set; } = null!;

    /// <summary>The server's clock. It survives <see cref="RestartAsync"/>.</summary>
    public ManualTime Time { get; } = new();

    /// <summary>Connection string of the server's database.</summary>
    public string ConnectionString => _database!.ConnectionString;

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

    /// <summary>Starts another node on the same database, with the same settings, clock and data directory. On SQLite, where there can be only one, the first then stands for a process that was frozen and replaced.</summary>
    public ServerFixture StartPeer()
    {
        var peer = new ServerFixture(this);
        peer.Run();
        return peer;
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
        if (_isPeer) return;
        if (_database is not null) await _database.DisposeAsync();
        Directory.Delete(_directory, recursive: true);
    }

    private void Run()
    {
        _host = new Host(AllSettings(), services =>
        {
            services.Replace(ServiceDescriptor.Singleton<TimeProvider>(Time));
            services.AddSingleton<ILoggerProvider>(Log);
            // A machine with too much to do is no silent database.
            if (TestDatabase.IsPostgres) services.Replace(ServiceDescriptor.Singleton(provider => PostgresPulse.Of(_database!.ForServer, TimeSpan.FromSeconds(30), provider)));
            // Hundreds of servers start in a run, each with a password.
            services.PostConfigure<PasswordHasherOptions>(options => options.IterationCount = 1_000);
            _services?.Invoke(services);
        });
        _host.UseKestrel();
        _host.StartServer();
        BaseAddress = new Uri(_host.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First());
        Anonymous = NewClient();
        Client = ClientFor(ApiKey);
    }

    private async Task StopAsync()
    {
        Client?.Dispose();
        Anonymous?.Dispose();
        if (_host is not null) await _host.DisposeAsync();
        _host = null;
    }

    private HttpClient NewClient() => new(new SocketsHttpHandler { UseProxy = false, AllowAutoRedirect = false, UseCookies = false }) { BaseAddress = BaseAddress, Timeout = TimeSpan.FromSeconds(30) };

    // Limits count in windows of the server's clock, which stands still here; a test of limits sets its own.
    private Dictionary<string, string?> AllSettings()
    {
        var all = new Dictionary<string, string?>(StringComparer.OrdinalIgnoreCase)
        {
            // As a setting: the factory would change the address beside the program, which may listen by then.
            ["urls"] = "http://127.0.0.1:0",
            ["DataDirectory"] = _directory,
            ["ConnectionStrings:Flapjack"] = _database!.ForServer,
            ["Bootstrap:ApiKey"] = ApiKey,
            ["Bootstrap:Email"] = OwnerEmail,
            ["Bootstrap:Password"] = OwnerPassword,
            ["Limits:RequestsPerMinute"] = "0",
            ["Limits:MessagesPerMinute"] = "0",
            ["Limits:LoginFailures"] = "0",
            ["Limits:PublicMessagesPerMinute"] = "0",
            ["Limits:PublicThreadsPerHour"] = "0",
            ["Limits:PublicChatMessagesPerMinute"] = "0",
            ["Limits:AnonymousRequestsPerMinute"] = "0",
            ["Limits:HooksPerMinute"] = "0",
            ["Server:ShutdownGraceSeconds"] = "2",
            // Nobody listens there: no test asks the public registry.
            ["Mcp:RegistryUrl"] = "http://127.0.0.1:9",
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
