namespace Flapjack.Sandboxes.Limits;

/// <summary>What a process and its children may use.</summary>
public sealed record ProcessLimits
{
    /// <summary>Memory of each process; of all together where the host has control groups to give.</summary>
    public long MemoryBytes { get; init; } = 512L * 1024 * 1024;

    /// <summary>Processor time of each process.</summary>
    public TimeSpan? CpuTime { get; init; }

    /// <summary>From start to end; afterwards everything is killed.</summary>
    public TimeSpan? WallTime { get; init; }

    /// <summary>Processes and threads at a time.</summary>
    public int Processes { get; init; } = 64;

    /// <summary>What it may write to its output, and again to its error output; afterwards everything is killed.</summary>
    public long? OutputBytes { get; init; }

    /// <summary>Its own <c>/tmp</c>, which lies in memory.</summary>
    public long TemporaryBytes { get; init; } = 64L * 1024 * 1024;

    /// <summary>The largest file it may write.</summary>
    public long FileBytes { get; init; } = 1024L * 1024 * 1024;

    /// <summary>Open files of each process.</summary>
    public int OpenFiles { get; init; } = 1024;

    internal void Validate()
    {
        long[] all = [MemoryBytes, Processes, OutputBytes ?? 1, TemporaryBytes, FileBytes, OpenFiles, CpuTime?.Ticks ?? 1, WallTime?.Ticks ?? 1];
        if (all.Any(limit => limit <= 0)) throw new SandboxException("The process is refused: a limit is not above zero.");
    }
}
