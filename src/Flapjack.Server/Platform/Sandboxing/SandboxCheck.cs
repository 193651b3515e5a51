using Flapjack.Sandboxes;

namespace Flapjack.Server.Platform.Sandboxing;

/// <summary>Says once, behind the start, how far this host can isolate processes, and which programs are missing.</summary>
internal sealed partial class SandboxCheck(SandboxHost sandboxes, ILogger<SandboxCheck> logger) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        // The server's own start does not wait for it.
        await Task.Yield();
        var state = await sandboxes.StateAsync();
        if (state.Mode == SandboxMode.Isolated) LogIsolated(logger, state.LimitsTrees ? "a whole process tree" : "each process");
        else LogLimited(logger, state.Reason!);
        if (SandboxHost.Find("pdftotext") is null) LogNoPdf(logger);
    }

    [LoggerMessage(1, LogLevel.Information, "Processes are isolated by bubblewrap; limits of memory hold for {Reach}")]
    private static partial void LogIsolated(ILogger logger, string reach);

    [LoggerMessage(2, LogLevel.Warning, "Processes run under limits only and are not isolated: {Reason}. docs/sandbox.md says what is needed")]
    private static partial void LogLimited(ILogger logger, string reason);

    [LoggerMessage(3, LogLevel.Warning, "The text of PDF files cannot be read: pdftotext (poppler-utils) is not installed")]
    private static partial void LogNoPdf(ILogger logger);
}
