using System.Globalization;

namespace Flapjack.Sandboxes.Limits;

/// <summary>Control groups, where this process may make them: limits of memory and processes that hold for a whole tree. Mostly that is as root, or in a unit that was delegated its group and runs in a part of it.</summary>
internal sealed class ControlGroups
{
    private const string Mount = "/sys/fs/cgroup";
    private static int _last;
    private readonly (string Folder, bool Memory, bool Processes)[] _parents;

    private ControlGroups(params (string, bool, bool)[] parents) => _parents = parents;

    /// <summary>Null where there are none to be had.</summary>
    public static ControlGroups? Find()
    {
        try
        {
            var own = File.ReadAllLines("/proc/self/cgroup").Select(line => line.Split(':', 3)).Where(parts => parts.Length == 3).ToList();
            var groups = File.Exists(Path.Combine(Mount, "cgroup.controllers")) ? Unified(own) : Separate(own);
            groups?.Sweep();
            return groups?.Create(new()) is { } trial && trial.Remove() ? groups : null;
        }
        catch (Exception exception) when (IsRefusal(exception))
        {
            return null;
        }
    }

    /// <summary>A new group under these limits; null when the system does not make one.</summary>
    public ControlGroup? Create(ProcessLimits limits)
    {
        var name = string.Create(CultureInfo.InvariantCulture, $"flapjack-{Environment.ProcessId}-{Interlocked.Increment(ref _last)}");
        var group = new ControlGroup([.. _parents.Select(parent => Path.Combine(parent.Folder, name))]);
        try
        {
            foreach (var (parent, memory, processes) in _parents)
            {
                var folder = Directory.CreateDirectory(Path.Combine(parent, name)).FullName;
                if (processes) Write(folder, "pids.max", limits.Processes);
                if (memory) Write(folder, File.Exists(Path.Combine(folder, "memory.max")) ? "memory.max" : "memory.limit_in_bytes", limits.MemoryBytes + limits.TemporaryBytes);
            }
            return group;
        }
        catch (Exception exception) when (IsRefusal(exception))
        {
            group.Remove();
            return null;
        }
    }

    public static bool IsRefusal(Exception exception) => exception is IOException or UnauthorizedAccessException;

    // One hierarchy: groups lie beside the server's own, whose parent must hand out the controllers.
    private static ControlGroups? Unified(List<string[]> own)
    {
        var path = own.Find(parts => parts[0] == "0")?[2] ?? "/";
        var parent = Path.GetDirectoryName(path) is { Length: > 1 } above ? Mount + above : Mount;
        var given = File.ReadAllText(Path.Combine(parent, "cgroup.subtree_control")).Split(' ', '\n');
        if (!given.Contains("memory") || !given.Contains("pids")) File.WriteAllText(Path.Combine(parent, "cgroup.subtree_control"), "+memory +pids");
        return new((parent, true, true));
    }

    private static ControlGroups? Separate(List<string[]> own)
    {
        var (memory, processes) = (Own("memory"), Own("pids"));
        return memory is null || processes is null ? null : new((memory, true, false), (processes, false, true));

        string? Own(string controller) => own.Find(parts => parts[1].Split(',').Contains(controller)) is [_, _, var path] && Directory.Exists($"{Mount}/{controller}{path}") ? $"{Mount}/{controller}{path}" : null;
    }

    // What servers that were killed have left.
    private void Sweep()
    {
        foreach (var folder in _parents.SelectMany(parent => Directory.EnumerateDirectories(parent.Folder, "flapjack-*")))
        {
            if (!Directory.Exists($"/proc/{Path.GetFileName(folder).Split('-')[1]}")) new ControlGroup([folder]).Remove();
        }
    }

    private static void Write(string folder, string file, long value) => File.WriteAllText(Path.Combine(folder, file), value.ToString(CultureInfo.InvariantCulture));
}

/// <summary>The control group of one process tree.</summary>
internal sealed class ControlGroup(string[] folders)
{
    /// <summary>Puts a process into it. What it starts from now on begins there.</summary>
    public void Add(int process)
    {
        foreach (var folder in folders) File.WriteAllText(Path.Combine(folder, "cgroup.procs"), process.ToString(CultureInfo.InvariantCulture));
    }

    /// <summary>Kills everything in it.</summary>
    public void Kill()
    {
        try
        {
            var kill = Path.Combine(folders[0], "cgroup.kill");
            if (File.Exists(kill))
            {
                File.WriteAllText(kill, "1");
                return;
            }
            foreach (var line in File.ReadLines(Path.Combine(folders[0], "cgroup.procs"))) ProcessSession.KillOne(int.Parse(line, CultureInfo.InvariantCulture));
        }
        catch (Exception exception) when (ControlGroups.IsRefusal(exception))
        {
            // It is gone already.
        }
    }

    /// <summary>Kills what is left and removes the group; the system needs a moment until its processes are gone.</summary>
    public async Task RemoveAsync()
    {
        for (var attempt = 0; attempt < 100 && !Remove(); attempt++)
        {
            Kill();
            await Task.Delay(TimeSpan.FromMilliseconds(10));
        }
    }

    public bool Remove()
    {
        try
        {
            foreach (var folder in folders.Where(Directory.Exists)) Directory.Delete(folder);
            return true;
        }
        catch (Exception exception) when (ControlGroups.IsRefusal(exception))
        {
            return false;
        }
    }
}
