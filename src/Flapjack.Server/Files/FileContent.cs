using Flapjack.Server.Platform.Storage;

namespace Flapjack.Server.Files;

/// <summary>A stored file's content as a stream that reads one piece at a time, from wherever it is asked to.</summary>
internal sealed class FileContent(IReader reader, StoredFile file) : Stream
{
    private byte[] _chunk = [];
    private int _loaded = -1;
    private long _position;

    public override bool CanRead => true;
    public override bool CanSeek => true;
    public override bool CanWrite => false;
    public override long Length => file.SizeBytes;

    public override long Position
    {
        get => _position;
        set => Seek(value, SeekOrigin.Begin);
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (_position >= Length || buffer.Length == 0) return 0;
        var wanted = (int)(_position / FileChunk.Size);
        if (wanted != _loaded)
        {
            _chunk = await reader.ReadAsync(FileSql.Chunk(file.Id, wanted, file.OrgId), static row => row.Bytes(), cancellationToken) ?? throw new FileGoneException(file.Id);
            _loaded = wanted;
        }
        var within = (int)(_position % FileChunk.Size);
        var count = Math.Min(buffer.Length, _chunk.Length - within);
        _chunk.AsSpan(within, count).CopyTo(buffer.Span);
        _position += count;
        return count;
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) => ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override long Seek(long offset, SeekOrigin origin) => _position = origin switch
    {
        SeekOrigin.Begin => offset,
        SeekOrigin.Current => _position + offset,
        _ => Length + offset,
    } is >= 0 and var to ? to : throw new IOException("A position before the beginning.");

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException("Content comes from the database and is read asynchronously.");

    public override void Flush() { }

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
}

/// <summary>The file was deleted while it was being read.</summary>
internal sealed class FileGoneException(Guid file) : IOException($"The file {file} is gone.");
