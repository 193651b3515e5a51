using System.Text.Json;
using Flapjack.Server.Platform.Http;

namespace Flapjack.Server.Platform.JsonRpc;

/// <summary>A message of JSON-RPC 2.0, for the API description.</summary>
public sealed record JsonRpcMessage
{
    /// <summary><c>2.0</c>.</summary>
    public Optional<string> Jsonrpc { get; init; }
    /// <summary>A text or number that the answer repeats; absent in notifications.</summary>
    public Optional<JsonElement?> Id { get; init; }
    /// <summary>What to do.</summary>
    public Optional<string> Method { get; init; }
    /// <summary>As the method has them.</summary>
    public Optional<JsonElement?> Params { get; init; }
}
