using System.Reflection;
using System.Runtime.CompilerServices;

namespace Flapjack.Runtime.Tests.Turns;

public sealed class TurnLoopScenarios
{
    [Fact]
    public void Every_scenario_has_a_test_and_every_test_a_scenario()
    {
        var documented = File.ReadLines(DocumentPath()).SkipWhile(line => line != "| scenario | what happens | test |").Skip(2)
            .Where(line => line.StartsWith('|')).Select(line => line.Split('|')[^2].Trim().Trim('`')).ToList();
        var tests = new[] { typeof(TurnLoopTests), typeof(TurnLoopProperties) }
            .SelectMany(type => type.GetMethods()).Where(method => method.GetCustomAttributes<FactAttribute>().Any()).Select(method => method.Name).ToList();

        documented.ShouldNotBeEmpty();
        documented.Except(tests).ShouldBeEmpty("Rows of docs/runtime/turn-loop.md name tests that do not exist: write them, or drop the rows.");
        tests.Except(documented).ShouldBeEmpty("These tests have no row in the scenario table of docs/runtime/turn-loop.md: add one each.");
    }

    private static string DocumentPath([CallerFilePath] string here = "")
    {
        // A deterministic build maps source paths; the document is then found from where the test runs.
        for (var folder = Path.GetDirectoryName(File.Exists(here) ? here : AppContext.BaseDirectory); folder is not null; folder = Path.GetDirectoryName(folder))
        {
            var path = Path.Combine(folder, "docs", "runtime", "turn-loop.md");
            if (File.Exists(path)) return path;
        }
        throw new FileNotFoundException("docs/runtime/turn-loop.md is not above the test.");
    }
}
