using System.Net;
using System.Text;
using Flapjack.Providers.Anthropic;
using Flapjack.Providers.OpenAI;
using Flapjack.Providers.Wire;
using Flapjack.Runtime.Models;
using Flapjack.Testing;
using FsCheck;
using FsCheck.Fluent;
using Microsoft.Extensions.AI;
using ProtocolWire = Flapjack.Testing.Wire;

namespace Flapjack.Providers.Tests;

/// <summary>Where the network cuts a stream into pieces changes nothing about what is read.</summary>
public sealed class ChunkingTests
{
    private static readonly ModelEndpoint Endpoint = new() { Provider = "test", Kind = ProviderKinds.OpenAI, ModelId = "m" };

    public static TheoryData<Protocol> EachProtocol => ProviderTest.EachProtocol;

    [Theory, MemberData(nameof(EachProtocol))]
    public void Any_cut_gives_the_same_updates(Protocol protocol) =>
        Prop.ForAll<NonNull<string>[], PositiveInt[], bool>((texts, cuts, windows) =>
        {
            var deltas = texts.Select(text => Valid(text.Get)).ToArray();
            var script = Script.ToolCalls(new ScriptedCall("c1", "f", """{"a":"é🥞"}"""), new ScriptedCall("c2", "g", "{}")).After(deltas).WithUnknownEvents();
            var stream = Encode(protocol, script, windows);
            var whole = Read(protocol, stream, [stream.Length]);
            Read(protocol, stream, cuts.Length == 0 ? [1] : [.. cuts.Select(cut => cut.Get)]).ShouldBe(whole);
            string.Concat(whole.Where(line => line.StartsWith("text ", StringComparison.Ordinal)).Select(line => line[5..])).ShouldBe(string.Concat(deltas));
        }).QuickCheckThrowOnFailure();

    [Theory, MemberData(nameof(EachProtocol))]
    public void A_stream_cut_anywhere_before_its_marker_is_never_taken_for_whole(Protocol protocol)
    {
        var script = Script.ToolCalls(new ScriptedCall("c1", "f", """{"a":1}""")).After("Hello", " world");
        var untilMarker = Encoding.UTF8.GetByteCount(string.Concat(Wire(protocol).Frames(script).TakeWhile(frame => frame.Kind != FrameKind.Marker).Select(frame => frame.Text)));
        var stream = Encode(protocol, script, windowsLines: false);
        for (var length = 0; length <= untilMarker; length++)
        {
            Read(protocol, stream[..length], [length + 1])[^1].ShouldStartWith("fault MODEL_UNAVAILABLE");
        }
    }

    [Theory, MemberData(nameof(EachProtocol))]
    public void Any_bytes_end_in_an_answer_or_a_model_exception(Protocol protocol) =>
        Prop.ForAll<byte[], PositiveInt>((noise, at) =>
        {
            var stream = Encode(protocol, Script.Text("Hello", " world"), windowsLines: false);
            var place = at.Get % stream.Length;
            Read(protocol, [.. stream[..place], .. noise, .. stream[place..]], [7]).ShouldNotBeEmpty();
        }).QuickCheckThrowOnFailure();

    private static ProtocolWire Wire(Protocol protocol) => protocol switch
    {
        Protocol.Responses => ProtocolWire.Responses,
        Protocol.ChatCompletions => ProtocolWire.ChatCompletions,
        _ => ProtocolWire.Messages,
    };

    private static byte[] Encode(Protocol protocol, Script script, bool windowsLines)
    {
        var text = string.Concat(Wire(protocol).Frames(script).Select(frame => frame.Text));
        return Encoding.UTF8.GetBytes(windowsLines ? text.Replace("\n", "\r\n", StringComparison.Ordinal) : text);
    }

    // A lone surrogate cannot be written as UTF-8, so no provider can send one.
    private static string Valid(string text) => Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(text));

    private static List<string> Read(Protocol protocol, byte[] stream, int[] cuts)
    {
        AnswerReader reader = protocol switch
        {
            Protocol.Responses => new ResponsesReader(Endpoint),
            Protocol.ChatCompletions => new ChatCompletionsReader(Endpoint),
            _ => new MessagesReader(Endpoint),
        };
        var seen = new List<string>();
        using var watch = new IdleWatch(TimeProvider.System, TimeSpan.FromMinutes(1), CancellationToken.None);
        var call = new ModelCall(new HttpResponseMessage(HttpStatusCode.OK), new GuardedStream(new CutStream(stream, cuts), watch, new()), reader, watch, CancellationToken.None);
        try
        {
            while (call.NextAsync().AsTask().GetAwaiter().GetResult() is { } update)
            {
                seen.AddRange(update.Contents.Select(content => content switch
                {
                    TextContent text => "text " + text.Text,
                    FunctionCallContent made => $"call {made.CallId} {made.Name} {ToolCallArguments.TextOf(made)}",
                    UsageContent usage => $"usage {usage.Details.InputTokenCount} {usage.Details.OutputTokenCount}",
                    _ => content.GetType().Name,
                }));
                seen.Add($"finish {update.FinishReason}");
            }
        }
        catch (ModelException fault)
        {
            seen.Add($"fault {fault.Code}");
        }
        call.DisposeAsync().AsTask().GetAwaiter().GetResult();
        return seen;
    }

    /// <summary>Gives its bytes in pieces of the given sizes, over and over.</summary>
    private sealed class CutStream(byte[] bytes, int[] cuts) : MemoryStream(bytes)
    {
        private int next;

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            new(Read(buffer.Span[..Math.Min(buffer.Length, cuts[next++ % cuts.Length])]));
    }
}
