namespace Flapjack.Sandboxes.Tests;

/// <summary>What is refused before anything is started, and what a host without bubblewrap does.</summary>
public sealed class LaunchTests
{
    private static readonly ProcessLaunch True = new() { Program = "true" };

    public static TheoryData<string, ProcessLaunch> Refused => new()
    {
        { "an option as program", True with { Program = "--version" } },
        { "no program", True with { Program = "" } },
        { "a relative program", True with { Program = "bin/true" } },
        { "an option among operands", True with { Operands = ["a", "-rf"] } },
        { "a zero", True with { Arguments = ["a\0b"] } },
        { "a zero in a variable", True with { Environment = new Dictionary<string, string> { ["A"] = "\0" } } },
        { "a variable with an equals sign", True with { Environment = new Dictionary<string, string> { ["A=B"] = "x" } } },
        { "a relative folder", True with { WorkingDirectory = "tmp" } },
        { "a path that climbs", True with { ReadOnly = [new("/usr/../etc")] } },
        { "a relative target", True with { Writable = [new("/tmp", "x")] } },
        { "a limit of nothing", True with { Limits = new() { MemoryBytes = 0 } } },
    };

    [Theory, MemberData(nameof(Refused))]
    public async Task It_is_refused(string what, ProcessLaunch launch)
    {
        what.ShouldNotBeEmpty();
        await Should.ThrowAsync<SandboxException>(() => Running.Host.StartAsync(launch));
    }

    [Fact]
    public async Task Without_bubblewrap_callers_are_told_and_decide()
    {
        var host = new SandboxHost(bubblewrap: "/nowhere/bwrap");
        var state = await host.StateAsync();
        state.Mode.ShouldBe(SandboxMode.Limited);
        state.Reason.ShouldNotBeNullOrEmpty();
        (await Should.ThrowAsync<SandboxUnavailableException>(() => host.StartAsync(True))).Message.ShouldContain(state.Reason);
        var ran = await host.RunAsync(Running.Script("echo $HOME $SECRET") with { Isolation = IsolationNeed.WherePossible });
        (ran.Mode, ran.Exit.Code, ran.Output).ShouldBe((SandboxMode.Limited, 0, "/tmp\n"), ran.Error);
    }

    [Fact]
    public async Task One_that_bubblewrap_refuses_is_told_with_its_words()
    {
        var host = new SandboxHost(bubblewrap: "/bin/false");
        (await host.StateAsync()).Mode.ShouldBe(SandboxMode.Limited);
    }

    [Fact]
    public async Task A_program_that_is_not_there_ends_with_a_code_and_a_sentence()
    {
        var ran = await Running.Host.RunAsync(new() { Program = "no-such-program", Isolation = IsolationNeed.WherePossible });
        ran.Exit.Code.ShouldBe(127);
        ran.Error.ShouldContain("no-such-program");
    }
}
