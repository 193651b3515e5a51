using System.Reflection;
using Flapjack.Architecture.Tests.Reading;
using Flapjack.Architecture.Tests.Rules;

namespace Flapjack.Architecture.Tests;

public sealed class DocsTests
{
    private const string SettingsTable = "Flapjack.Server.Platform.Settings.SettingsTable";

    [Fact]
    public void Relative_links_resolve() =>
        Repository.Files(".", ".md").SelectMany(page => DocsRules.BrokenLinks(page, Repository.Read(page))).ShouldBeNone();

    [Fact]
    public void Planted_broken_links_are_found() =>
        DocsRules.BrokenLinks("docs/page.md", "[a](../README.md) [b](gone.md) [c](../README.md#no-such-heading) [d](https://example.com/x.md) `[e](code.md)`")
            .ShouldFindOnly("docs/page.md links to gone.md", "docs/page.md links to ../README.md#no-such-heading");

    [Fact]
    public void Every_setting_is_documented() =>
        DocsRules.UndocumentedSettings(SettingKeys(), Repository.Read(DocsRules.SettingsPage)).ShouldBeNone();

    [Fact]
    public void An_undocumented_setting_is_found() =>
        DocsRules.UndocumentedSettings(["Logs:RetentionDays", "Logs:Colour"], "| `Logs:RetentionDays` | 30 |")
            .ShouldFindOnly("The setting Logs:Colour is missing");

    [Fact]
    public void A_setting_has_one_row() => DocsRules.RowsTwice(DocsRules.SettingsPage, Repository.Read(DocsRules.SettingsPage)).ShouldBeNone();

    [Fact]
    public void A_setting_with_two_rows_is_found() =>
        DocsRules.RowsTwice("docs/page.md", "| `Logs:RetentionDays` | 30 |\n| `Logs:Colour` | red |\n| `Logs:RetentionDays` | 7 |\n").ShouldFindOnly("docs/page.md has 2 rows for `Logs:RetentionDays`");

    private static string[] SettingKeys()
    {
        var table = Assembly.Load("Flapjack.Server").GetType(SettingsTable);
        const BindingFlags Any = BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic;
        var keys = table?.GetProperty("Keys", Any)?.GetValue(null) ?? table?.GetField("Keys", Any)?.GetValue(null);
        if (keys is not IEnumerable<string> all || !all.Any())
        {
            throw new InvalidOperationException(
                $"{SettingsTable}.Keys is missing or empty. It lists every configuration key the server reads, as a static string[], spelled as in {DocsRules.SettingsPage}.");
        }

        return [.. all];
    }
}
