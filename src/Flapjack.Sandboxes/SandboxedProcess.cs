using System.Diagnostics;
using Flapjack.Sandboxes.Limits;

namespace Flapjack.Sandboxes;

/// <summary>Why a process ended.</summary>
public enum ProcessEnd
{
    /// <summary>By itself, or by a limit of the kernel.</summary>
    Exited,

    /// <summary>It was told to.</summary>
    Killed,

    /// <summary>Its time was up.</summary>
    TimedOut,

    /// <summary>It wrote too much.</summary>
    TooMuchOutput,
}

/// <summary>How a process ended.</summary>
/// <param name="Code">Its exit code; 128 and the signal's number where a signal ended it.</param>
/// <param name="Reason">Who ended it.</param>
public sealed record ProcessExit(int Code, ProcessEnd Reason);

/// <summary>A running process with its children. Disposing of it kills what is left of them.</summary>
public sealed class SandboxedProcess : IAsyncDisposable
{
    private readonly Process _process;
    private readonly ControlGroup? _group;
    private readonly CancellationTokenSource _time = new();
    private int _end = (int)ProcessEnd.Exited;
    private int _disposed;

    internal SandboxedProcess(Process process, SandboxMode mode, ProcessLimits limits, ControlGroup? group)
    {
        (_process, _group, Mode) = (process, group, mode);
        (Output, Error) = (process.StandardOutput.BaseStream, process.StandardError.BaseStream);
        if (limits.OutputBytes is { } bytes) (Output, Error) = (Limited(Output, bytes), Limited(Error, bytes));
        // Real time, whatever clock the server has: the process lives in it.
        if (limits.WallTime is { } wall) _time.CancelAfter(wall);
        _time.Token.UnsafeRegister(static self => ((SandboxedProcess)self!).End(ProcessEnd.TimedOut), this);
        Exit = WaitAsync();
    }

    /// <summary>What it really got.</summary>
    public SandboxMode Mode { get; }

    /// <summary>Its standard input. Dispose of it to end it.</summary>
    public Stream Input => _process.StandardInput.BaseStream;

    /// <summary>Its standard output. It must be read, or the process waits once a pipe is full.</summary>
    public Stream Output { get; }

    /// <summary>Its error output, which must be read as well.</summary>
    public Stream Error { get; }

    /// <summary>Ends when the process has; its children do not outlive it. It never fails.</summary>
    public Task<ProcessExit> Exit { get; }

    /// <summary>Kills it and all its children.</summary>
    public void Kill() => End(ProcessEnd.Killed);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0) return;
        Kill();
        await Exit;
        await Output.DisposeAsync();
        await Error.DisposeAsync();
        try
        {
            await Input.DisposeAsync();
        }
        catch (IOException)
        {
            // What was still to be written has no reader any more.
        }
        _time.Dispose();
        _process.Dispose();
    }

    private LimitedOutput Limited(Stream stream, long bytes) => new(stream, bytes, () => End(ProcessEnd.TooMuchOutput));

    private async Task<ProcessExit> WaitAsync()
    {
        await _process.WaitForExitAsync();
        if (Mode == SandboxMode.Limited) ProcessSession.Kill(_process.Id);
        if (_group is not null) await _group.RemoveAsync();
        return new(_process.ExitCode, (ProcessEnd)Volatile.Read(ref _end));
    }

    private void End(ProcessEnd reason)
    {
        try
        {
            if (_process.HasExited) return;
            Interlocked.CompareExchange(ref _end, (int)reason, (int)ProcessEnd.Exited);
            // Isolated, the first process takes its namespace along.
            _process.Kill();
            if (Mode == SandboxMode.Limited) ProcessSession.Kill(_process.Id);
            _group?.Kill();
        }
        catch (Exception exception) when (exception is InvalidOperationException or System.ComponentModel.Win32Exception)
        {
            // It ended in between.
        }
    }
}
