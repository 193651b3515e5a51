using Flapjack.Sandboxes;
using Flapjack.Sandboxes.Limits;
using Flapjack.Server.Platform.Settings;

namespace Flapjack.Server.Mcp.Connections;

/// <summary>Starts servers that are programs and speak over their standard streams: in a sandbox, or on the host when the operator says so (<c>Mcp:Stdio</c>).</summary>
/// <remarks>In a sandbox a program sees the system's programs, the folders of <c>Mcp:StdioFolders</c> and a <c>/tmp</c> of its own, and has no network unless <c>Mcp:StdioNetwork</c> gives it the host's.</remarks>
internal sealed class ServerPrograms(SandboxHost sandboxes, ServerSettings settings)
{
    // What programs of the host usually need to find their files; nothing else of the server's own variables, which hold its secrets.
    private static readonly string[] Passed = ["PATH", "HOME", "LANG", "TZ"];

    private static readonly ProcessLimits Limits = new() { MemoryBytes = 1024L * 1024 * 1024, Processes = 128, TemporaryBytes = 256L * 1024 * 1024, FileBytes = 256L * 1024 * 1024 };

    /// <summary>Starts the program. Throws <see cref="McpServerException"/> when it cannot be started.</summary>
    public async Task<ServerProgram> StartAsync(ServerAccess access, IReadOnlyDictionary<string, string> env)
    {
        if (settings.Mcp.Stdio == McpSettings.Off) throw new McpServerException(new(McpFault.Connect, "programs (transport stdio) are switched off on this server: Mcp:Stdio"));
        var isHost = settings.Mcp.Stdio == McpSettings.Host;
        var launch = new ProcessLaunch
        {
            Program = access.Command!,
            Arguments = access.Args,
            Environment = isHost ? WithHost(env) : env,
            Network = isHost || settings.Mcp.StdioNetwork,
            ReadOnly = [.. settings.Mcp.StdioFolders.Select(folder => new PathBinding(folder))],
            Limits = Limits,
            Isolation = isHost ? IsolationNeed.None : IsolationNeed.Required,
        };
        try
        {
            return new(await sandboxes.StartAsync(launch));
        }
        catch (SandboxException exception)
        {
            throw new McpServerException(new(McpFault.Connect, $"the program cannot be started: {McpFault.Words(exception.Message)}"), exception);
        }
    }

    private static Dictionary<string, string> WithHost(IReadOnlyDictionary<string, string> env)
    {
        var all = Passed.Where(name => Environment.GetEnvironmentVariable(name) is { Length: > 0 }).ToDictionary(name => name, name => Environment.GetEnvironmentVariable(name)!);
        foreach (var (name, value) in env) all[name] = value;
        return all;
    }
}

/// <summary>A running program. Disposing of it ends it, with everything it started.</summary>
internal sealed class ServerProgram(SandboxedProcess process) : IAsyncDisposable
{
    // What it said at its end is there at once; a child that lives on may keep the stream open.
    private static readonly TimeSpan LastWords = TimeSpan.FromSeconds(5);
    private readonly ProgramWords _words = new(process.Error);

    /// <summary>What the program reads.</summary>
    public Stream Input => process.Input;

    /// <summary>What the program writes.</summary>
    public Stream Output => process.Output;

    /// <summary>Why there is no answer any more, in the program's own words where it had any: they may be read after the end of its output.</summary>
    public async Task<McpFault> EndedAsync()
    {
        // The clock is the real one: the program lives in it.
        await _words.AllRead.WaitAsync(LastWords).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return new(McpFault.Connect, _words.Last is { Length: > 0 } words ? $"the program ended: {McpFault.LastWords(words)}" : "the program ended");
    }

    public ValueTask DisposeAsync() => process.DisposeAsync();
}
