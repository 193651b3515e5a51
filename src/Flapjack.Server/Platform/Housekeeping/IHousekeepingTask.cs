namespace Flapjack.Server.Platform.Housekeeping;

/// <summary>Something that is looked after now and then. Features bring their own.</summary>
internal interface IHousekeepingTask
{
    /// <summary>Name for the log, and of the job in the database: one that is changed makes a new job.</summary>
    string Name { get; }

    /// <summary>Whose work it is.</summary>
    HousekeepingScope Scope { get; }

    /// <summary>Time from one round to the next.</summary>
    TimeSpan Period => TimeSpan.FromMinutes(10);

    /// <summary>Does one round, in bounded batches. Rounds of a task do not overlap, but one that breaks off begins again elsewhere.</summary>
    Task RunAsync(CancellationToken cancellationToken);
}

/// <summary>Where the rounds of a task happen.</summary>
internal enum HousekeepingScope
{
    /// <summary>It is about the database: each round happens once, on any node.</summary>
    Cluster,

    /// <summary>It is about the memory of a node: each node has its own rounds.</summary>
    Node,
}
