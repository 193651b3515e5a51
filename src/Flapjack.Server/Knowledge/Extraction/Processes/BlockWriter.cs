using System.Text.Json;

namespace Flapjack.Server.Knowledge.Extraction.Processes;

/// <summary>Writes blocks as lines of JSON: <c>{"kind":1,"text":"…","level":2,"page":3}</c>, at last <c>{"end":…}</c> or <c>{"error":"CODE"}</c>. <see cref="BlockReader"/> reads them.</summary>
internal sealed class BlockWriter : IDisposable
{
    private readonly Stream _output;
    private readonly Utf8JsonWriter _json;
    private int _lines;

    public BlockWriter(Stream output)
    {
        _output = new BufferedStream(output, 64 * 1024);
        _json = new(_output);
    }

    public void Write(DocumentBlock block) => Line(json =>
    {
        json.WriteNumber("kind", (int)block.Kind);
        json.WriteString("text", block.Text);
        if (block.Level > 0) json.WriteNumber("level", block.Level);
        if (block.Page is { } page) json.WriteNumber("page", page);
    });

    public void End(string? title, string? @base = null, IEnumerable<string>? links = null) => Line(json =>
    {
        json.WriteNumber("end", _lines);
        json.WriteString("title", title);
        json.WriteString("base", @base);
        json.WriteStartArray("links");
        foreach (var link in links ?? []) json.WriteStringValue(link);
        json.WriteEndArray();
    });

    public void Fail(string code) => Line(json => json.WriteString("error", code));

    public void Dispose()
    {
        _json.Dispose();
        _output.Dispose();
    }

    private void Line(Action<Utf8JsonWriter> write)
    {
        _json.WriteStartObject();
        write(_json);
        _json.WriteEndObject();
        _json.Flush();
        _json.Reset();
        _output.WriteByte((byte)'\n');
        _lines++;
    }
}
