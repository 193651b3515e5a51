using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Text;
using System.Threading.Channels;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Flapjack.Server.Tests.Logs;

/// <summary>A span as a collector received it.</summary>
internal sealed record CollectedSpan(string TraceId, string SpanId, string ParentId, string Name, int Kind, DateTime Start, DateTime End, IReadOnlyDictionary<string, string> Attributes, int Status);

/// <summary>An OTLP/HTTP receiver that reads just as much protobuf as the tests ask about.</summary>
internal sealed class FakeCollector : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly Channel<CollectedSpan> _spans = Channel.CreateUnbounded<CollectedSpan>();

    private FakeCollector(WebApplication app) => _app = app;

    public string Address => _app.Urls.First();

    public ConcurrentQueue<string> Headers { get; } = new();

    public static async Task<FakeCollector> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Logging.ClearProviders();
        var collector = new FakeCollector(builder.Build());
        collector._app.Run(collector.ReceiveAsync);
        await collector._app.StartAsync();
        return collector;
    }

    public async Task<List<CollectedSpan>> ReadAsync(int count)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        var spans = new List<CollectedSpan>();
        while (spans.Count < count) spans.Add(await _spans.Reader.ReadAsync(patience.Token));
        return spans;
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    private async Task ReceiveAsync(HttpContext http)
    {
        using var body = new MemoryStream();
        await http.Request.Body.CopyToAsync(body);
        Headers.Enqueue($"{http.Request.Path} {http.Request.ContentType} {http.Request.Headers["x-token"]}");
        foreach (var resource in Fields(body.ToArray(), 1))
        foreach (var scope in Fields(resource, 2))
        foreach (var span in Fields(scope, 2))
            _spans.Writer.TryWrite(Span(span));
    }

    private static CollectedSpan Span(byte[] bytes)
    {
        var attributes = Fields(bytes, 9).ToDictionary(a => Text(Fields(a, 1).Single()), a => Value(Fields(a, 2).Single()));
        return new(Hex(bytes, 1), Hex(bytes, 2), Hex(bytes, 4), Text(Fields(bytes, 5).Single()), (int)Number(bytes, 6), Time(bytes, 7), Time(bytes, 8), attributes,
            Fields(bytes, 15).Select(s => (int)Number(s, 3)).FirstOrDefault());
    }

    private static string Value(byte[] any) => Read(any).Select(f => f.Field switch
    {
        1 => Text(f.Bytes),
        4 => BinaryPrimitives.ReadDoubleLittleEndian(f.Bytes).ToString(System.Globalization.CultureInfo.InvariantCulture),
        _ => f.Number.ToString(System.Globalization.CultureInfo.InvariantCulture),
    }).Single();

    private static string Hex(byte[] bytes, int field) => Convert.ToHexStringLower(Fields(bytes, field).FirstOrDefault() ?? []);

    private static ulong Number(byte[] bytes, int field) => Read(bytes).FirstOrDefault(f => f.Field == field).Number;

    private static DateTime Time(byte[] bytes, int field) => DateTime.UnixEpoch.AddTicks((long)(BinaryPrimitives.ReadUInt64LittleEndian(Fields(bytes, field).Single()) / 100));

    private static string Text(byte[] bytes) => Encoding.UTF8.GetString(bytes);

    private static IEnumerable<byte[]> Fields(byte[] message, int field) => Read(message).Where(f => f.Field == field).Select(f => f.Bytes);

    private static IEnumerable<(int Field, ulong Number, byte[] Bytes)> Read(byte[] message)
    {
        for (var at = 0; at < message.Length;)
        {
            var key = Varint(message, ref at);
            switch (key & 7)
            {
                case 0:
                    yield return ((int)(key >> 3), Varint(message, ref at), []);
                    break;
                case 1 or 5:
                    var size = (key & 7) == 1 ? 8 : 4;
                    yield return ((int)(key >> 3), 0, message[at..(at + size)]);
                    at += size;
                    break;
                default:
                    var length = (int)Varint(message, ref at);
                    yield return ((int)(key >> 3), 0, message[at..(at + length)]);
                    at += length;
                    break;
            }
        }
    }

    private static ulong Varint(byte[] bytes, ref int at)
    {
        ulong value = 0;
        for (var shift = 0; ; shift += 7)
        {
            value |= (ulong)(bytes[at] & 0x7f) << shift;
            if ((bytes[at++] & 0x80) == 0) return value;
        }
    }
}
