using System.Numerics;

namespace Flapjack.Server.ScheduledTasks.Times;

/// <summary>Five fields of cron: minute, hour, day of the month, month, day of the week. Lists, ranges and steps; names of months and days in any case.</summary>
/// <remarks>As in every cron since Vixie's: when both kinds of days are limited, a day needs only one of them. Quartz' own expressions have six fields, count the days of the week from another one and know no such rule.</remarks>
internal sealed class CronExpression
{
    /// <summary>29 February may be eight years away.</summary>
    private const int DaysAhead = 366 * 9;

    private const int MinutesOfDay = 24 * 60;

    private static readonly string[] Months = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
    private static readonly string[] Weekdays = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

    private readonly CronField _minutes, _hours, _days, _months, _weekdays;

    private CronExpression(CronField minutes, CronField hours, CronField days, CronField months, CronField weekdays) =>
        (_minutes, _hours, _days, _months, _weekdays) = (minutes, hours, days, months, weekdays);

    /// <summary>Reads an expression; says what is wrong with it otherwise.</summary>
    public static CronExpression? TryParse(string text, out string fault)
    {
        var fields = text.Split([' ', '\t'], StringSplitOptions.RemoveEmptyEntries);
        if (fields.Length != 5)
        {
            fault = "must have five fields: minute, hour, day of the month, month, day of the week";
            return null;
        }
        fault = "";
        var read = new[]
        {
            CronField.TryParse("minute", fields[0], 0, 59, [], ref fault),
            CronField.TryParse("hour", fields[1], 0, 23, [], ref fault),
            CronField.TryParse("day of the month", fields[2], 1, 31, [], ref fault),
            CronField.TryParse("month", fields[3], 1, 12, Months, ref fault),
            // 7 is another name of Sunday.
            CronField.TryParse("day of the week", fields[4], 0, 7, Weekdays, ref fault),
        };
        if (fault.Length > 0) return null;
        var cron = new CronExpression(read[0]!, read[1]!, read[2]!, read[3]!, read[4]!.WithSunday());
        if (cron.MatchingDays(new DateOnly(2024, 1, 1)).Any()) return cron;
        fault = "names a day that never comes";
        return null;
    }

    /// <summary>Local times from a day on, in order, without an end while there are days.</summary>
    public IEnumerable<DateTime> From(DateOnly first)
    {
        foreach (var day in MatchingDays(first))
        {
            foreach (var minute in MinutesInDay()) yield return day.ToDateTime(TimeOnly.MinValue).AddMinutes(minute);
        }
    }

    /// <summary>The shortest time between two occurrences, on days that have 24 hours.</summary>
    public TimeSpan ShortestInterval()
    {
        var minutes = MinutesInDay().ToList();
        var shortest = minutes.Zip(minutes.Skip(1), (one, next) => next - one).DefaultIfEmpty(int.MaxValue).Min();
        var overNight = MinutesOfDay - minutes[^1] + minutes[0];
        if (overNight >= shortest) return TimeSpan.FromMinutes(shortest);
        var nights = NightsBetween();
        return TimeSpan.FromMinutes(Math.Min(shortest, overNight + (long)MinutesOfDay * (nights - 1)));
    }

    // Of the days that follow each other most closely.
    private int NightsBetween()
    {
        var (least, before) = (DaysAhead, (DateOnly?)null);
        foreach (var day in MatchingDays(new DateOnly(2024, 1, 1)))
        {
            if (before is { } last) least = Math.Min(least, day.DayNumber - last.DayNumber);
            if (least == 1) break;
            before = day;
        }
        return least;
    }

    private IEnumerable<int> MinutesInDay() => from hour in _hours.Values from minute in _minutes.Values select hour * 60 + minute;

    private IEnumerable<DateOnly> MatchingDays(DateOnly first)
    {
        var last = Math.Min(first.DayNumber + DaysAhead, DateOnly.MaxValue.DayNumber);
        for (var number = first.DayNumber; number <= last; number++)
        {
            var day = DateOnly.FromDayNumber(number);
            if (Matches(day)) yield return day;
        }
    }

    private bool Matches(DateOnly day)
    {
        if (!_months.Has(day.Month)) return false;
        var (inMonth, inWeek) = (_days.Has(day.Day), _weekdays.Has((int)day.DayOfWeek));
        return _days.IsLimited && _weekdays.IsLimited ? inMonth || inWeek : inMonth && inWeek;
    }
}

/// <summary>One field: the values it names.</summary>
/// <param name="Bits">A bit for each value.</param>
/// <param name="IsLimited">False when the field begins with a star.</param>
internal sealed record CronField(ulong Bits, bool IsLimited)
{
    public IEnumerable<int> Values => Enumerable.Range(0, 64).Where(Has);

    public bool Has(int value) => (Bits >> value & 1) == 1;

    public CronField WithSunday() => Has(7) ? this with { Bits = Bits & ~(1UL << 7) | 1 } : this;

    /// <summary>Reads a field; the first fault found stays.</summary>
    public static CronField? TryParse(string name, string text, int min, int max, string[] names, ref string fault)
    {
        var bits = 0UL;
        foreach (var part in text.Split(','))
        {
            if (PartOf(part, min, max, names) is { } more) bits |= more;
            else if (fault.Length == 0) fault = $"the {name} '{text}' is not understood: numbers from {min} to {max}, *, lists with commas, ranges such as {min}-{max} and steps such as */2";
        }
        return BitOperations.PopCount(bits) > 0 ? new(bits, text[0] != '*') : null;
    }

    private static ulong? PartOf(string part, int min, int max, string[] names)
    {
        var (range, step) = (part, 1);
        if (part.Split('/') is { Length: 2 } split)
        {
            if (!TryNumber(split[1], out step) || step < 1 || step > max) return null;
            range = split[0];
        }
        int from, to;
        if (range == "*") (from, to) = (min, max);
        else if (range.Split('-') is { Length: 2 } ends && ValueOf(ends[0], min, names) is { } first && ValueOf(ends[1], min, names) is { } last) (from, to) = (first, last);
        // A step without a range goes on to the end.
        else if (ValueOf(range, min, names) is { } single) (from, to) = (single, part.Contains('/', StringComparison.Ordinal) ? max : single);
        else return null;
        if (from < min || to > max || from > to) return null;
        var bits = 0UL;
        for (var value = from; value <= to; value += step) bits |= 1UL << value;
        return bits;
    }

    private static int? ValueOf(string text, int min, string[] names)
    {
        if (TryNumber(text, out var number)) return number;
        var index = Array.FindIndex(names, name => name.Equals(text, StringComparison.OrdinalIgnoreCase));
        return index < 0 ? null : index + min;
    }

    private static bool TryNumber(string text, out int number) =>
        int.TryParse(text, System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out number) && text.Length <= 2;
}
