using System.IO.Pipelines;
using Flapjack.Server.Platform.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Flapjack.Server.Platform.Idempotency;

/// <summary>Holds an answer back until it is stored. An event stream, known by its content type when it is first written to, goes straight to the client.</summary>
internal sealed class HeldAnswer : IHttpResponseBodyFeature, IDisposable
{
    private readonly HttpContext _context;
    private readonly IHttpResponseBodyFeature _client;
    private readonly MemoryStream _held = new();
    private PipeWriter? _writer;

    public HeldAnswer(HttpContext context)
    {
        _context = context;
        _client = context.Features.GetRequiredFeature<IHttpResponseBodyFeature>();
        context.Features.Set<IHttpResponseBodyFeature>(this);
    }

    public bool IsStream { get; private set; }

    public bool IsTooLarge => _held.Length > BodyLimit.Default;

    public Stream Stream => Streams() ? _client.Stream : _held;

    public PipeWriter Writer => Streams() ? _client.Writer : _writer ??= PipeWriter.Create(_held, new StreamPipeWriterOptions(leaveOpen: true));

    public void DisableBuffering()
    {
        if (Streams()) _client.DisableBuffering();
    }

    public Task StartAsync(CancellationToken cancellationToken = default) => Streams() ? _client.StartAsync(cancellationToken) : Task.CompletedTask;

    public Task SendFileAsync(string path, long offset, long? count, CancellationToken cancellationToken = default) =>
        Streams() ? _client.SendFileAsync(path, offset, count, cancellationToken) : SendFileFallback.SendFileAsync(_held, path, offset, count, cancellationToken);

    public async Task CompleteAsync()
    {
        if (IsStream) await _client.CompleteAsync();
        else if (_writer is not null) await _writer.FlushAsync();
    }

    public byte[] Bytes() => _held.ToArray();

    public void Restore() => _context.Features.Set(_client);

    /// <summary>Sends what was held back, after <see cref="Restore"/>.</summary>
    public async Task SendAsync()
    {
        if (IsStream || _context.Response.HasStarted || _held.Length == 0) return;
        _context.Response.ContentLength = _held.Length;
        _held.Position = 0;
        await _held.CopyToAsync(_client.Stream, _context.RequestAborted);
    }

    public void Dispose() => _held.Dispose();

    // Once bytes are held the answer is no stream any more.
    private bool Streams() =>
        IsStream = IsStream || _held.Length == 0 && _writer is null && _context.Response.ContentType?.StartsWith("text/event-stream", StringComparison.OrdinalIgnoreCase) == true;
}
