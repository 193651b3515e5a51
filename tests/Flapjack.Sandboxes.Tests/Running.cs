using System.Text;

namespace Flapjack.Sandboxes.Tests;

/// <summary>A shell script run to its end.</summary>
internal sealed record Ran(ProcessExit Exit, string Output, string Error, SandboxMode Mode);

internal static class Running
{
    public static readonly SandboxHost Host = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public static ProcessLaunch Script(string script) => new() { Program = "sh", Arguments = ["-c", script], Limits = new() { WallTime = TimeSpan.FromSeconds(20) } };

    public static async Task<Ran> RunAsync(this SandboxHost host, ProcessLaunch launch, string input = "")
    {
        await using var process = await host.StartAsync(launch);
        var (output, error) = (ReadAsync(process.Output), ReadAsync(process.Error));
        try
        {
            await process.Input.WriteAsync(Encoding.UTF8.GetBytes(input), Token);
            await process.Input.DisposeAsync();
        }
        catch (IOException)
        {
            // It did not want to read.
        }
        return new(await process.Exit.WaitAsync(TimeSpan.FromSeconds(30), Token), await output, await error, process.Mode);
    }

    /// <summary>Skips where this machine cannot isolate; says why.</summary>
    public static async Task NeedIsolationAsync()
    {
        var state = await Host.StateAsync();
        Assert.SkipUnless(state.Mode == SandboxMode.Isolated, $"no isolation here: {state.Reason}");
    }

    private static async Task<string> ReadAsync(Stream stream)
    {
        using var reader = new StreamReader(stream, Encoding.UTF8);
        return await reader.ReadToEndAsync(Token);
    }
}
