using Flapjack.Server.Platform;
using Flapjack.Server.Platform.Settings;

namespace Flapjack.Server.Threads.Recovery;

/// <summary>Names this process among the nodes on a database. The name is also kept in the data directory, under a lock that ends with the process: whoever gets the lock knows that the node named there is dead.</summary>
internal sealed class NodeName : IDisposable
{
    private readonly FileStream? _file;

    public NodeName(ServerSettings settings)
    {
        Value = $"{Environment.MachineName}-{Ids.New():N}";
        try
        {
            Directory.CreateDirectory(settings.DataDirectory);
            _file = new FileStream(Path.Combine(settings.DataDirectory, "node"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            using var reader = new StreamReader(_file, leaveOpen: true);
            Predecessor = reader.ReadToEnd() is { Length: > 0 } name ? name : null;
            _file.SetLength(0);
            _file.Write(System.Text.Encoding.UTF8.GetBytes(Value));
            _file.Flush(flushToDisk: true);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // Another node has the directory, or it cannot be written to: a crash is then noticed by its lease.
        }
    }

    public string Value { get; }

    /// <summary>The node that used this data directory before and is surely gone; null when there was none, or nobody knows.</summary>
    public string? Predecessor { get; }

    public void Dispose() => _file?.Dispose();
}
