using System.Collections.Concurrent;
using System.Diagnostics;

namespace Flapjack.Sandboxes;

/// <summary>The one thread that starts processes.</summary>
/// <remarks>
/// "Die with the parent" means the thread for the kernel: a process started by a thread of the pool would be killed when the pool lets that thread go.
/// And pipes that a child inherits are inherited by every child started at that moment, so they are started one after another.
/// </remarks>
internal static class Launcher
{
    private static readonly BlockingCollection<Action> Work = [];

    static Launcher() => new Thread(Run) { IsBackground = true, Name = "processes" }.Start();

    /// <summary>Starts a process. What it inherits is made and given to it within one turn of the thread.</summary>
    /// <param name="start">What to start.</param>
    /// <param name="inherited">Texts for the process to read, each from a descriptor that its arguments name: <paramref name="arguments"/> gets the numbers.</param>
    /// <param name="arguments">The arguments, once the descriptors are known.</param>
    /// <param name="started">Before the process reads any of them.</param>
    public static Task<Process> StartAsync(ProcessStartInfo start, byte[][] inherited, Func<int[], IEnumerable<string>> arguments, Action<Process>? started = null)
    {
        var result = new TaskCompletionSource<Process>(TaskCreationOptions.RunContinuationsAsynchronously);
        Work.Add(() =>
        {
            try
            {
                result.SetResult(Start(start, inherited, arguments, started));
            }
            catch (Exception exception)
            {
                result.SetException(exception);
            }
        });
        return result.Task;
    }

    private static void Run()
    {
        foreach (var work in Work.GetConsumingEnumerable()) work();
    }

    private static Process Start(ProcessStartInfo start, byte[][] inherited, Func<int[], IEnumerable<string>> arguments, Action<Process>? started)
    {
        var pipes = inherited.Select(_ => new System.IO.Pipes.AnonymousPipeServerStream(System.IO.Pipes.PipeDirection.Out, HandleInheritability.Inheritable)).ToArray();
        try
        {
            foreach (var argument in arguments([.. pipes.Select(p => (int)p.ClientSafePipeHandle.DangerousGetHandle())])) start.ArgumentList.Add(argument);
            var process = Process.Start(start) ?? throw new SandboxException("The process was not started.");
            foreach (var pipe in pipes) pipe.DisposeLocalCopyOfClientHandle();
            try
            {
                started?.Invoke(process);
                foreach (var (pipe, bytes) in pipes.Zip(inherited)) pipe.Write(bytes);
            }
            catch
            {
                // Before the pipes are closed: no process may go on with half of its options.
                process.Kill();
                process.Dispose();
                throw;
            }
            return process;
        }
        finally
        {
            foreach (var pipe in pipes) pipe.Dispose();
        }
    }
}
