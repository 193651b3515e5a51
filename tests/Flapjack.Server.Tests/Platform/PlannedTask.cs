using Flapjack.Server.Platform.Housekeeping;

namespace Flapjack.Server.Tests.Platform;

/// <summary>A task that does what a test says.</summary>
internal sealed class PlannedTask(string name, HousekeepingScope scope, Func<CancellationToken, Task> run) : IHousekeepingTask
{
    public PlannedTask(string name, HousekeepingScope scope, Action run) : this(name, scope, _ =>
    {
        run();
        return Task.CompletedTask;
    })
    {
    }

    public string Name => name;

    public HousekeepingScope Scope => scope;

    public TimeSpan Period { get; init; } = TimeSpan.FromMinutes(10);

    public Task RunAsync(CancellationToken cancellationToken) => run(cancellationToken);
}
