using System.Diagnostics;
using Flapjack.Sandboxes.Limits;

namespace Flapjack.Sandboxes.Tests;

/// <summary>Limits and ends of processes, isolated where this machine can do it.</summary>
public sealed class LimitTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private static ProcessLaunch Script(string script, ProcessLimits? limits = null) =>
        Running.Script(script) with { Isolation = IsolationNeed.WherePossible, Limits = limits ?? new() { WallTime = TimeSpan.FromSeconds(20) } };

    public static TheoryData<IsolationNeed> Modes => [IsolationNeed.WherePossible, IsolationNeed.None];

    [Theory, MemberData(nameof(Modes))]
    public async Task What_goes_in_comes_out(IsolationNeed need)
    {
        var text = new string('x', 1_000_000);
        var ran = await Running.Host.RunAsync(Script("cat; echo oops >&2; exit 3") with { Isolation = need }, text);
        (ran.Exit, ran.Output == text, ran.Error).ShouldBe((new ProcessExit(3, ProcessEnd.Exited), true, "oops\n"));
    }

    [Theory, MemberData(nameof(Modes))]
    public async Task One_that_takes_too_long_is_killed(IsolationNeed need)
    {
        var ran = await Running.Host.RunAsync(Script("sleep 60", new() { WallTime = TimeSpan.FromMilliseconds(300) }) with { Isolation = need });
        ran.Exit.Reason.ShouldBe(ProcessEnd.TimedOut);
    }

    [Theory, MemberData(nameof(Modes))]
    public async Task One_that_writes_too_much_is_killed(IsolationNeed need)
    {
        var ran = await Running.Host.RunAsync(Script("yes", new() { OutputBytes = 100_000 }) with { Isolation = need });
        ran.Exit.Reason.ShouldBe(ProcessEnd.TooMuchOutput);
        ran.Output.Length.ShouldBeLessThanOrEqualTo(100_000);
    }

    [Theory, MemberData(nameof(Modes))]
    public async Task One_that_takes_too_much_memory_gets_none(IsolationNeed need)
    {
        Assert.SkipWhen(SandboxHost.Find("prlimit") is null, "no prlimit here");
        var ran = await Running.Host.RunAsync(Script("head -c 300m /dev/zero | tail -c 200m | wc -c", new() { MemoryBytes = 64 * 1024 * 1024, WallTime = TimeSpan.FromSeconds(20) }) with { Isolation = need });
        ran.Output.Trim().ShouldNotBe("209715200");
    }

    [Theory, MemberData(nameof(Modes))]
    public async Task One_that_computes_too_long_is_killed(IsolationNeed need)
    {
        Assert.SkipWhen(SandboxHost.Find("prlimit") is null, "no prlimit here");
        var ran = await Running.Host.RunAsync(Script("while :; do :; done", new() { CpuTime = TimeSpan.FromSeconds(1), WallTime = TimeSpan.FromSeconds(20) }) with { Isolation = need });
        (ran.Exit.Reason, ran.Exit.Code > 128).ShouldBe((ProcessEnd.Exited, true));
    }

    [Fact]
    public async Task One_that_multiplies_is_stopped()
    {
        await Running.NeedIsolationAsync();
        Assert.SkipWhen(Environment.IsPrivilegedProcess && !(await Running.Host.StateAsync()).LimitsTrees, "root is limited by control groups only, and there are none to be had");
        var ran = await Running.Host.RunAsync(Script("for i in $(seq 60); do sleep 5 & done; wait", new() { Processes = 20, WallTime = TimeSpan.FromSeconds(20) }));
        ran.Error.ShouldContain("fork");
    }

    [Theory, MemberData(nameof(Modes))]
    public async Task Children_go_with_it(IsolationNeed need)
    {
        var mark = $"86{Random.Shared.Next(100_000, 999_999)}";
        await using (var process = await Running.Host.StartAsync(Script($"sleep {mark} & (sleep {mark}) & echo up; wait") with { Isolation = need }))
        {
            using var reader = new StreamReader(process.Output);
            (await reader.ReadLineAsync(Token)).ShouldBe("up");
            await UntilAsync(mark, 2);
        }
        // The kernel takes a moment to take down a namespace.
        await UntilAsync(mark, 0);
    }

    [Fact]
    public async Task One_that_outlives_the_threads_of_the_pool_goes_on()
    {
        // Started from a thread that ends: "die with the parent" must not mean this one.
        SandboxedProcess? process = null;
        var thread = new Thread(() => process = Running.Host.StartAsync(Script("read x; echo $x")).GetAwaiter().GetResult());
        thread.Start();
        thread.Join();
        await using (process!)
        {
            await process!.Input.WriteAsync("still here\n"u8.ToArray(), Token);
            await process.Input.DisposeAsync();
            using var reader = new StreamReader(process.Output);
            (await reader.ReadToEndAsync(Token)).ShouldBe("still here\n");
        }
    }

    private static async Task UntilAsync(string mark, int count)
    {
        for (var watch = Stopwatch.StartNew(); Living(mark) != count && watch.Elapsed < TimeSpan.FromSeconds(10);) await Task.Yield();
        Living(mark).ShouldBe(count);
    }

    private static int Living(string mark) => Directory.EnumerateDirectories("/proc").Count(folder =>
    {
        try
        {
            return char.IsAsciiDigit(Path.GetFileName(folder)[0]) && File.ReadAllText(Path.Combine(folder, "cmdline")).StartsWith($"sleep\0{mark}", StringComparison.Ordinal);
        }
        catch (IOException)
        {
            return false;
        }
    });
}
