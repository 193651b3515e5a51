using System.Globalization;
using System.Text;

namespace Flapjack.Sandboxes.Bubblewrap;

/// <summary>The options of <c>bwrap</c> for a process. They are handed over through a pipe, so that no environment shows in a list of processes.</summary>
internal static class BubblewrapArguments
{
    // What programs need of /etc: how libraries and certificates are found, never keys, never who has an account here.
    private static readonly string[] Etc = ["alternatives", "ca-certificates", "fonts", "ld.so.cache", "ld.so.conf", "ld.so.conf.d", "localtime", "mime.types", "pki/ca-trust", "pki/tls/certs", "ssl/certs", "ssl/openssl.cnf"];
    private static readonly string[] EtcOfNetwork = ["gai.conf", "hosts", "nsswitch.conf", "protocols", "resolv.conf", "services"];
    private static readonly string[] System = ["/bin", "/lib", "/lib32", "/lib64", "/sbin"];

    /// <summary>Who the process is, for programs that ask. The host's accounts are nobody's business.</summary>
    public static byte[] Users => "sandbox:x:1000:1000::/tmp:/bin/sh\n"u8.ToArray();

    public static byte[] Groups => "sandbox:x:1000:\n"u8.ToArray();

    public static byte[] Of(ProcessLaunch launch, bool disablesUserNamespaces)
    {
        var options = new List<string>
        {
            "--unshare-user", "--unshare-pid", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try",
            "--hostname", "sandbox", "--uid", "1000", "--gid", "1000", "--cap-drop", "ALL", "--new-session", "--die-with-parent", "--clearenv",
        };
        if (disablesUserNamespaces) options.Add("--disable-userns");
        if (!launch.Network) options.Add("--unshare-net");
        foreach (var (name, value) in EnvironmentOf(launch)) options.AddRange(["--setenv", name, value]);
        AddSystem(options, launch.Network);
        var size = launch.Limits.TemporaryBytes.ToString(CultureInfo.InvariantCulture);
        options.AddRange(["--proc", "/proc", "--dev", "/dev", "--size", size, "--tmpfs", "/dev/shm", "--remount-ro", "/dev", "--size", size, "--tmpfs", "/tmp"]);
        foreach (var binding in launch.ReadOnly) options.AddRange(["--ro-bind", binding.Source, binding.Target ?? binding.Source]);
        foreach (var binding in launch.Writable) options.AddRange(["--bind", binding.Source, binding.Target ?? binding.Source]);
        // The root itself lies in memory without a limit.
        options.AddRange(["--remount-ro", "/", "--chdir", launch.WorkingDirectory]);
        return Encoding.UTF8.GetBytes(string.Concat(options.Select(option => option + '\0')));
    }

    public static IEnumerable<KeyValuePair<string, string>> EnvironmentOf(ProcessLaunch launch)
    {
        var all = new Dictionary<string, string> { ["PATH"] = "/usr/local/bin:/usr/bin:/bin", ["HOME"] = "/tmp", ["TMPDIR"] = "/tmp", ["LANG"] = "C.UTF-8" };
        foreach (var (name, value) in launch.Environment) all[name] = value;
        return all;
    }

    private static void AddSystem(List<string> options, bool network)
    {
        options.AddRange(["--ro-bind", "/usr", "/usr"]);
        foreach (var folder in System)
        {
            if (new DirectoryInfo(folder).LinkTarget is { } target) options.AddRange(["--symlink", target, folder]);
            else if (Directory.Exists(folder)) options.AddRange(["--ro-bind", folder, folder]);
        }
        foreach (var name in network ? Etc.Concat(EtcOfNetwork) : Etc) options.AddRange(["--ro-bind-try", $"/etc/{name}", $"/etc/{name}"]);
    }
}
