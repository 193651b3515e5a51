using System.Diagnostics;
using System.Net.Http.Headers;
using System.Text;
using System.Text.RegularExpressions;

namespace Flapjack.Server.Tests.Accounts;

/// <summary>The server's program, started as an operator starts it.</summary>
internal sealed partial class ServerProcess : IAsyncDisposable
{
    private readonly Process _process;
    private readonly StringBuilder _output = new();
    private readonly List<(string Text, TaskCompletionSource Seen)> _awaited = [];

    private ServerProcess(IEnumerable<string> arguments)
    {
        _process = Process.Start(StartInfo(arguments))!;
        _process.OutputDataReceived += (_, line) => Take(line.Data);
        _process.ErrorDataReceived += (_, line) => Take(line.Data);
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    public string Output
    {
        get { lock (_output) return _output.ToString(); }
    }

    public string Address => Listening().Match(Output).Groups[1].Value;

    /// <summary>Starts and waits until it says that it is up.</summary>
    public static async Task<ServerProcess> StartAsync(IEnumerable<string> arguments)
    {
        var server = new ServerProcess(arguments);
        await server.PrintedAsync(" listens on ");
        return server;
    }

    /// <summary>Waits until a text was printed.</summary>
    public Task PrintedAsync(string text)
    {
        var seen = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_output)
        {
            _awaited.Add((text, seen));
            if (_output.ToString().Contains(text, StringComparison.Ordinal)) seen.SetResult();
        }
        return seen.Task.WaitAsync(TimeSpan.FromSeconds(60), TestContext.Current.CancellationToken);
    }

    /// <summary>Runs a command to its end: exit code and everything printed.</summary>
    public static async Task<(int Code, string Output)> RunAsync(IEnumerable<string> arguments)
    {
        using var process = Process.Start(StartInfo(arguments))!;
        var errors = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        var output = await process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        return (process.ExitCode, (WithoutLog(output) + await errors).Trim());
    }

    public async Task<string> SendAsync(HttpMethod method, string path, string? credential, string? json = null)
    {
        using var client = new HttpClient(new SocketsHttpHandler { UseProxy = false });
        using var request = new HttpRequestMessage(method, Address + path) { Content = json is null ? null : JsonText.Content(json) };
        if (credential is not null) request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", credential);
        using var response = await client.SendAsync(request, TestContext.Current.CancellationToken);
        return await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited) _process.Kill();
        await _process.WaitForExitAsync();
        _process.Dispose();
    }

    private static ProcessStartInfo StartInfo(IEnumerable<string> arguments) =>
        new("dotnet", [Path.Combine(AppContext.BaseDirectory, "Flapjack.Server.dll"), .. arguments]) { RedirectStandardOutput = true, RedirectStandardError = true };

    private static string WithoutLog(string output) => string.Join('\n', output.Split('\n').Where(line => !line.Contains(" info: ", StringComparison.Ordinal)));

    private void Take(string? line)
    {
        lock (_output)
        {
            _output.Append(line).Append('\n');
            foreach (var (text, seen) in _awaited)
            {
                if (line is null) seen.TrySetException(new InvalidOperationException($"The server ended without printing '{text}': {_output}"));
                else if (line.Contains(text, StringComparison.Ordinal)) seen.TrySetResult();
            }
        }
    }

    [GeneratedRegex(@" listens on (http://[0-9.:]+)")]
    private static partial Regex Listening();
}
