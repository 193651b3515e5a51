using Flapjack.Sandboxes.Limits;

namespace Flapjack.Sandboxes;

/// <summary>How far a process is kept from its host.</summary>
public enum IsolationNeed
{
    /// <summary>Isolated, or not at all.</summary>
    Required,

    /// <summary>Isolated where this host can do it, else under limits only.</summary>
    WherePossible,

    /// <summary>On the host itself, under limits: for programs the operator trusts.</summary>
    None,
}

/// <summary>What a process really got.</summary>
public enum SandboxMode
{
    /// <summary>Namespaces of its own, no capabilities, only the files it was given, a list of forbidden system calls.</summary>
    Isolated,

    /// <summary>Limits of memory, time and output; files and network are the server's own.</summary>
    Limited,
}

/// <summary>A folder or file of the host that a process sees.</summary>
/// <param name="Source">Absolute, on the host.</param>
/// <param name="Target">Absolute, for the process; the same as on the host unless given. Without isolation it has no effect.</param>
public sealed record PathBinding(string Source, string? Target = null);

/// <summary>A process to start.</summary>
public sealed record ProcessLaunch
{
    /// <summary>A name that is searched in the usual folders, or an absolute path.</summary>
    public required string Program { get; init; }

    /// <summary>As they are. What may not be taken for an option belongs into <see cref="Operands"/>.</summary>
    public IReadOnlyList<string> Arguments { get; init; } = [];

    /// <summary>Follow the arguments: names of files and other things that come from users. One that begins with <c>-</c> is refused.</summary>
    public IReadOnlyList<string> Operands { get; init; } = [];

    /// <summary>The whole environment, but for <c>PATH</c>, <c>HOME</c>, <c>TMPDIR</c> and <c>LANG</c>, which have defaults. It does not appear among the arguments of any process.</summary>
    public IReadOnlyDictionary<string, string> Environment { get; init; } = new Dictionary<string, string>();

    /// <summary>Absolute. Isolated processes have an empty <c>/tmp</c> of their own.</summary>
    public string WorkingDirectory { get; init; } = "/tmp";

    /// <summary>Whether it has the host's network. Without, it has not even a loopback that leads anywhere.</summary>
    public bool Network { get; init; }

    /// <summary>What it may read beside the system's programs and libraries.</summary>
    public IReadOnlyList<PathBinding> ReadOnly { get; init; } = [];

    /// <summary>What it may write beside its <c>/tmp</c>; what it writes there stays.</summary>
    public IReadOnlyList<PathBinding> Writable { get; init; } = [];

    /// <summary>What it may use.</summary>
    public ProcessLimits Limits { get; init; } = new();

    /// <summary>What happens on a host that cannot isolate.</summary>
    public IsolationNeed Isolation { get; init; } = IsolationNeed.Required;

    internal void Validate()
    {
        Check(Program.Length > 0 && Program[0] != '-', "the program's name is empty or begins with '-'");
        Check(!Program.Contains('/', StringComparison.Ordinal) || IsPath(Program), "the program is a relative path");
        Check(Operands.All(o => o.Length == 0 || o[0] != '-'), "an operand begins with '-'");
        Check(Arguments.Concat(Operands).Append(Program).Concat(Environment.Values).All(a => !a.Contains('\0', StringComparison.Ordinal)), "an argument or a variable contains a zero");
        Check(Environment.Keys.All(k => k.Length > 0 && k.AsSpan().IndexOfAny('=', '\0') < 0), "the name of a variable is empty or contains '='");
        Check(IsPath(WorkingDirectory), "the working directory is no absolute path");
        Check(ReadOnly.Concat(Writable).All(b => IsPath(b.Source) && (b.Target is null || IsPath(b.Target))), "a path to share is not absolute");
        Limits.Validate();
    }

    private static bool IsPath(string path) => path.StartsWith('/') && !path.Contains('\0', StringComparison.Ordinal) && !path.Split('/').Contains("..");

    private static void Check(bool holds, string fault)
    {
        if (!holds) throw new SandboxException($"The process is refused: {fault}.");
    }
}

/// <summary>A process cannot be started.</summary>
public class SandboxException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>The process must be isolated and this host cannot do it.</summary>
public sealed class SandboxUnavailableException(string reason) : SandboxException($"Processes cannot be isolated on this host: {reason}");
