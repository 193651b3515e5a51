using Flapjack.Architecture.Tests.Reading;
using Flapjack.Architecture.Tests.Rules;

namespace Flapjack.Architecture.Tests;

public sealed class SizeTests
{
    [Fact]
    public void Files_folders_and_constructors_stay_small()
    {
        string[] projects = ["Flapjack.Runtime", "Flapjack.Providers", "Flapjack.Sandboxes", "Flapjack.Server"];
        var sizes = SizeRules.OfFiles("src", "tests")
            .Concat(projects.SelectMany(name => SizeRules.OfConstructors(CodeMap.Read(name, name, "src/" + name))));
        SizeRules.Check(sizes, SizeRules.ReadExceptions(Repository.Read(SizeRules.ExceptionsFile))).ShouldBeNone();
    }

    [Fact]
    public void What_is_too_large_is_found() =>
        SizeRules.Check([new("lines", "src/Long.cs", 401), new("lines", "src/Short.cs", 400), new("files", "src/Wide", 21)], [])
            .ShouldFindOnly("src/Long.cs has 401 lines, 400 are allowed", "src/Wide has 21 .cs files, 20 are allowed");

    [Fact]
    public void A_planted_wide_constructor_is_found_and_a_wide_record_is_not()
    {
        var planted = CodeMap.Read("Flapjack.Architecture.Tests", "Flapjack.Architecture.Tests.Planted", "tests/Flapjack.Architecture.Tests/Planted");
        SizeRules.Check(SizeRules.OfConstructors(planted), [])
            .ShouldFindOnly("Flapjack.Architecture.Tests.Planted.Plums.PlumStore has 7 constructor parameters");
    }

    [Fact]
    public void An_exception_holds_up_to_its_own_limit()
    {
        var exceptions = SizeRules.ReadExceptions("# comment\nlines | 450 | src/Long.cs | one flow, told once\n");
        SizeRules.Check([new("lines", "src/Long.cs", 450)], exceptions).ShouldBeNone();
        SizeRules.Check([new("lines", "src/Long.cs", 451)], exceptions).ShouldFindOnly("src/Long.cs has 451 lines, 450 are allowed");
    }

    [Fact]
    public void An_exception_nobody_needs_is_found()
    {
        var exceptions = SizeRules.ReadExceptions("lines | 450 | src/Shrunk.cs | was long\nfiles | 30 | src/Gone | was wide");
        SizeRules.Check([new("lines", "src/Shrunk.cs", 120)], exceptions)
            .ShouldFindOnly("src/Shrunk.cs needs no exception", "src/Gone needs no exception");
    }

    [Fact]
    public void An_exception_without_a_reason_is_refused() =>
        Should.Throw<InvalidOperationException>(() => SizeRules.ReadExceptions("lines | 450 | src/Long.cs |"));
}
