namespace Flapjack.Client;

/// <summary>How a client calls its server. The address is the <see cref="HttpClient.BaseAddress"/>.</summary>
public sealed record FlapjackClientOptions
{
    /// <summary>An API key or access token.</summary>
    public string? ApiKey { get; init; }

    /// <summary>Gives a current access token for each request; wins over <see cref="ApiKey"/>.</summary>
    public Func<CancellationToken, ValueTask<string>>? GetToken { get; init; }

    /// <summary>The organisation to act in, for users of several.</summary>
    public Guid? OrgId { get; init; }

    /// <summary>How often in a row something may fail before the client gives up. Ten, the default, is about a minute.</summary>
    public int MaxRetries { get; init; } = 10;

    /// <summary>First pause before a retry; it doubles each time, up to eight seconds.</summary>
    public TimeSpan RetryDelay { get; init; } = TimeSpan.FromMilliseconds(250);

    /// <summary>A stream that is silent for so long counts as broken. The server sends a comment every 15 seconds.</summary>
    public TimeSpan IdleTimeout { get; init; } = TimeSpan.FromSeconds(45);

    /// <summary>The clock.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;
}

/// <summary>What reading a turn needs beside the message.</summary>
public sealed record TurnOptions
{
    /// <summary>
    /// Runs a client-side tool and gives the result for the model, a text or any JSON; what it throws is told to the model as a failure.
    /// Without it the events end with <see cref="RequiresActionEvent"/>, and the results go into a message of their own.
    /// </summary>
    public Func<ToolCall, CancellationToken, Task<System.Text.Json.Nodes.JsonNode?>>? OnToolCall { get; init; }
}
