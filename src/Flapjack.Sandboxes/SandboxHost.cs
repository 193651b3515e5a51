using System.ComponentModel;
using System.Diagnostics;
using System.Text;
using Flapjack.Sandboxes.Bubblewrap;
using Flapjack.Sandboxes.Limits;

namespace Flapjack.Sandboxes;

/// <summary>What this host can do.</summary>
/// <param name="Mode">What a process gets that asks for isolation where possible.</param>
/// <param name="Reason">Why it is not isolated; null when it is.</param>
/// <param name="LimitsTrees">Whether memory and number of processes are limited for a whole tree, by control groups. Without, each process has its own limit of memory.</param>
public sealed record SandboxState(SandboxMode Mode, string? Reason, bool LimitsTrees);

/// <summary>Starts processes, isolated by bubblewrap where the host allows it. The only way in which this server starts any.</summary>
public sealed class SandboxHost
{
    private static readonly string[] Folders = ["/usr/bin", "/bin", "/usr/local/bin"];
    private static readonly TimeSpan ProbeTime = TimeSpan.FromSeconds(10);
    private readonly string? _bubblewrap, _limiter, _setpriv, _setsid;
    private readonly Lazy<Task<SandboxState>> _state;
    private readonly ControlGroups? _groups;
    private readonly byte[]? _filter = SystemCallFilter.Program;
    private bool _disablesUserNamespaces = true;

    /// <summary>Looks for what it needs; nothing is started yet.</summary>
    /// <param name="bubblewrap">Where <c>bwrap</c> is; searched unless given.</param>
    public SandboxHost(string? bubblewrap = null)
    {
        _bubblewrap = bubblewrap ?? Find("bwrap");
        (_limiter, _setpriv, _setsid) = (Find("prlimit"), Find("setpriv"), Find("setsid"));
        _groups = OperatingSystem.IsLinux() ? ControlGroups.Find() : null;
        _state = new(ProbeAsync);
    }

    /// <summary>Tries it once and remembers.</summary>
    public Task<SandboxState> StateAsync() => _state.Value;

    /// <summary>The path of a program that isolated processes can use too; null when there is none.</summary>
    public static string? Find(string program) => Folders.Select(folder => Path.Combine(folder, program)).FirstOrDefault(File.Exists);

    /// <summary>Starts a process.</summary>
    /// <exception cref="SandboxUnavailableException">It must be isolated and cannot be.</exception>
    /// <exception cref="SandboxException">It is refused, or cannot be started.</exception>
    public async Task<SandboxedProcess> StartAsync(ProcessLaunch launch)
    {
        launch.Validate();
        if (launch.Isolation == IsolationNeed.None) return await StartLimitedAsync(launch);
        var state = await StateAsync();
        if (state.Mode == SandboxMode.Isolated) return await StartIsolatedAsync(launch);
        return launch.Isolation == IsolationNeed.WherePossible ? await StartLimitedAsync(launch) : throw new SandboxUnavailableException(state.Reason!);
    }

    private async Task<SandboxState> ProbeAsync()
    {
        if (_bubblewrap is null) return Limited("bubblewrap (bwrap) is not installed");
        if (_limiter is null) return Limited("prlimit (util-linux) is not installed");
        var probe = new ProcessLaunch { Program = "true", Limits = new() { WallTime = ProbeTime, OutputBytes = 4096 } };
        var fault = await TryAsync(probe);
        if (fault is null) return new(SandboxMode.Isolated, null, _groups is not null);
        // Before 0.8 it has no such option; the filter refuses the same calls.
        _disablesUserNamespaces = false;
        return _filter is not null && await TryAsync(probe) is null ? new(SandboxMode.Isolated, null, _groups is not null) : Limited(fault);

        SandboxState Limited(string reason) => new(SandboxMode.Limited, reason, _groups is not null);
    }

    private async Task<string?> TryAsync(ProcessLaunch probe)
    {
        try
        {
            await using var process = await StartIsolatedAsync(probe);
            using var error = new StreamReader(process.Error, Encoding.UTF8);
            var said = await error.ReadToEndAsync();
            var exit = await process.Exit;
            return exit is { Code: 0, Reason: ProcessEnd.Exited } ? null : said.Trim() is { Length: > 0 } text ? text : $"the trial ended with {exit.Code} ({exit.Reason})";
        }
        catch (SandboxException exception)
        {
            return exception.Message;
        }
    }

    private Task<SandboxedProcess> StartIsolatedAsync(ProcessLaunch launch)
    {
        byte[][] inherited = [BubblewrapArguments.Of(launch, _disablesUserNamespaces), BubblewrapArguments.Users, BubblewrapArguments.Groups, .. _filter is null ? (byte[][])[] : [_filter]];
        var start = new ProcessStartInfo(_bubblewrap!);
        start.Environment.Clear();
        return StartAsync(start, launch, SandboxMode.Isolated, inherited, descriptors =>
        [
            "--ro-bind-data", $"{descriptors[1]}", "/etc/passwd", "--ro-bind-data", $"{descriptors[2]}", "/etc/group",
            "--args", $"{descriptors[0]}", .. descriptors.Length > 3 ? (string[])["--seccomp", $"{descriptors[3]}"] : [],
            "--", _limiter!, .. ResourceLimits.Arguments(launch.Limits, ofProcesses: true), launch.Program, .. launch.Arguments, .. launch.Operands,
        ]);
    }

    private Task<SandboxedProcess> StartLimitedAsync(ProcessLaunch launch)
    {
        // Without these tools, on other systems than Linux, what remains is time and output.
        string[] command =
        [
            .. _setsid is null ? (string[])[] : [_setsid],
            .. _setpriv is null ? (string[])[] : [_setpriv, "--pdeathsig", "KILL", "--no-new-privs"],
            .. _limiter is null ? (string[])[] : [_limiter, .. ResourceLimits.Arguments(launch.Limits, ofProcesses: false)],
            launch.Program, .. launch.Arguments, .. launch.Operands,
        ];
        var waits = _groups is not null;
        var start = new ProcessStartInfo(waits ? "/bin/sh" : command[0]) { WorkingDirectory = launch.WorkingDirectory };
        start.Environment.Clear();
        foreach (var (name, value) in BubblewrapArguments.EnvironmentOf(launch)) start.Environment[name] = value;
        // The shell waits for the end of a pipe, so that everything that comes of it is in the group.
        return waits
            ? StartAsync(start, launch, SandboxMode.Limited, [[]], descriptors => ["-c", $"read -r _ </dev/fd/{descriptors[0]}; exec \"$@\"", "sh", .. command])
            : StartAsync(start, launch, SandboxMode.Limited, [], _ => command[1..]);
    }

    private async Task<SandboxedProcess> StartAsync(ProcessStartInfo start, ProcessLaunch launch, SandboxMode mode, byte[][] inherited, Func<int[], IEnumerable<string>> arguments)
    {
        (start.UseShellExecute, start.RedirectStandardInput, start.RedirectStandardOutput, start.RedirectStandardError) = (false, true, true, true);
        var group = _groups?.Create(launch.Limits);
        try
        {
            // Bubblewrap waits for its options before it starts anything, so all of the tree is in the group.
            var process = await Launcher.StartAsync(start, inherited, arguments, process => group?.Add(process.Id));
            return new(process, mode, launch.Limits, group);
        }
        catch (Exception exception) when (exception is Win32Exception or InvalidOperationException || ControlGroups.IsRefusal(exception))
        {
            group?.Remove();
            throw new SandboxException($"The process cannot be started: {exception.Message}", exception);
        }
    }
}
