using System.Text;
using Flapjack.Server.Accounts;
using Flapjack.Server.Accounts.External;
using Flapjack.Server.Accounts.Organisations;
using Flapjack.Server.Agents;
using Flapjack.Server.Agents.Configs;
using Flapjack.Server.Agents.Marketplace;
using Flapjack.Server.Agents.Publishing;
using Flapjack.Server.Agents.Suggestions;
using Flapjack.Server.Channels;
using Flapjack.Server.Channels.Inbound;
using Flapjack.Server.Files;
using Flapjack.Server.Integrations;
using Flapjack.Server.Keys;
using Flapjack.Server.Knowledge;
using Flapjack.Server.Knowledge.Indexing;
using Flapjack.Server.Knowledge.Turns;
using Flapjack.Server.Logs;
using Flapjack.Server.Mcp;
using Flapjack.Server.Mcp.Authorization;
using Flapjack.Server.McpServer;
using Flapjack.Server.Memory;
using Flapjack.Server.Models;
using Flapjack.Server.Platform.Idempotency;
using Flapjack.Server.Platform.Identity;
using Flapjack.Server.Platform.Storage.Sqlite;
using Flapjack.Server.Plans;
using Flapjack.Server.ScheduledTasks;
using Flapjack.Server.Threads;
using Flapjack.Server.Threads.Compactions;
using Flapjack.Server.Threads.Turns;
using Flapjack.Server.Tools;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata;

namespace Flapjack.Server.Platform.Storage;

/// <summary>A row that belongs to one organisation. Queries see only rows of the organisation acted in unless they say <c>IgnoreQueryFilters</c>.</summary>
internal interface ITenantRow
{
    Guid OrgId { get; }
}

/// <summary>The database and the unit of work of a request.</summary>
internal sealed class FlapjackDb(DbContextOptions<FlapjackDb> options) : DbContext(options)
{
    private CallerContext? _tenant;
    private SqliteGate? _gate;

    public DbSet<Organisation> Organisations => Set<Organisation>();
    public DbSet<User> Users => Set<User>();
    public DbSet<Membership> Memberships => Set<Membership>();
    public DbSet<Session> Sessions => Set<Session>();
    public DbSet<LoginLink> LoginLinks => Set<LoginLink>();
    public DbSet<SigningKey> SigningKeys => Set<SigningKey>();
    public DbSet<Invite> Invites => Set<Invite>();
    public DbSet<ExternalIdentity> ExternalIdentities => Set<ExternalIdentity>();
    public DbSet<ApiKey> ApiKeys => Set<ApiKey>();
    public DbSet<Agent> Agents => Set<Agent>();
    public DbSet<AgentConfig> AgentConfigs => Set<AgentConfig>();
    public DbSet<WebhookTool> Tools => Set<WebhookTool>();
    public DbSet<AgentTool> AgentTools => Set<AgentTool>();
    public DbSet<Publication> Publications => Set<Publication>();
    public DbSet<MarketplaceProfile> MarketplaceProfiles => Set<MarketplaceProfile>();
    public DbSet<MarketplaceAvatar> MarketplaceAvatars => Set<MarketplaceAvatar>();
    public DbSet<Suggestion> Suggestions => Set<Suggestion>();
    public DbSet<Channel> Channels => Set<Channel>();
    public DbSet<ChannelContact> ChannelContacts => Set<ChannelContact>();
    public DbSet<ChannelEvent> ChannelEvents => Set<ChannelEvent>();
    public DbSet<McpSession> McpSessions => Set<McpSession>();
    public DbSet<AgentIntegration> AgentIntegrations => Set<AgentIntegration>();
    public DbSet<Integration> Integrations => Set<Integration>();
    public DbSet<ConversationThread> Threads => Set<ConversationThread>();
    public DbSet<Participant> Participants => Set<Participant>();
    public DbSet<Message> Messages => Set<Message>();
    public DbSet<Turn> Turns => Set<Turn>();
    public DbSet<Compaction> Compactions => Set<Compaction>();
    public DbSet<StoredFile> Files => Set<StoredFile>();
    public DbSet<FileChunk> FileChunks => Set<FileChunk>();
    public DbSet<FileUse> FileUses => Set<FileUse>();
    public DbSet<MemoryEntry> Memories => Set<MemoryEntry>();
    public DbSet<MemoryTerm> MemoryTerms => Set<MemoryTerm>();
    public DbSet<MemoryVector> MemoryVectors => Set<MemoryVector>();
    public DbSet<Plan> Plans => Set<Plan>();
    public DbSet<Todo> Todos => Set<Todo>();
    public DbSet<TodoDependency> TodoDependencies => Set<TodoDependency>();
    public DbSet<ScheduledTask> ScheduledTasks => Set<ScheduledTask>();
    public DbSet<Mcp.McpServer> McpServers => Set<Mcp.McpServer>();
    public DbSet<McpAttachment> McpAttachments => Set<McpAttachment>();
    public DbSet<McpAuthorization> McpAuthorizations => Set<McpAuthorization>();
    public DbSet<KnowledgeScope> KnowledgeScopes => Set<KnowledgeScope>();
    public DbSet<Document> Documents => Set<Document>();
    public DbSet<DocumentChunk> DocumentChunks => Set<DocumentChunk>();
    public DbSet<TurnSource> TurnSources => Set<TurnSource>();
    public DbSet<ProviderConfig> Providers => Set<ProviderConfig>();
    public DbSet<Trace> Traces => Set<Trace>();
    public DbSet<Span> Spans => Set<Span>();
    public DbSet<Evaluation> Evaluations => Set<Evaluation>();
    public DbSet<IdempotencyRecord> IdempotencyRecords => Set<IdempotencyRecord>();

    /// <summary>The organisation every query is limited to; none without a caller.</summary>
    public Guid OrgId => _tenant?.OrgId ?? Guid.Empty;

    /// <summary>All threads of the organisation, for features that threads themselves know.</summary>
    public IQueryable<Guid> ThreadIds => Threads.Select(t => t.Id);

    /// <summary>The threads a user started or takes part in. Asked by features that threads themselves know, so it stands here.</summary>
    public IQueryable<Guid> ThreadIdsOf(string userId) =>
        Threads.Where(t => t.UserId == userId || Participants.Any(p => p.ThreadId == t.Id && p.UserId == userId)).Select(t => t.Id);

    /// <summary>The agent of a thread, for the same features.</summary>
    public IQueryable<Guid> AgentIdOf(Guid threadId) => Threads.Where(t => t.Id == threadId).Select(t => t.AgentId);

    /// <summary>What ran in an agent's threads since then, for agents: threads know them.</summary>
    public IQueryable<Guid> TurnIdsOf(Guid agentId, DateTime since) =>
        // A thread that was not touched since then has no younger turn, and its turns need not be looked for.
        from thread in Threads
        where thread.AgentId == agentId && thread.UpdatedAt >= since
        join turn in Turns on thread.Id equals turn.ThreadId
        where turn.StartedAt >= since
        select turn.Id;

    /// <summary>Contexts are pooled, so what belongs to the request is handed in on each lease.</summary>
    public FlapjackDb For(CallerContext? tenant, SqliteGate? gate)
    {
        (_tenant, _gate) = (tenant, gate);
        return this;
    }

    public override async Task<int> SaveChangesAsync(bool acceptAllChangesOnSuccess, CancellationToken cancellationToken = default)
    {
        if (_gate is null || Database.CurrentTransaction is not null) return await base.SaveChangesAsync(acceptAllChangesOnSuccess, cancellationToken);
        await _gate.EnterAsync(cancellationToken);
        try
        {
            return await base.SaveChangesAsync(acceptAllChangesOnSuccess, cancellationToken);
        }
        finally
        {
            _gate.Leave();
        }
    }

    protected override void ConfigureConventions(ModelConfigurationBuilder configurationBuilder) =>
        configurationBuilder.Properties<DateTime>().HaveConversion<UtcConverter>();

    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        modelBuilder.ApplyConfigurationsFromAssembly(typeof(FlapjackDb).Assembly);
        foreach (var entity in modelBuilder.Model.GetEntityTypes())
        {
            foreach (var property in entity.GetProperties()) property.SetColumnName(SnakeCase(property.Name));
            NameKeysAndIndexes(entity);
            if (typeof(ITenantRow).IsAssignableFrom(entity.ClrType)) FilterMethod.MakeGenericMethod(entity.ClrType).Invoke(this, [modelBuilder]);
        }
    }

    private static readonly System.Reflection.MethodInfo FilterMethod =
        typeof(FlapjackDb).GetMethod(nameof(Filter), System.Reflection.BindingFlags.Instance | System.Reflection.BindingFlags.NonPublic)!;

    private void Filter<T>(ModelBuilder model) where T : class, ITenantRow => model.Entity<T>().HasQueryFilter(row => row.OrgId == OrgId);

    private static void NameKeysAndIndexes(IMutableEntityType entity)
    {
        var table = entity.GetTableName();
        foreach (var key in entity.GetKeys()) key.SetName($"pk_{table}");
        foreach (var index in entity.GetIndexes()) index.SetDatabaseName($"ix_{table}_{string.Join('_', index.Properties.Select(p => SnakeCase(p.Name)))}");
    }

    private static string SnakeCase(string name)
    {
        var text = new StringBuilder(name.Length + 4);
        for (var i = 0; i < name.Length; i++)
        {
            if (char.IsUpper(name[i]) && i > 0) text.Append('_');
            text.Append(char.ToLowerInvariant(name[i]));
        }
        return text.ToString();
    }

    /// <summary>SQLite forgets that times are UTC; PostgreSQL insists on it.</summary>
    private sealed class UtcConverter() : Microsoft.EntityFrameworkCore.Storage.ValueConversion.ValueConverter<DateTime, DateTime>(
        value => value, value => DateTime.SpecifyKind(value, DateTimeKind.Utc));
}
