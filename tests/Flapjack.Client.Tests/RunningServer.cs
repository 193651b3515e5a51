using System.Diagnostics;
using System.Text;
using System.Text.RegularExpressions;

namespace Flapjack.Client.Tests;

/// <summary>The published server with SQLite in a directory of its own, as an operator runs it.</summary>
internal sealed partial class RunningServer : IAsyncDisposable
{
    public const string ApiKey = "fj_live_7e577e577e577e577e577e577e577e577e577e577e577e577e577e577e577e57";

    private readonly Process _process;
    private readonly StringBuilder _output = new();
    private readonly TaskCompletionSource<Uri> _listening = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private RunningServer(string dll, string directory)
    {
        Directory = directory;
        var start = new ProcessStartInfo("dotnet", [dll, $"--DataDirectory={directory}", "--urls=http://127.0.0.1:0", $"--Bootstrap:ApiKey={ApiKey}"]) { RedirectStandardOutput = true, RedirectStandardError = true };
        _process = new Process { StartInfo = start, EnableRaisingEvents = true };
        _process.OutputDataReceived += (_, line) => Take(line.Data);
        _process.ErrorDataReceived += (_, line) => Take(line.Data);
        _process.Exited += (_, _) => _listening.TrySetException(new InvalidOperationException($"the server ended:\n{_output}"));
        _process.Start();
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    public string Directory { get; }

    public Uri Address { get; private set; } = null!;

    public static async Task<RunningServer> StartAsync(string? directory = null)
    {
        var dll = Environment.GetEnvironmentVariable("FLAPJACK_SERVER_DLL") ?? throw new InvalidOperationException("FLAPJACK_SERVER_DLL is not set; bin/test publishes the server and sets it");
        var server = new RunningServer(dll, directory ?? System.IO.Directory.CreateTempSubdirectory("flapjack-client-").FullName);
        server.Address = await server._listening.Task.WaitAsync(TimeSpan.FromSeconds(60), TestContext.Current.CancellationToken);
        return server;
    }

    /// <summary>What <c>kill -9</c> does; what is stored stays.</summary>
    public async Task KillAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync(TestContext.Current.CancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited) _process.Kill();
        await _process.WaitForExitAsync();
        _process.Dispose();
        if (System.IO.Directory.Exists(Directory)) System.IO.Directory.Delete(Directory, recursive: true);
    }

    private void Take(string? line)
    {
        lock (_output)
        {
            _output.Append(line).Append('\n');
            if (line is not null && Listening().Match(line) is { Success: true } found) _listening.TrySetResult(new(found.Groups[1].Value));
        }
    }

    [GeneratedRegex(@"listens on (http[^;,\s]+)")]
    private static partial Regex Listening();
}
