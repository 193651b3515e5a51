using Flapjack.Server.Accounts;
using Flapjack.Server.Accounts.Credentials;
using Flapjack.Server.Logs;
using Flapjack.Server.Platform;
using Flapjack.Server.Platform.Identity;
using Flapjack.Server.Platform.Storage;
using Flapjack.Server.Tests.Models;
using Flapjack.Server.Threads;
using Microsoft.Extensions.DependencyInjection;

namespace Flapjack.Server.Tests.Logs;

/// <summary>Traces as turns and runners would leave them.</summary>
internal static class TraceRows
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public static async Task<Guid> AddTraceAsync(this ServerFixture server, DateTime startedAt, string name = "chat-turn", string status = "ok", Guid? threadId = null, Guid? agentId = null, Guid? runnerId = null,
        Guid? runId = null, string? userId = null, double cost = 0, string tags = "[]", Guid? orgId = null, Guid? id = null)
    {
        var trace = new Trace
        {
            Id = id ?? Ids.New(), OrgId = orgId ?? await server.OrgIdAsync(), AgentId = agentId, RunnerId = runnerId, ThreadId = threadId, RunId = runId, SessionId = "sess_1", UserId = userId, Name = name,
            Status = status, StartedAt = startedAt, EndedAt = status == "running" ? null : startedAt.AddSeconds(3), InputTokens = 1250, OutputTokens = 480, CostUsd = cost, Tags = tags, SpanCount = 2, LlmCallCount = 1,
        };
        await server.AddAsync(trace.OrgId, trace);
        return trace.Id;
    }

    public static async Task<(Guid Root, Guid Model)> AddSpansAsync(this ServerFixture server, Guid traceId, DateTime startedAt)
    {
        var orgId = await server.OrgIdAsync();
        var model = new Span
        {
            Id = Ids.New(), OrgId = orgId, TraceId = traceId, ParentSpanId = Ids.New(), Kind = "llm", Name = "gpt-5.4", Status = "ok", StartedAt = startedAt, EndedAt = startedAt.AddSeconds(2), Input = "[]", Output = "{}",
            Provider = "openai", Model = "gpt-5.4", InputTokens = 1250, OutputTokens = 480, CachedInputTokens = 0, CostUsd = 0.02340000001, CredentialSource = "platform",
        };
        var root = new Span
        {
            Id = model.ParentSpanId.Value, OrgId = orgId, TraceId = traceId, Kind = "agent", Name = "Ada", Status = "ok", StartedAt = startedAt, EndedAt = startedAt.AddSeconds(3), Input = """{"content":"Hello"}""",
        };
        var tool = new Span
        {
            Id = Ids.New(), OrgId = orgId, TraceId = traceId, ParentSpanId = root.Id, Kind = "tool", Name = "get", Status = "error", StartedAt = startedAt.AddSeconds(1), EndedAt = startedAt.AddSeconds(2), Error = "TOOL_TIMEOUT",
        };
        await server.AddAsync(orgId, tool, model, root);
        return (root.Id, model.Id);
    }

    /// <summary>A client of a user with this role, and the user's id.</summary>
    public static async Task<(HttpClient Client, Guid UserId)> UserAsync(this ServerFixture server, Role role)
    {
        var orgId = await server.OrgIdAsync();
        var now = server.Time.Now();
        var user = new User { Id = Ids.New(), Email = $"{Guid.NewGuid():N}@example.com", DefaultOrgId = orgId, CreatedAt = now, PasswordHash = server.Services.GetRequiredService<Passwords>().Hash(ServerFixture.OwnerPassword) };
        await server.AddAsync(orgId, user, new Membership { OrgId = orgId, UserId = user.Id, Role = role, CreatedAt = now });
        var login = await server.Anonymous.PostAsync("/api/auth/login", JsonText.Content($$"""{"email":"{{user.Email}}","password":"{{ServerFixture.OwnerPassword}}"}"""), Token).ShouldBe(200);
        return (server.ClientFor(login.GetProperty("access_token").GetString()!), user.Id);
    }

    public static async Task<Guid> AddThreadAsync(this ServerFixture server, string? userId, string? participant = null)
    {
        var orgId = await server.OrgIdAsync();
        var agentId = await server.CreateAgentAsync();
        var thread = new ConversationThread { Id = Ids.New(), OrgId = orgId, AgentId = agentId, Kind = "multiplayer", UserId = userId, CreatedAt = server.Time.Now(), UpdatedAt = server.Time.Now() };
        await server.AddAsync(orgId, thread);
        if (participant is not null) await server.AddAsync(orgId, new Participant { OrgId = orgId, ThreadId = thread.Id, UserId = participant, Role = "member", CreatedAt = server.Time.Now() });
        return thread.Id;
    }

    private static async Task AddAsync(this ServerFixture server, Guid orgId, params object[] rows)
    {
        await using var db = server.Services.GetRequiredService<Databases>().Open(orgId);
        db.AddRange(rows);
        await db.SaveChangesAsync(Token);
    }
}
