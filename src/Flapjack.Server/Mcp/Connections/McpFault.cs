using System.Net;
using System.Text.Json;
using Flapjack.Runtime.Tools;
using Flapjack.Server.Platform.Egress;
using ModelContextProtocol;
using ModelContextProtocol.Client;

namespace Flapjack.Server.Mcp.Connections;

/// <summary>Why a server could not be used. The detail is fit for users and may hold words of the server.</summary>
/// <param name="Code">As a test answers it.</param>
/// <param name="Detail">For people and models.</param>
internal sealed record McpFault(string Code, string Detail)
{
    public const string Connect = "CONNECT_FAILED", Timeout = "TIMEOUT", Auth = "AUTH_REQUIRED", Protocol = "PROTOCOL_ERROR", Blocked = "BLOCKED_ADDRESS";
    private const int MaxWords = 300, MaxLastWords = 1_000;

    /// <summary>The server sent more than is taken.</summary>
    public bool TooLarge { get; init; }

    /// <summary>The server told it, in its protocol; the session goes on.</summary>
    public bool IsAnswer { get; init; }

    /// <summary>The tokens are good, but this call needs these scopes too.</summary>
    public string? MissingScope { get; init; }

    /// <summary>The code a tool call fails with.</summary>
    public string ToolError => this switch
    {
        { TooLarge: true } => ToolErrors.ResponseTooLarge,
        { Code: Timeout } => ToolErrors.Timeout,
        { Code: Auth } => ToolErrors.AuthRequired,
        { Code: Blocked } => ToolErrors.BlockedAddress,
        { Code: Connect } => ToolErrors.Unreachable,
        _ => ToolErrors.Failed,
    };

    /// <summary>What went wrong, from what the client library threw.</summary>
    public static McpFault Of(Exception exception) => exception switch
    {
        McpServerException own => own.Fault,
        _ when Inner<McpServerException>(exception) is { } own => own.Fault,
        _ when Inner<EgressRefusedException>(exception) is { } refused => new(Blocked, refused.Message),
        OperationCanceledException or TimeoutException => new(Timeout, "the server did not answer in time"),
        McpProtocolException protocol => new(Protocol, $"the server answered with an error: {Words(protocol.Message)}") { IsAnswer = true },
        _ when Inner<HttpRequestException>(exception) is { StatusCode: { } status } => OfStatus(status),
        ClientTransportClosedException => new(Connect, "the connection was closed"),
        _ when Inner<HttpRequestException>(exception) is not null || Inner<System.Net.Sockets.SocketException>(exception) is not null => new(Connect, "the address cannot be reached"),
        IOException => new(Connect, "the connection broke"),
        // A key that comes twice is an ArgumentException of whoever reads it.
        JsonException or McpException or FormatException or ArgumentException => new(Protocol, "what the server answered is not MCP"),
        _ => new(Connect, "connecting failed"),
    };

    public static McpFault OfStatus(HttpStatusCode status) => status is HttpStatusCode.Unauthorized
        ? new(Auth, "the server asks for authorisation")
        : new(Protocol, $"the server answered with status {(int)status}");

    /// <summary>Words of a server, cut to a length that logs and rows can take.</summary>
    public static string Words(string text)
    {
        var plain = text.Replace('\0', ' ');
        return plain.Length <= MaxWords ? plain : plain[..MaxWords] + "…";
    }

    /// <summary>The end of what a program wrote before it ended: some tell the reason first, some last, and both fit in most traces.</summary>
    public static string LastWords(string text)
    {
        var plain = text.Replace('\0', ' ');
        return plain.Length <= MaxLastWords ? plain : "…" + plain[^MaxLastWords..];
    }

    private static T? Inner<T>(Exception? exception) where T : Exception
    {
        for (; exception is not null; exception = exception.InnerException) if (exception is T found) return found;
        return null;
    }
}

/// <summary>A server could not be used.</summary>
internal sealed class McpServerException(McpFault fault, Exception? inner = null) : IOException(fault.Detail, inner)
{
    public McpFault Fault { get; } = fault;

    /// <summary>The server no longer knows the session and did nothing: the call may be made again in a new one.</summary>
    public bool SessionIsGone { get; init; }
}
