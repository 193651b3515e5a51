using System.Globalization;
using Flapjack.Architecture.Tests.Reading;

namespace Flapjack.Architecture.Tests.Rules;

internal sealed record Size(string Kind, string Subject, int Value);

/// <summary>A line of build/size-exceptions.txt.</summary>
internal sealed record SizeException(string Kind, int Limit, string Subject, string Reason);

/// <summary>Limits ordinary good code does not meet. What is larger says why, in a list that only shrinks.</summary>
internal static class SizeRules
{
    public const string ExceptionsFile = "build/size-exceptions.txt";

    private static readonly Dictionary<string, (int Limit, string Unit, string Advice)> Limits = new()
    {
        ["lines"] = (400, "lines", "Split it by noun; a part with a reader of its own deserves a file of its own."),
        ["files"] = (20, ".cs files", "Group what belongs together into a folder with a name users would know."),
        ["constructor"] = (6, "constructor parameters", "It does too many things: give the ones used together to a named collaborator."),
    };

    public static IEnumerable<Size> OfFiles(params string[] folders)
    {
        var files = folders.SelectMany(folder => Repository.Files(folder, ".cs")).ToList();
        var lines = files.Select(path => new Size("lines", path, Repository.Read(path).TrimEnd('\n').Split('\n').Length));
        var counts = files.GroupBy(path => path[..path.LastIndexOf('/')]).Select(folder => new Size("files", folder.Key, folder.Count()));
        return lines.Concat(counts);
    }

    /// <summary>Records are data and may be wide; classes are not.</summary>
    public static IEnumerable<Size> OfConstructors(CodeMap map) =>
        from type in map.Types.Keys.Select(map.Module.GetType).SelectMany(type => type.NestedTypes.Prepend(type))
        where type.IsClass && !type.Name.StartsWith('<') && type.Methods.All(method => method.Name is not ("<Clone>$" or "PrintMembers"))
        from constructor in type.Methods
        where constructor.IsConstructor && !constructor.IsStatic
        select new Size("constructor", type.FullName, constructor.Parameters.Count);

    public static IReadOnlyList<SizeException> ReadExceptions(string text) =>
        [.. text.Split('\n').Select(line => line.Trim()).Where(line => line.Length > 0 && !line.StartsWith('#')).Select(ReadException)];

    public static IEnumerable<string> Check(IEnumerable<Size> sizes, IReadOnlyList<SizeException> exceptions)
    {
        var largest = sizes.GroupBy(size => (size.Kind, size.Subject)).ToDictionary(group => group.Key, group => group.Max(size => size.Value));
        foreach (var ((kind, subject), value) in largest.OrderBy(entry => entry.Key.Subject, StringComparer.Ordinal))
        {
            var (general, unit, advice) = Limits[kind];
            var limit = exceptions.FirstOrDefault(e => e.Kind == kind && e.Subject == subject)?.Limit ?? general;
            if (value > limit)
            {
                yield return $"{subject} has {value} {unit}, {limit} are allowed. {advice} If it must stay: '{kind} | {value} | {subject} | reason' in {ExceptionsFile}.";
            }
        }

        foreach (var exception in exceptions)
        {
            if (!largest.TryGetValue((exception.Kind, exception.Subject), out var value) || value <= Limits[exception.Kind].Limit)
            {
                yield return $"{exception.Subject} needs no exception from '{exception.Kind}' any more. Delete its line from {ExceptionsFile}.";
            }
        }
    }

    private static SizeException ReadException(string line)
    {
        var parts = line.Split('|', StringSplitOptions.TrimEntries);
        if (parts.Length != 4 || !Limits.ContainsKey(parts[0]) || !int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out var limit) || parts[3].Length == 0)
        {
            throw new InvalidOperationException($"{ExceptionsFile}: '{line}' is not 'kind | limit | subject | reason' with kind {string.Join(", ", Limits.Keys)}.");
        }

        return new SizeException(parts[0], limit, parts[2], parts[3]);
    }
}
