using System.Globalization;

namespace Flapjack.Sandboxes.Limits;

/// <summary>Limits that the kernel keeps for each process, as arguments of <c>prlimit</c>.</summary>
internal static class ResourceLimits
{
    public static IEnumerable<string> Arguments(ProcessLimits limits, bool ofProcesses)
    {
        // Not the address space: runtimes with a garbage collector reserve hundreds of gigabytes and use little of it.
        yield return Option("data", limits.MemoryBytes);
        yield return Option("core", 0);
        yield return Option("fsize", limits.FileBytes);
        yield return Option("nofile", limits.OpenFiles);
        if (limits.CpuTime is { } cpu) yield return Option("cpu", Math.Max(1, (long)Math.Ceiling(cpu.TotalSeconds)));
        // Counted for the user: outside a namespace of its own that would count the server's threads too.
        if (ofProcesses) yield return Option("nproc", limits.Processes);
    }

    private static string Option(string name, long value) => string.Create(CultureInfo.InvariantCulture, $"--{name}={value}");
}
