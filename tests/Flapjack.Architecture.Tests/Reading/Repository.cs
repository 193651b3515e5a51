namespace Flapjack.Architecture.Tests.Reading;

/// <summary>The working copy these tests were built from.</summary>
internal static class Repository
{
    private static readonly string[] Generated = ["bin", "obj", "artifacts", "data", "node_modules", ".git"];

    public static string Root { get; } = FindRoot();

    /// <summary>Files below a folder, as paths from the root with forward slashes; nothing generated.</summary>
    public static IReadOnlyList<string> Files(string folder, string extension) =>
        [.. Walk(Path.Combine(Root, folder))
            .Where(file => file.EndsWith(extension, StringComparison.Ordinal))
            .Select(file => Path.GetRelativePath(Root, file).Replace('\\', '/'))
            .Order(StringComparer.Ordinal)];

    public static string Read(string path) => File.ReadAllText(Path.Combine(Root, path));

    private static IEnumerable<string> Walk(string folder)
    {
        if (!Directory.Exists(folder))
        {
            return [];
        }

        var inner = Directory.EnumerateDirectories(folder).Where(child => !Generated.Contains(Path.GetFileName(child)));
        return Directory.EnumerateFiles(folder).Concat(inner.SelectMany(Walk));
    }

    private static string FindRoot()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Flapjack.slnx")))
            {
                return folder.FullName;
            }
        }

        throw new InvalidOperationException("Flapjack.slnx was not found above " + AppContext.BaseDirectory);
    }
}
