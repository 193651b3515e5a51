using System.Globalization;
using System.Text;
using Flapjack.Sandboxes;
using Flapjack.Sandboxes.Limits;

namespace Flapjack.Server.Knowledge.Extraction.Processes;

/// <summary>How a program that read a document ended.</summary>
/// <param name="Exit">Its end.</param>
/// <param name="Error">The beginning of what it complained about.</param>
/// <param name="Result">What was made of its output.</param>
internal sealed record ReaderRun<T>(ProcessExit Exit, string Error, T Result);

/// <summary>Starts the programs that read documents, under limits no honest document meets.</summary>
internal sealed class ReaderProcess(SandboxHost sandboxes, IsolationNeed isolation)
{
    private const long Megabyte = 1024 * 1024;
    private const int ErrorBytes = 8 * 1024;

    private static readonly ProcessLimits Limits = new()
    {
        MemoryBytes = 640 * Megabyte,
        CpuTime = TimeSpan.FromSeconds(30),
        WallTime = TimeSpan.FromSeconds(60),
        Processes = 48,
        OutputBytes = 200 * Megabyte,
        TemporaryBytes = 16 * Megabyte,
        FileBytes = 16 * Megabyte,
        OpenFiles = 256,
    };

    // The child's heap is smaller than what it may have of memory, so that it can still say what happened. Most of the rest makes it start sooner: it lives for a tenth of a second.
    private static readonly Dictionary<string, string> Environment = new()
    {
        ["DOTNET_GCHeapHardLimit"] = (400 * Megabyte).ToString("X", CultureInfo.InvariantCulture),
        ["DOTNET_gcConcurrent"] = "0",
        ["DOTNET_GCgen0size"] = (16 * Megabyte).ToString("X", CultureInfo.InvariantCulture),
        ["DOTNET_TieredPGO"] = "0",
        ["DOTNET_TC_QuickJit"] = "1",
        ["DOTNET_TC_QuickJitForLoops"] = "1",
        ["DOTNET_EnableWriteXorExecute"] = "0",
        ["DOTNET_EnableDiagnostics"] = "0",
        ["DOTNET_SYSTEM_GLOBALIZATION_INVARIANT"] = "1",
    };

    private static readonly string Root = Path.GetFullPath(Path.Combine(Path.GetDirectoryName(typeof(object).Assembly.Location)!, "../../.."));
    private static readonly string Server = Path.Combine(AppContext.BaseDirectory, "Flapjack.Server.dll");

    // Not the whole folder: settings may lie there.
    private static readonly string[] OfServer = [Server, Path.ChangeExtension(Server, ".runtimeconfig.json"), Path.Combine(AppContext.BaseDirectory, "AngleSharp.dll")];

    /// <summary>Has this program read a document with one of its own parsers.</summary>
    public Task<ReaderRun<T>> ParseAsync<T>(string[] arguments, ReadOnlyMemory<byte> content, Func<SandboxedProcess, CancellationToken, Task<T>> read, CancellationToken cancellationToken) => RunAsync(
        new()
        {
            Program = Path.Combine(Root, "dotnet"),
            Arguments = ["exec", Server, .. arguments],
            Environment = Environment,
            ReadOnly = [new(Root), .. OfServer.Select(path => new PathBinding(path))],
            Limits = Limits,
            Isolation = isolation,
        }, content, read, cancellationToken);

    /// <summary>Has a program of the system read a document.</summary>
    public Task<ReaderRun<T>> RunAsync<T>(string program, string[] arguments, ReadOnlyMemory<byte> content, Func<SandboxedProcess, CancellationToken, Task<T>> read, CancellationToken cancellationToken) =>
        RunAsync(new() { Program = program, Arguments = arguments, Limits = Limits, Isolation = isolation }, content, read, cancellationToken);

    private async Task<ReaderRun<T>> RunAsync<T>(ProcessLaunch launch, ReadOnlyMemory<byte> content, Func<SandboxedProcess, CancellationToken, Task<T>> read, CancellationToken cancellationToken)
    {
        await using var process = await sandboxes.StartAsync(launch);
        var feeding = FeedAsync(process, content, cancellationToken);
        var complaints = ComplaintsAsync(process.Error, cancellationToken);
        var result = await read(process, cancellationToken);
        // Drained, so that no full pipe keeps it from ending; its time is limited.
        await process.Output.CopyToAsync(Stream.Null, cancellationToken);
        var exit = await process.Exit.WaitAsync(cancellationToken);
        await feeding;
        return new(exit, await complaints, result);
    }

    private static async Task FeedAsync(SandboxedProcess process, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        try
        {
            await process.Input.WriteAsync(content, cancellationToken);
            await process.Input.DisposeAsync();
        }
        catch (Exception exception) when (exception is IOException or OperationCanceledException or ObjectDisposedException)
        {
            // It ended before it had read everything, or nobody waits for it any more.
        }
    }

    private static async Task<string> ComplaintsAsync(Stream error, CancellationToken cancellationToken)
    {
        var buffer = new byte[ErrorBytes];
        try
        {
            var length = await error.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, cancellationToken);
            await error.CopyToAsync(Stream.Null, cancellationToken);
            return Encoding.UTF8.GetString(buffer, 0, length).Trim();
        }
        catch (Exception exception) when (exception is IOException or OperationCanceledException or ObjectDisposedException)
        {
            return "";
        }
    }
}
