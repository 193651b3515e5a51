using System.Text;

namespace Flapjack.Server.Mcp.Connections;

/// <summary>Reads what a program writes for people, so that it never blocks on it, and keeps the end.</summary>
internal sealed class ProgramWords
{
    private const int Kept = 2_048;
    private readonly byte[] _tail = new byte[Kept];
    private readonly Lock _lock = new();
    private long _total;

    public ProgramWords(Stream error) => AllRead = ReadAsync(error);

    /// <summary>Ends when the program can say no more. It never fails.</summary>
    public Task AllRead { get; }

    public string Last
    {
        get
        {
            lock (_lock)
            {
                var length = (int)Math.Min(_total, Kept);
                var start = _total > Kept ? (int)(_total % Kept) : 0;
                var bytes = new byte[length];
                for (var i = 0; i < length; i++) bytes[i] = _tail[(start + i) % Kept];
                return Encoding.UTF8.GetString(bytes).Trim();
            }
        }
    }

    // Ends with the program, whose end closes the stream.
    private async Task ReadAsync(Stream error)
    {
        var buffer = new byte[16 * 1024];
        try
        {
            int read;
            while ((read = await error.ReadAsync(buffer)) > 0) Keep(buffer.AsSpan(0, read));
        }
        catch (Exception exception) when (exception is IOException or ObjectDisposedException)
        {
            // The program was ended.
        }
    }

    private void Keep(ReadOnlySpan<byte> bytes)
    {
        lock (_lock) foreach (var character in bytes) _tail[_total++ % Kept] = character;
    }
}
