using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace Flapjack.Server.Tests;

/// <summary>Keeps what the server logs, so that tests can ask for it and failures can show it.</summary>
public sealed class LogRecorder : ILoggerProvider
{
    private static readonly ConcurrentQueue<string> Errors = new();
    private readonly ConcurrentQueue<string> _lines = new();

    /// <summary>The latest errors of all servers of this process, for failures that hold an answer and no server.</summary>
    public static string LatestErrors => string.Join(Environment.NewLine, Errors);

    public IReadOnlyCollection<string> Lines => _lines;

    public ILogger CreateLogger(string categoryName) => new Logger(this, categoryName);

    public void Dispose() { }

    private sealed class Logger(LogRecorder recorder, string category) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel != LogLevel.None;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            var line = $"{logLevel} {category}: {formatter(state, exception)}{(exception is null ? "" : Environment.NewLine + exception)}";
            Keep(recorder._lines, line, 5_000);
            if (logLevel >= LogLevel.Error) Keep(Errors, line, 5);
        }

        private static void Keep(ConcurrentQueue<string> lines, string line, int most)
        {
            lines.Enqueue(line);
            if (lines.Count > most) lines.TryDequeue(out _);
        }
    }
}
