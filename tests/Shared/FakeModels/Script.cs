namespace Flapjack.Testing;

/// <summary>A tool call a scripted model makes. The arguments are streamed in <paramref name="Parts"/> pieces.</summary>
public sealed record ScriptedCall(string Id, string Name, string Arguments, int Parts = 3);

/// <summary>Token counts a scripted model reports. <paramref name="Input"/> counts every prompt token.</summary>
public sealed record ScriptedUsage(long Input, long Output, long CacheRead = 0, long CacheWrite = 0);

/// <summary>How a scripted answer ends.</summary>
public enum ScriptedEnd { Natural, Length, Filtered, Paused }

/// <summary>What a scripted answer does wrong.</summary>
public enum ScriptedFault { None, Cut, Abort, Silence, Malformed, NoEventStream, ErrorEvent, OpenAfterMarker }

/// <summary>One answer of a fake model, whatever protocol it is asked in.</summary>
public sealed record Script
{
    public IReadOnlyList<string> Deltas { get; private init; } = [];
    public IReadOnlyList<ScriptedCall> Calls { get; private init; } = [];
    public (string Text, string Signature)? Thinking { get; private init; }
    public (string? Text, string? Data, ScriptedUsage Used)? Compaction { get; private init; }
    public ScriptedUsage? Usage { get; private init; } = new(10, 5);
    public ScriptedEnd End { get; private init; }
    public ScriptedFault Fault { get; private init; }
    public int FaultAfter { get; private init; }
    public (string Type, string Message) Error { get; private init; }
    public bool HasUnknownEvents { get; private init; }
    public Func<Task>? BeforePiece { get; private init; }
    public int StatusCode { get; private init; } = 200;
    public string Body { get; private init; } = "{}";
    public (string Name, string Value)? Header { get; private init; }

    public static Script Text(params string[] deltas) => new() { Deltas = deltas };

    public static Script ToolCalls(params ScriptedCall[] calls) => new() { Calls = calls };

    /// <summary>Answers with a status and no stream.</summary>
    public static Script Status(int status, string body = "{}") => new() { StatusCode = status, Body = body };

    /// <summary>Headers of a stream, then nothing until the client leaves.</summary>
    public static Script Silence() => Text("never").SilentAfter(0);

    /// <summary>Text before the calls.</summary>
    public Script After(params string[] deltas) => this with { Deltas = deltas };

    public Script WithThinking(string text, string signature) => this with { Thinking = (text, signature) };

    /// <summary>The provider summarises the conversation before it answers; what that used is counted apart. Messages protocol only.</summary>
    public Script Compacting(string? summary, string? data, ScriptedUsage used) => this with { Compaction = (summary, data, used) };

    /// <summary>The model stops behind the summary.</summary>
    public Script Paused() => this with { End = ScriptedEnd.Paused };

    public Script WithUsage(ScriptedUsage? usage) => this with { Usage = usage };

    public Script WithHeader(string name, string value) => this with { Header = (name, value) };

    /// <summary>The model hits its output limit.</summary>
    public Script EndedByLength() => this with { End = ScriptedEnd.Length };

    /// <summary>The vendor's filter ends the answer.</summary>
    public Script Filtered() => this with { End = ScriptedEnd.Filtered };

    /// <summary>The body ends properly after this many pieces of content, before the end marker.</summary>
    public Script CutAfter(int pieces) => this with { Fault = ScriptedFault.Cut, FaultAfter = pieces };

    /// <summary>The connection breaks after this many pieces of content.</summary>
    public Script AbortAfter(int pieces) => this with { Fault = ScriptedFault.Abort, FaultAfter = pieces };

    /// <summary>Nothing comes after this many pieces of content, but the connection stays.</summary>
    public Script SilentAfter(int pieces) => this with { Fault = ScriptedFault.Silence, FaultAfter = pieces };

    /// <summary>Broken JSON in an event after this many pieces of content.</summary>
    public Script MalformedAfter(int pieces) => this with { Fault = ScriptedFault.Malformed, FaultAfter = pieces };

    /// <summary>A success that is a web page instead of a stream.</summary>
    public static Script NoEventStream() => Text() with { Fault = ScriptedFault.NoEventStream };

    /// <summary>The protocol's error event after this many pieces of content.</summary>
    public Script ErrorAfter(int pieces, string type, string message) => this with { Fault = ScriptedFault.ErrorEvent, FaultAfter = pieces, Error = (type, message) };

    /// <summary>Sends the end marker and nothing after it, and never closes.</summary>
    public Script LeaveOpenAfterMarker() => this with { Fault = ScriptedFault.OpenAfterMarker };

    /// <summary>Sends each piece of content only when the task asked for it completes.</summary>
    public Script Paced(Func<Task> beforePiece) => this with { BeforePiece = beforePiece };

    /// <summary>Comments, pings and events no client knows, between the others.</summary>
    public Script WithUnknownEvents() => this with { HasUnknownEvents = true };
}
