namespace Flapjack.Server.Platform;

/// <summary>The time as the wire and both databases can hold it: UTC, whole microseconds.</summary>
internal static class Clock
{
    public static DateTime Now(this TimeProvider time) => Truncate(time.GetUtcNow().UtcDateTime);

    public static DateTime Truncate(DateTime value) => new(value.Ticks - value.Ticks % TimeSpan.TicksPerMicrosecond, DateTimeKind.Utc);
}
