using Flapjack.Runtime.Prompts;
using Flapjack.Server.Platform;

namespace Flapjack.Server.Agents;

/// <summary>The agent a new server starts with. It needs no model key: the offline model quotes its documents, a real model reads them.</summary>
internal static class DemoAgent
{
    private const string Instruction =
        """
        You are the Flapjack Guide. You help people who have just started their own Flapjack server.
        Answer from the reference material below, briefly and in plain words, and say so when it does not hold the answer.


        """;

    private static readonly (string Title, string Text)[] Documents =
    [
        ("What Flapjack is",
            """
            Flapjack is an open-source server for AI agents that you host yourself.
            You create agents with a prompt and a model, and talk to them in threads over an HTTP API.
            Agents call tools during a turn, and every model call and tool call is recorded as a trace.
            """),
        ("Stream a message",
            """
            To stream a message, create a thread with POST /api/threads and the agentId, then POST the content to /api/threads/{threadId}/messages.
            The answer streams as server-sent events: meta first, then one token event for each piece of text, and done at the end.
            Send "stream": false with the message to get one JSON answer instead.
            """),
        ("Add a model key",
            """
            To add a model key for the whole server, set OPENAI_API_KEY or ANTHROPIC_API_KEY before it starts.
            To add a key for one organisation, send it with PUT /api/providers/openai or PUT /api/providers/anthropic.
            Then set the agent's defaultModel with PATCH /api/agents/{agentId} to a model that GET /api/models lists.
            """),
        ("Where data lives",
            """
            All data lives in the data directory, ./data unless DataDirectory says otherwise.
            The database is the SQLite file flapjack.db in it; set ConnectionStrings:Flapjack to store the data in PostgreSQL instead.
            The file secrets.json beside it holds the master key, so a backup needs both.
            """),
        ("Resume a stream",
            """
            To resume a stream after a lost connection, call GET /api/threads/{threadId}/stream with the header Last-Event-ID set to the last id you received.
            The server replays what you missed and goes on live; without the header the replay starts at meta.
            Send "onDisconnect": "continue" with a message to let its turn run on while nobody listens.
            """),
    ];

    public static Agent Create(Guid orgId, DateTime now) => new()
    {
        Id = Ids.New(),
        OrgId = orgId,
        Name = "Flapjack Guide",
        Description = "Answers questions about this server, with or without a model key.",
        StablePreamble = Instruction + ReferenceBlock.Format(Documents),
        DefaultModel = "flapjack-offline",
        CreatedAt = now,
        UpdatedAt = now,
    };
}
