using System.Globalization;
using Flapjack.Server.ScheduledTasks.Times;

namespace Flapjack.Server.Tests.ScheduledTasks;

/// <summary>When tasks are due: cron, time zones, clocks that are put forward and back.</summary>
public sealed class TaskTimesTests
{
    public static TheoryData<string, string, string, string> Crons => new()
    {
        { "0 9 * * MON", "UTC", "2026-04-01T12:00Z", "2026-04-06T09:00Z 2026-04-13T09:00Z" },
        { "0 9 * * mon-fri", "UTC", "2026-04-03T09:00Z", "2026-04-06T09:00Z 2026-04-07T09:00Z" },
        { "*/20 8-9 * * *", "UTC", "2026-04-01T08:30Z", "2026-04-01T08:40Z 2026-04-01T09:00Z 2026-04-01T09:20Z" },
        { "5/20 8 * * *", "UTC", "2026-04-01T08:30Z", "2026-04-01T08:45Z 2026-04-02T08:05Z" },
        { "0 0 29 FEB *", "UTC", "2026-04-01T00:00Z", "2028-02-29T00:00Z 2032-02-29T00:00Z" },
        { "0 0 31 * *", "UTC", "2026-04-01T00:00Z", "2026-05-31T00:00Z 2026-07-31T00:00Z" },
        { "0 12 * * 0", "UTC", "2026-04-01T00:00Z", "2026-04-05T12:00Z" },
        { "0 12 * * 7", "UTC", "2026-04-01T00:00Z", "2026-04-05T12:00Z" },
        { "0 12 * jan,Dec 5-7", "UTC", "2026-04-01T00:00Z", "2026-12-04T12:00Z 2026-12-05T12:00Z 2026-12-06T12:00Z" },
        // Both kinds of days limited: either will do. One that begins with a star is no limit.
        { "0 0 13 * FRI", "UTC", "2026-04-01T00:00Z", "2026-04-03T00:00Z 2026-04-10T00:00Z 2026-04-13T00:00Z" },
        { "0 0 */2 * FRI", "UTC", "2026-04-01T00:00Z", "2026-04-03T00:00Z 2026-04-17T00:00Z" },
        // Oslo in summer is two hours ahead, in winter one.
        { "0 9 * * MON", "Europe/Oslo", "2026-03-25T00:00Z", "2026-03-30T07:00Z" },
        { "0 9 * * *", "Europe/Oslo", "2026-03-28T00:00Z", "2026-03-28T08:00Z 2026-03-29T07:00Z 2026-03-30T07:00Z" },
        { "0 9 * * *", "Europe/Oslo", "2026-10-24T00:00Z", "2026-10-24T07:00Z 2026-10-25T08:00Z 2026-10-26T08:00Z" },
        // On 29 March two o'clock is skipped: the next valid minute is three o'clock, 01:00 UTC.
        { "30 2 * * *", "Europe/Oslo", "2026-03-28T00:00Z", "2026-03-28T01:30Z 2026-03-29T01:00Z 2026-03-30T00:30Z" },
        { "0,30 2,3 * * *", "Europe/Oslo", "2026-03-28T12:00Z", "2026-03-29T01:00Z 2026-03-29T01:30Z 2026-03-30T00:00Z" },
        // On 25 October half past two comes twice, 00:30 and 01:30 UTC: the first counts.
        { "30 2 * * *", "Europe/Oslo", "2026-10-24T12:00Z", "2026-10-25T00:30Z 2026-10-26T01:30Z" },
        { "30 2 * * *", "Europe/Oslo", "2026-10-25T00:30Z", "2026-10-26T01:30Z" },
        { "0 * * * *", "Europe/Oslo", "2026-10-24T23:30Z", "2026-10-25T00:00Z 2026-10-25T02:00Z" },
        { "0 9 * * *", "Asia/Kathmandu", "2026-04-01T00:00Z", "2026-04-01T03:15Z" },
        { "0 9 * * *", "Pacific/Kiritimati", "2026-04-01T00:00Z", "2026-04-01T19:00Z" },
    };

    [Theory]
    [MemberData(nameof(Crons))]
    public void Cron_follows_the_clocks_of_its_zone(string expression, string zone, string after, string expected)
    {
        var schedule = new TaskSchedule(null, CronExpression.TryParse(expression, out var fault), null, LocalTimes.Zone(zone)!);
        fault.ShouldBe("");
        var times = expected.Split(' ');
        var (found, at) = (new List<string>(), Time(after));
        foreach (var _ in times)
        {
            at = schedule.First(at)!.Value;
            found.Add(at.ToString("yyyy-MM-ddTHH:mmZ", CultureInfo.InvariantCulture));
        }
        found.ShouldBe(times);
    }

    [Theory]
    [InlineData("")]
    [InlineData("* * * *")]
    [InlineData("* * * * * *")]
    [InlineData("60 * * * *")]
    [InlineData("* 24 * * *")]
    [InlineData("* * 0 * *")]
    [InlineData("* * * 13 *")]
    [InlineData("* * * * 8")]
    [InlineData("* * * * FUNDAY")]
    [InlineData("MON * * * *")]
    [InlineData("5-1 * * * *")]
    [InlineData("*/0 * * * *")]
    [InlineData("*/x * * * *")]
    [InlineData("1,,2 * * * *")]
    [InlineData("-1 * * * *")]
    [InlineData("1-2-3 * * * *")]
    [InlineData("*/5/5 * * * *")]
    [InlineData("0 0 30 2 *")]
    [InlineData("0 0 ? * MON")]
    [InlineData("@daily")]
    [InlineData("0 0 L * *")]
    public void What_is_no_cron_is_refused_with_a_reason(string expression)
    {
        CronExpression.TryParse(expression, out var fault).ShouldBeNull();
        fault.ShouldNotBeEmpty();
    }

    [Theory]
    [InlineData("* * * * *", 1)]
    [InlineData("*/7 * * * *", 4)]
    [InlineData("0 9 * * *", 1_440)]
    [InlineData("58 23,0 * * *", 60)]
    [InlineData("0,59 0,23 * * *", 1)]
    [InlineData("0 9 * * MON", 7 * 1_440)]
    [InlineData("0,50 9 * * MON,THU", 50)]
    [InlineData("0 0 1 1 *", 365 * 1_440)]
    public void The_shortest_interval_of_a_cron_is_known(string expression, int minutes) =>
        CronExpression.TryParse(expression, out _)!.ShortestInterval().TotalMinutes.ShouldBe(minutes);

    [Fact]
    public void Intervals_keep_their_rhythm_and_leave_out_what_was_missed()
    {
        var schedule = new TaskSchedule(null, null, 30, TimeZoneInfo.Utc);
        schedule.First(Time("2026-04-01T12:00Z")).ShouldBe(Time("2026-04-01T12:30Z"));
        schedule.Next(Time("2026-04-01T12:30Z"), Time("2026-04-01T12:31Z")).ShouldBe(Time("2026-04-01T13:00Z"));
        schedule.Next(Time("2026-04-01T12:30Z"), Time("2026-04-01T15:07Z")).ShouldBe(Time("2026-04-01T15:30Z"));
        schedule.Next(Time("2026-04-01T12:30Z"), Time("2026-04-01T13:00Z")).ShouldBe(Time("2026-04-01T13:30Z"));
        // The clock of this node is behind that of the one which found the occurrence.
        schedule.Next(Time("2026-04-01T12:30Z"), Time("2026-04-01T12:29Z")).ShouldBe(Time("2026-04-01T13:00Z"));
    }

    [Fact]
    public void A_time_has_one_occurrence()
    {
        var schedule = new TaskSchedule(Time("2026-04-01T12:30Z"), null, null, TimeZoneInfo.Utc);
        schedule.First(Time("2026-04-01T12:29Z")).ShouldBe(Time("2026-04-01T12:30Z"));
        schedule.First(Time("2026-04-01T12:30Z")).ShouldBeNull();
        schedule.Next(Time("2026-04-01T12:30Z"), Time("2026-04-01T12:30Z")).ShouldBeNull();
    }

    [Theory]
    [InlineData("2026-07-01T09:00", "2026-07-01T07:00Z")]
    [InlineData("2026-07-01T09:00:00", "2026-07-01T07:00Z")]
    [InlineData("2026-07-01T09:00:00Z", "2026-07-01T09:00Z")]
    [InlineData("2026-07-01T09:00:00+05:00", "2026-07-01T04:00Z")]
    [InlineData("2026-03-29T02:30", "2026-03-29T01:00Z")]
    [InlineData("2026-10-25T02:30", "2026-10-25T00:30Z")]
    [InlineData("9999-12-31T23:59", null)]
    [InlineData("soon", null)]
    [InlineData("09:00", null)]
    public void A_time_without_an_offset_is_local(string text, string? expected) =>
        LocalTimes.Read(text, LocalTimes.Zone("Europe/Oslo")!).ShouldBe(expected is null ? null : Time(expected));

    [Theory]
    [InlineData("UTC", true)]
    [InlineData("Europe/Oslo", true)]
    [InlineData("America/Argentina/Buenos_Aires", true)]
    [InlineData("Etc/GMT+5", true)]
    [InlineData("Europe/Atlantis", false)]
    [InlineData("W. Europe Standard Time", false)]
    [InlineData("../../../etc/passwd", false)]
    [InlineData("/etc/localtime", false)]
    [InlineData("", false)]
    [InlineData(null, false)]
    public void Zones_are_those_of_IANA(string? name, bool known) => (LocalTimes.Zone(name) is not null).ShouldBe(known);

    private static DateTime Time(string text) => DateTime.Parse(text, CultureInfo.InvariantCulture, DateTimeStyles.AdjustToUniversal);
}
