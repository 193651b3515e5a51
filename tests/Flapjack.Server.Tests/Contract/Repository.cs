using System.Runtime.CompilerServices;

namespace Flapjack.Server.Tests.Contract;

/// <summary>Where the sources lie.</summary>
internal static class Repository
{
    public static string Root { get; } = Find();

    private static string Find([CallerFilePath] string here = "")
    {
        for (var at = new DirectoryInfo(Path.GetDirectoryName(here)!); at is not null; at = at.Parent) if (File.Exists(Path.Combine(at.FullName, "Flapjack.slnx"))) return at.FullName;
        throw new InvalidOperationException("Run the tests from a checkout.");
    }
}
