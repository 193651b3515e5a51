using System.Globalization;
using System.Text.RegularExpressions;
using Flapjack.Server.Platform;
using Flapjack.Server.Platform.Http;

namespace Flapjack.Server.ScheduledTasks.Times;

/// <summary>Times as the clocks of a place show them.</summary>
internal static partial class LocalTimes
{
    /// <summary>The zone of an IANA name; null when this machine knows none of that name.</summary>
    public static TimeZoneInfo? Zone(string? name)
    {
        // The name becomes a path below the machine's zone files.
        if (name is null || !ZoneName().IsMatch(name)) return null;
        try
        {
            return TimeZoneInfo.FindSystemTimeZoneById(name);
        }
        catch (Exception exception) when (exception is TimeZoneNotFoundException or InvalidTimeZoneException or System.Security.SecurityException or UnauthorizedAccessException or IOException)
        {
            return null;
        }
    }

    /// <summary>The instant of a local time. One that is skipped is the next that comes, one that comes twice is the first of them.</summary>
    public static DateTime ToInstant(this TimeZoneInfo zone, DateTime local)
    {
        while (zone.IsInvalidTime(local)) local = local.AddMinutes(1);
        var offset = zone.IsAmbiguousTime(local) ? zone.GetAmbiguousTimeOffsets(local).Max() : zone.GetUtcOffset(local);
        return DateTime.SpecifyKind(local - offset, DateTimeKind.Utc);
    }

    /// <summary>Reads an ISO time: with an offset that instant, without one the local time of the zone.</summary>
    public static DateTime? Read(string? text, TimeZoneInfo zone)
    {
        if (!WireTime.TryParse(text, out var instant)) return null;
        if (!DateTime.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.RoundtripKind, out var spelled) || spelled.Kind != DateTimeKind.Unspecified) return instant;
        // At the ends of the calendar no offset fits.
        return spelled.Year is > 1 and < 9999 ? Clock.Truncate(zone.ToInstant(spelled)) : null;
    }

    [GeneratedRegex(@"^[A-Za-z][A-Za-z0-9_+-]{0,31}(/[A-Za-z0-9_+-]{1,32}){0,2}\z")]
    private static partial Regex ZoneName();
}
