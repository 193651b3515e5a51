namespace Flapjack.Server.ScheduledTasks.Times;

/// <summary>When a task is due: once, by cron, or every so many minutes. One of the three is set.</summary>
/// <param name="RunAt">The only time.</param>
/// <param name="Cron">In the time of <paramref name="Zone"/>.</param>
/// <param name="EveryMinutes">From one occurrence to the next.</param>
/// <param name="Zone">Where the clock hangs.</param>
internal sealed record TaskSchedule(DateTime? RunAt, CronExpression? Cron, int? EveryMinutes, TimeZoneInfo Zone)
{
    /// <summary>The first occurrence of a task that begins now; null when there is none.</summary>
    public DateTime? First(DateTime now) => RunAt is { } once ? once > now ? once : null : EveryMinutes is { } minutes ? now.AddMinutes(minutes) : NextByCron(now);

    /// <summary>The occurrence after one that was due. Those that were missed are left out: they were made up for by that one.</summary>
    public DateTime? Next(DateTime occurrence, DateTime now)
    {
        // Later than both: a node whose clock is behind must not find the same occurrence again.
        var after = now > occurrence ? now : occurrence;
        if (RunAt is not null) return null;
        if (EveryMinutes is not { } minutes) return NextByCron(after);
        var period = TimeSpan.FromMinutes(minutes);
        return occurrence + period * ((after - occurrence).Ticks / period.Ticks + 1);
    }

    private DateTime? NextByCron(DateTime after)
    {
        // A day earlier: no zone has ever put its clocks by more.
        var first = DateOnly.FromDateTime(TimeZoneInfo.ConvertTimeFromUtc(after, Zone).AddDays(-1));
        foreach (var local in Cron!.From(first))
        {
            if (Zone.ToInstant(local) is var instant && instant > after) return instant;
        }
        return null;
    }
}
