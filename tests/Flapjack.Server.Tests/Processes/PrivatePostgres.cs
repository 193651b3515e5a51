using System.Diagnostics;
using System.Globalization;
using Npgsql;

namespace Flapjack.Server.Tests.Processes;

/// <summary>A PostgreSQL of a test's own, to be killed and started again.</summary>
internal sealed class PrivatePostgres : IAsyncDisposable
{
    private readonly string _programs;
    private readonly string _directory;
    private int _port = KeptPort.Next();
    private bool _wasUp;
    private Process? _process;

    private PrivatePostgres(string programs, string directory) => (_programs, _directory) = (programs, directory);

    public string ConnectionString => $"Host=127.0.0.1;Port={_port};Username=postgres;Database=postgres";

    /// <summary>Room for a server that uses it.</summary>
    public string ServersDirectory => Path.Combine(_directory, "server");

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private string Data => Path.Combine(_directory, "data");

    public static async Task<PrivatePostgres> StartAsync()
    {
        var programs = Programs();
        Assert.SkipWhen(programs is null, "PostgreSQL is not installed here");
        var postgres = new PrivatePostgres(programs!, Directory.CreateTempSubdirectory("flapjack-postgres-").FullName);
        // The programs refuse root.
        if (Environment.IsPrivilegedProcess) (await PublishedServer.RunAsync(new ProcessStartInfo("chown", ["postgres", postgres._directory]))).Code.ShouldBe(0);
        var (code, output) = await PublishedServer.RunAsync(postgres.Command("initdb", "-D", postgres.Data, "-U", "postgres", "-E", "UTF8", "--locale=C", "--no-sync", "--auth=trust"));
        code.ShouldBe(0, output);
        await postgres.StartAgainAsync();
        return postgres;
    }

    /// <summary>Starts and waits until connections are taken. After a kill the first tries fail, as long as an orphaned process holds the shared memory.</summary>
    public async Task StartAgainAsync() => await PublishedServer.UntilAsync(TimeSpan.FromSeconds(30), "PostgreSQL takes connections", async () =>
    {
        if (_process is not { HasExited: false })
        {
            // Somebody else took the port in between. Later it is the one that servers know.
            if (_process is not null && !_wasUp) _port = KeptPort.Next();
            _process?.Dispose();
            _process = Process.Start(Quiet(Command("postgres", "-D", Data, "-p", _port.ToString(CultureInfo.InvariantCulture), "-k", _directory, "-c", "listen_addresses=127.0.0.1", "-c", "logging_collector=off")))!;
            _process.BeginOutputReadLine();
            _process.BeginErrorReadLine();
        }
        try
        {
            await using var connection = new NpgsqlConnection(ConnectionString + ";Pooling=false;Timeout=2");
            await connection.OpenAsync(Token);
            return _wasUp = true;
        }
        catch (NpgsqlException)
        {
            return false;
        }
    });

    /// <summary><c>kill -9</c> of the server process; it writes nothing down any more.</summary>
    public async Task KillAsync()
    {
        var id = int.Parse(File.ReadLines(Path.Combine(Data, "postmaster.pid")).First(), CultureInfo.InvariantCulture);
        using var server = Process.GetProcessById(id);
        server.Kill();
        await _process!.WaitForExitAsync(Token);
    }

    public async ValueTask DisposeAsync()
    {
        if (_process is { HasExited: false }) await KillAsync();
        _process?.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    private ProcessStartInfo Command(string program, params string[] arguments)
    {
        var path = Path.Combine(_programs, program);
        return Environment.IsPrivilegedProcess ? new("runuser", ["-u", "postgres", "--", path, .. arguments]) { WorkingDirectory = "/" } : new(path, arguments);
    }

    private static ProcessStartInfo Quiet(ProcessStartInfo start)
    {
        start.RedirectStandardOutput = start.RedirectStandardError = true;
        return start;
    }

    private static string? Programs()
    {
        const string Packaged = "/usr/lib/postgresql";
        var candidates = Directory.Exists(Packaged) ? Directory.GetDirectories(Packaged).OrderByDescending(d => int.TryParse(Path.GetFileName(d), CultureInfo.InvariantCulture, out var version) ? version : 0).Select(d => Path.Combine(d, "bin")) : [];
        return candidates.Concat((Environment.GetEnvironmentVariable("PATH") ?? "").Split(':')).FirstOrDefault(d => File.Exists(Path.Combine(d, "initdb")) && File.Exists(Path.Combine(d, "postgres")));
    }
}
