namespace Flapjack.Server.Tools;

/// <summary>Names of the tools the server brings. No tool of an organisation may take one of them: it would never be called.</summary>
internal static class BuiltInTools
{
    private static readonly HashSet<string> Names = new(StringComparer.Ordinal)
    {
        "plan_create", "plan_update", "todo_add", "todo_update",
        "computer_run", "computer_write_file", "computer_read_file",
        "web_search", "web_research", "web_read", "web_crawl",
        "knowledge_search",
        "memory_store", "memory_recall", "memory_forget",
        "schedule_task", "list_scheduled_tasks", "update_scheduled_task", "cancel_scheduled_task",
        "propose_profile_switch", "channel_send",
    };

    public static bool Contains(string name) => Names.Contains(name);
}
