namespace Flapjack.Server.Platform.Identity;

/// <summary>Scopes of API keys.</summary>
internal static class Scopes
{
    public const string AgentsRead = "agents:read", AgentsWrite = "agents:write";
    public const string ThreadsRead = "threads:read", ThreadsWrite = "threads:write";
    public const string KnowledgeRead = "knowledge:read", KnowledgeWrite = "knowledge:write";
    public const string McpRead = "mcp:read", McpWrite = "mcp:write";
    public const string ToolsRead = "tools:read", ToolsWrite = "tools:write";
    public const string RunnersRead = "runners:read", RunnersWrite = "runners:write", RunnersRun = "runners:run";
    public const string ProjectsRead = "projects:read", ProjectsWrite = "projects:write";
    public const string AnalyticsRead = "analytics:read", LogsRead = "logs:read";
    public const string CodeRead = "code:read", CodeWrite = "code:write";
    public const string ProvidersWrite = "providers:write";
    public const string SandboxAdmin = "sandbox:admin";
    public const string All = "*";

    public static readonly IReadOnlySet<string> Known = new HashSet<string>(StringComparer.Ordinal)
    {
        AgentsRead, AgentsWrite, ThreadsRead, ThreadsWrite, KnowledgeRead, KnowledgeWrite, McpRead, McpWrite, ToolsRead, ToolsWrite,
        RunnersRead, RunnersWrite, RunnersRun, ProjectsRead, ProjectsWrite, AnalyticsRead, LogsRead, CodeRead, CodeWrite, ProvidersWrite, SandboxAdmin, All,
    };
}
