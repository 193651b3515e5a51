namespace Flapjack.Server.Mcp.Connections;

/// <summary>Runs servers that are programs and speak over their standard streams. <c>Mcp:Stdio</c> says which host is used.</summary>
internal interface IProgramHost
{
    /// <summary>Starts the program. Throws <see cref="McpServerException"/> when it cannot be started.</summary>
    Task<IServerProgram> StartAsync(ServerAccess access, IReadOnlyDictionary<string, string> env, CancellationToken cancellationToken);
}

/// <summary>A running program. Disposing of it ends it, with everything it started.</summary>
internal interface IServerProgram : IAsyncDisposable
{
    /// <summary>What the program reads.</summary>
    Stream Input { get; }

    /// <summary>What the program writes.</summary>
    Stream Output { get; }

    /// <summary>The end of what it wrote for people, to explain a failure.</summary>
    string LastWords { get; }
}
