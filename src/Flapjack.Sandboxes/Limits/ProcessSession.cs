using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;

namespace Flapjack.Sandboxes.Limits;

/// <summary>A process without a namespace and what came of it: all that stayed in the session it was made the leader of, children of dead parents included.</summary>
internal static class ProcessSession
{
    /// <summary>Kills every process of a session. What begins meanwhile is met in the next round.</summary>
    public static void Kill(int leader)
    {
        for (var round = 0; round < 10; round++)
        {
            var found = Directory.Exists("/proc") ? Members(leader) : [];
            foreach (var id in found) KillOne(id);
            if (found.Count == 0) return;
        }
    }

    public static void KillOne(int id)
    {
        try
        {
            using var process = Process.GetProcessById(id);
            process.Kill();
        }
        catch (Exception exception) when (exception is ArgumentException or InvalidOperationException or Win32Exception)
        {
            // It ended in between.
        }
    }

    private static List<int> Members(int leader)
    {
        var members = new List<int>();
        foreach (var folder in Directory.EnumerateDirectories("/proc"))
        {
            if (!int.TryParse(Path.GetFileName(folder.AsSpan()), NumberStyles.None, CultureInfo.InvariantCulture, out var id)) continue;
            try
            {
                var stat = File.ReadAllText(Path.Combine(folder, "stat"));
                // Behind the name, which may contain anything: state, parent, group, session. Dead ones that wait for their parent do not count.
                var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
                if (fields[3] == leader.ToString(CultureInfo.InvariantCulture) && fields[0] is not ("Z" or "X")) members.Add(id);
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
            {
                // It ended in between.
            }
        }
        return members;
    }
}
