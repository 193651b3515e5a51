namespace Flapjack.Architecture.Tests;

internal static class Violations
{
    /// <summary>Fails with every violation on a line of its own.</summary>
    public static void ShouldBeNone(this IEnumerable<string> violations)
    {
        var all = violations.Distinct().Order(StringComparer.Ordinal).ToList();
        if (all.Count > 0)
        {
            Assert.Fail(string.Join("\n", all.Select(text => "  - " + text).Prepend($"{all.Count} to fix:")));
        }
    }

    /// <summary>The rule found what was planted for it, and nothing in the code planted beside it that is allowed.</summary>
    public static void ShouldFindOnly(this IEnumerable<string> violations, params string[] planted)
    {
        var all = violations.Distinct().ToList();
        all.Count.ShouldBe(planted.Length, string.Join("\n", all));
        foreach (var text in planted)
        {
            all.ShouldContain(violation => violation.StartsWith(text, StringComparison.Ordinal));
        }
    }
}
