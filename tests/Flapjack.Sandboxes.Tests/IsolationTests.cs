using System.Net;
using System.Net.Sockets;

namespace Flapjack.Sandboxes.Tests;

/// <summary>What an isolated process sees and can do. Skipped where the machine has no bubblewrap or forbids it.</summary>
public sealed class IsolationTests : IAsyncLifetime
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("flapjack-sandbox-");

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => await Running.NeedIsolationAsync();

    public ValueTask DisposeAsync()
    {
        _folder.Delete(recursive: true);
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task It_has_an_identity_and_processes_of_its_own_and_no_capabilities()
    {
        var ran = await Running.Host.RunAsync(Running.Script("id -un; hostname; ls -d /proc/[0-9]* | wc -l; grep -E 'Cap(Eff|Bnd)|NoNewPrivs|Seccomp:' /proc/self/status"));
        var lines = ran.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        (ran.Mode, ran.Exit.Code).ShouldBe((SandboxMode.Isolated, 0), ran.Error);
        (lines[0], lines[1]).ShouldBe(("sandbox", "sandbox"));
        int.Parse(lines[2]).ShouldBeLessThan(8);
        lines[3..].Select(line => line.Split(':')[1].Trim()).ShouldBe(["0000000000000000", "0000000000000000", "1", "2"]);
    }

    [Fact]
    public async Task It_sees_no_files_but_the_systems()
    {
        await File.WriteAllTextAsync(Path.Combine(_folder.FullName, "secret"), "x", Token);
        var ran = await Running.Host.RunAsync(Running.Script($"cat {_folder.FullName}/secret /etc/shadow /etc/ssl/private/*; grep -v ^sandbox: /etc/passwd; ls /home /root /var /tmp"));
        (ran.Exit.Code, ran.Output.Replace("/tmp:\n", "", StringComparison.Ordinal)).ShouldBe((2, ""));
    }

    [Theory]
    [InlineData("/")]
    [InlineData("/usr")]
    [InlineData("/dev")]
    [InlineData("/etc")]
    public async Task It_cannot_write_there(string folder)
    {
        var ran = await Running.Host.RunAsync(Running.Script($"echo x > {folder}/mine"));
        ran.Exit.Code.ShouldNotBe(0);
        ran.Error.ShouldContain("Read-only file system");
    }

    [Fact]
    public async Task It_gets_the_paths_it_is_given_for_reading_or_for_writing()
    {
        var (given, shared) = (_folder.CreateSubdirectory("given").FullName, _folder.CreateSubdirectory("shared").FullName);
        await File.WriteAllTextAsync(Path.Combine(given, "a"), "content", Token);
        var ran = await Running.Host.RunAsync(Running.Script("cat a; echo x > b; echo y > /work/c") with { ReadOnly = [new(given)], Writable = [new(shared, "/work")], WorkingDirectory = given });
        (ran.Exit.Code, ran.Output).ShouldBe((0, "content"));
        File.Exists(Path.Combine(given, "b")).ShouldBeFalse();
        (await File.ReadAllTextAsync(Path.Combine(shared, "c"), Token)).ShouldBe("y\n");
    }

    [Fact]
    public async Task It_has_the_environment_it_is_given_and_nothing_of_the_servers()
    {
        var launch = Running.Script("env; tr '\\0' ' ' < /proc/1/cmdline") with { Environment = new Dictionary<string, string> { ["TOKEN"] = "s3cret value", ["LD_PRELOAD"] = "/nowhere.so" } };
        var ran = await Running.Host.RunAsync(launch);
        var names = ran.Output.Split('\n').Where(line => line.Contains('=', StringComparison.Ordinal) && !line.StartsWith('/')).Select(line => line.Split('=')[0]);
        names.Except(["PWD", "SHLVL", "_", "OLDPWD"]).Order().ShouldBe(["HOME", "LANG", "LD_PRELOAD", "PATH", "TMPDIR", "TOKEN"]);
        ran.Output.ShouldContain("TOKEN=s3cret value\n");
        ran.Output[ran.Output.LastIndexOf('\n')..].ShouldNotContain("s3cret");
    }

    [Fact]
    public async Task Its_environment_reaches_no_program_outside()
    {
        // A library that a tenant brings must not be loaded by what sets the sandbox up.
        var ran = await Running.Host.RunAsync(Running.Script("echo fine") with { Environment = new Dictionary<string, string> { ["LD_DEBUG"] = "libs" } });
        ran.Error.ShouldNotContain("bwrap");
        ran.Output.ShouldBe("fine\n");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task It_reaches_the_network_only_when_it_may(bool network)
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var ran = await Running.Host.RunAsync(new ProcessLaunch
        {
            Program = "bash",
            Arguments = ["-c", $"exec 3<>/dev/tcp/127.0.0.1/{((IPEndPoint)listener.LocalEndpoint).Port}"],
            Network = network,
        });
        ran.Exit.Code.ShouldBe(network ? 0 : 1, ran.Error);
    }

    [Theory]
    [InlineData("unshare -U true")]
    [InlineData("unshare -m true")]
    [InlineData("mount -t tmpfs none /tmp")]
    [InlineData("chroot /usr true")]
    [InlineData("dmesg")]
    public async Task Doors_out_are_closed(string command) => (await Running.Host.RunAsync(Running.Script(command))).Exit.Code.ShouldNotBe(0);
}
